"""The log extract on the investigator's page: for whom by the rules of the site, made of those of the step, sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets

from audit_kernel.investigation.extracting import choices, extract_from_form
from audit_kernel.investigation.widgets import Form, Trail, Working, harmless_texts
from audit_kernel.locale import translator
from audit_kernel.sealing.asking import must_ask, told

if TYPE_CHECKING:
    from audit_kernel.investigation.session import Answer, Session
    from audit_kernel.investigation.steps import Step
    from audit_kernel.site import Site


class ExtractPanel(ipywidgets.VBox):  # type: ignore[misc]
    """A form below the steps that makes a patient's or an employee's extract, as the command `extract` does.

    Parameters
    ----------
    session: of the page; its purpose is the extract's.
    """

    def __init__(self, site: Site, language: str, session: Session) -> None:
        self.site, self.language, self.session = site, language, session
        self.form = Form({"title": "", "fields": []}, language, self.make)
        self.told = Trail(language, lambda _position: None)
        super().__init__([self.form, self.told])
        self.add_class("ak-section")

    def __repr__(self) -> str:
        """Name the panel only: its state would be written into the notebook."""
        return "<ExtractPanel>"

    def follow(self, answer: Answer) -> None:
        """Begin with those of the step that is shown now."""
        self.tell()
        self.form.say("")
        self.form.texts = harmless_texts(self.texts(answer.step))

    def make(self, values: dict[str, str]) -> None:
        """Make the extract that the form asks for, and say where it lies and when it is due."""
        _ = translator(self.language)
        with Working(self.form):
            if values.pop("action", ""):
                self.tell(_("Nothing was asked for."))
                return
            made = extract_from_form(self.site, self.session.purpose, values, self.language)
            if made.page is None:
                self.tell()
                return
            title = _("The extract is sealed")
            view: dict[str, Any] = {"crumbs": [title], "title": title, "question": str(made.page), "facts": []}
            view |= {"notices": list(made.sentences), "texts": {"trail": title, "notices": _("What to do next")}}
            self.told.show(view)

    def tell(self, otherwise: str = "") -> None:
        """Say what became of the extracts that the service was asked for with the page's purpose."""
        _ = translator(self.language)
        found, title = told(self.site, "extract", self.session.purpose, self.language), _("Extracts asked for")
        notices = found.sentences or ([otherwise] if otherwise and not found.pages else [])
        if not (found.pages or notices):
            self.told.show({})
            return
        facts = [(_("Sealed copies"), "; ".join(found.pages))] if found.pages else []
        view: dict[str, Any] = {"crumbs": [title], "title": title, "question": self.session.purpose, "facts": facts}
        self.told.show({**view, "notices": notices, "texts": {"trail": title, "notices": _("What is still open")}})

    def texts(self, step: Step) -> dict[str, Any]:
        """Return the form's texts and fields, filled in with those of a step."""
        _ = translator(self.language)
        rules = [*choices(self.site, self.language), *choices(self.site, self.language, is_of_employee=True)]
        proofs = [f"{each.label}: {each.proof}" for each in rules if each.proof]
        hint = _("With a patient: did this employee read the record? Alone: the employee's own extract.")
        days = {"from_date": (_("From"), step.from_date), "to_date": (_("To and including"), step.to_date)}
        fields: list[dict[str, Any]] = [
            {"name": "patient", "type": "text", "label": _("Patient"), "value": step.patient_id or ""},
            {"name": "employee", "type": "text", "label": _("Employee"), "hint": hint, "value": ""},
            *(
                {"name": name, "type": "date", "label": label, "value": day.isoformat()}
                for name, (label, day) in days.items()
            ),
            {"name": "recipient", "type": "select", "label": _("For")}
            | {"options": [[each.recipient, each.label] for each in rules]},
            {"name": "proof", "type": "text", "label": _("Proof, where one is asked for"), "hint": " ".join(proofs)},
            {"name": "requested", "type": "date", "label": _("Asked for on"), "value": ""},
        ]
        return {
            "level": "h2",
            "folded": True,
            "title": _("Log extract"),
            "lead": _("Sealed, in plain words, without anything about other patients. What is handed out is recorded."),
            "submit": _("Make the extract"),
            "actions": [["look", _("Has it come?")]] if must_ask(self.site, self.site.archive_folder) else [],
            "busy": _("Working …"),
            "fields": fields,
        }
