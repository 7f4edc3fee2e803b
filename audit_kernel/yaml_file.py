"""YAML files that people write: read safely, and wrong keys explained with file, key and allowed values."""

from __future__ import annotations

import textwrap
from collections.abc import Hashable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from audit_kernel.errors import Phrase, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LONGEST_VALUE = 100
Model = TypeVar("Model", bound=BaseModel)


class UnshownValueError(ValueError):
    """A wrong value that is not shown, because it may hold a secret; `allowed` says what may stand there."""

    def __init__(self, allowed: Phrase) -> None:
        super().__init__(allowed)
        self.allowed = allowed


class Texts(BaseModel):
    """One text in the three languages."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    en: str
    sv: str
    nb: str

    def in_language(self, language: str) -> str:
        """Return the text in one language: en, sv or nb."""
        text: str = getattr(self, language)
        return text


BOOLEAN = "tag:yaml.org,2002:bool"

# The C scanner is ten times faster; Python's own serves where PyYAML came without it.
_SafeLoader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _UniqueKeyLoader(_SafeLoader):  # type: ignore[valid-type, misc]
    """Refuses a key that stands twice (plain YAML keeps the last) and takes only true and false for booleans."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _value in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable) and key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} stands twice", key_node.start_mark)
            if isinstance(key, Hashable):  # the base refuses the others
                seen.add(key)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


# YAML 1.1 reads the country NO as false.
_UniqueKeyLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != BOOLEAN or first in "tTfF"]
    for first, resolvers in _SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds; a model checks it
    """Read one YAML file.

    Raises
    ------
    SettingsError: the file is missing or is no YAML; names file and line.
    """
    return _values(path, _text(path))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            "{path} cannot be read as UTF-8 text ({cause}).",
            "Check that the file is there and saved as UTF-8.",
            path=path,
            cause=type(error).__name__,
        ) from None


def _values(path: Path, text: str) -> Any:  # noqa: ANN401 - whatever the file holds
    try:
        return yaml.load(text, Loader=_UniqueKeyLoader) or {}  # noqa: S506 - a subclass of SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date such as 2026-02-30
        cause = getattr(error, "problem", None) or Phrase("not YAML")
        mark = getattr(error, "problem_mark", None)
        if mark is None:
            raise SettingsError("{path}: {cause}.", "Correct the line and try again.", path=path, cause=cause) from None
        raise SettingsError(
            "{path}, line {line}: {cause}.",
            "Correct the line and try again.",
            path=path,
            line=mark.line + 1,
            cause=cause,
        ) from None


def read_model(path: Path, model: type[Model], refuse: Callable[[Path, Any], None] | None = None) -> Model:
    """Read one YAML file into a model.

    Parameters
    ----------
    refuse: called with the path and the values before the model is made; raises what is wrong with them.

    Raises
    ------
    SettingsError: names the file, the key and the allowed values.
    """
    read: Model = _model_of(path, _text(path), model, refuse)
    return read.model_copy()  # what is kept stays as it was read


@lru_cache(maxsize=512)
def _model_of(path: Path, text: str, model: type[BaseModel], refuse: Callable[[Path, Any], None] | None) -> Any:  # noqa: ANN401 - that model
    """Make a model of a file's text: once for the same text, since a store reads all mappings at each opening."""
    values = _values(path, text)
    if refuse:
        refuse(path, values)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise wrong_key(error, path, model) from None


def wrong_key(error: ValidationError, path: Path, model: type[BaseModel]) -> SettingsError:
    """Say the first mistake of a file: file, key, what is allowed."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or Phrase("(top)")
    if first["type"] == "extra_forbidden":
        allowed = ", ".join(sorted(_fields_at(model, first["loc"][:-1])))
        return SettingsError(
            "{path}: unknown key {key!r}; allowed here: {allowed}.",
            "Correct the file and try again.",
            path=path,
            key=key,
            allowed=allowed,
        )
    if first["type"] == "missing":
        return SettingsError("{path}: key {key!r} is missing.", "Correct the file and try again.", path=path, key=key)
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, UnshownValueError):
        return SettingsError(
            "{path}: key {key!r} is wrong; allowed is: {reason}.",
            "Correct the file and try again.",
            path=path,
            key=key,
            reason=cause.allowed,
        )
    value = textwrap.shorten(repr(first["input"]), LONGEST_VALUE)
    return SettingsError(
        "{path}: key {key!r} has the value {value}; {reason}.",
        "Correct the file and try again.",
        path=path,
        key=key,
        value=value,
        reason=first["msg"].removeprefix("Value error, "),
    )


@lru_cache
def _fields_at(model: type[BaseModel], location: tuple[int | str, ...]) -> tuple[str, ...]:
    for part in location:
        field = model.model_fields.get(str(part))
        nested = next((inner for inner in _models_in(field.annotation)), None) if field else None
        if nested is None:
            continue
        model = nested
    return tuple(model.model_fields)


def _models_in(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401 - any type annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) is Literal:
        return []
    return [model for inner in get_args(annotation) for model in _models_in(inner)]
