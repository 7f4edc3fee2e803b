"""The written reasons that a reviewer chooses from, by country: lawful ones, unlawful ones, and what is left to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from audit_kernel.catalog import resource_folder
from audit_kernel.errors import SettingsError
from audit_kernel.legal_basis import legal_basis
from audit_kernel.locale import translator
from audit_kernel.yaml_file import Texts, read_model

if TYPE_CHECKING:
    from audit_kernel.site import Site

FILE = "review_reasons.yml"
DECISIONS = ("justified", "unjustified", "follow_up")


class ReviewReason(BaseModel):
    """One reason: its code, the decision it belongs to, its words, and the clause it rests on in each country."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")
    decision: Literal["justified", "unjustified", "follow_up"]
    title: Texts
    legal_basis: dict[Literal["SE", "NO"], str] = Field(min_length=1)


class _ReviewReasons(RootModel[tuple[ReviewReason, ...]]):
    """The whole file."""


def review_reasons(site: Site) -> list[ReviewReason]:
    """Return the reasons of the site's country, in the file's order.

    Raises
    ------
    SettingsError: the file is wrong, two reasons have one code or the same words, a decision has no reason, or a clause
        is not in `legal_basis.yml`.
    """
    own = site.folder / "parameters" / FILE
    path = own if own.is_file() else resource_folder("parameters") / FILE
    country = site.settings.country
    found = [each for each in read_model(path, _ReviewReasons).root if country in each.legal_basis]
    texts: list[tuple[str, ...]] = [(each.code,) for each in found]
    texts += [(each.decision, name, getattr(each.title, name)) for each in found for name in ("en", "sv", "nb")]
    lacking = set(DECISIONS) - {each.decision for each in found}
    if len(set(texts)) != len(texts) or lacking:
        raise SettingsError(
            "{path}: each decision needs a reason for {country}, and no two may have the same code or words.",
            "Correct the file and try again.",
            path=path,
            country=country,
        )
    for each in found:
        try:
            legal_basis(each.legal_basis[country], site, "en")
        except KeyError:
            raise SettingsError(
                "{path}: reason {code!r} names a clause that is not in legal_basis.yml.",
                "Correct the file and try again.",
                path=path,
                code=each.code,
            ) from None
    return found


def decision_words(language: str) -> dict[str, str]:
    """Return each decision in a language."""
    _ = translator(language)
    return {"justified": _("Justified"), "unjustified": _("Unjustified"), "follow_up": _("To follow up")}
