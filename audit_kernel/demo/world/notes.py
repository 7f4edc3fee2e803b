"""What is stated when a record is opened: purposes, and reasons for breaking the glass, good and hollow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Note:
    """Whether the glass was broken, what was written, and whether that says nothing."""

    is_broken: bool
    text: str
    is_hollow: bool = False


NOTES = (
    Note(is_broken=False, text=""),
    *(
        Note(is_broken=True, text=text)
        for text in (
            "Akut försämring, tillkallad av kollega på avdelningen",
            "Jourpass, patienten saknar ansvarig sjuksköterska i natt",
            "Larm från trygghetstelefon, okänd patient",
            "Inflyttad från annan enhet i dag, överrapportering",
            "Telefonrådgivning till anhörig; läkemedelsfråga",
            "Fallolycka, bedömning på plats",
            "Brandlarm, evakuering av huset",
            "Vikarie i dag, behörighet ej upplagd ännu",
            "Sjukhuset ringde om återgång hem",
        )
    ),
    *(Note(is_broken=True, text=text, is_hollow=True) for text in ("", "x", "-", "kollar", ".", "behövs", "asdf")),
    *(Note(is_broken=False, text=text) for text in ("Kvalitetssäkring", "Handledning", "Administration")),
)
GOOD = [number for number, note in enumerate(NOTES) if note.is_broken and not note.is_hollow]
HOLLOW = [number for number, note in enumerate(NOTES) if note.is_broken and note.is_hollow]
PURPOSES = {note.text: number for number, note in enumerate(NOTES) if not note.is_broken and note.text}
