"""The Swedish municipality: its places and its words.

Names of places are invented; likeness to a real place is chance. Staff and patients are drawn as in the Norwegian
world, whose words are the keys here.
"""

from __future__ import annotations

from audit_kernel.demo import export, places, staff, steps

ZONE = "Europe/Stockholm"
PLACES = places.Names(
    places=(
        ("Lingonbackens äldreboende", places.NURSING_HOME),
        ("Havsörnens äldreboende", places.NURSING_HOME),
        ("Trollsländans äldreboende", places.NURSING_HOME),
        ("Norrskenets äldreboende", places.NURSING_HOME),
        ("Öringdammens äldreboende", places.NURSING_HOME),
        ("Hemtjänsten Yttre Demoköping", places.HOME_CARE),
        ("Hemtjänsten Demoköping centrum", places.HOME_CARE),
        ("Hemtjänsten Åsbyn", places.HOME_CARE),
        ("Hemtjänsten Inre Demoköping", places.HOME_CARE),
        ("Rönntunets gruppbostad", places.SHELTERED_HOUSING),
        ("Lärksvängens gruppbostad", places.SHELTERED_HOUSING),
    ),
    part_names={places.NURSING_HOME: "avdelning", places.HOME_CARE: "grupp", places.SHELTERED_HOUSING: "hus"},
    town_hall="Demoköpings kommunhus",
    town_hall_units=(
        ("Biståndsenheten", places.SERVICE_OFFICE),
        ("Nattpatrullen", places.NIGHT_PATROL),
        ("Rehabiliteringsenheten", places.THERAPY),
        ("Läkarenheten", places.MEDICAL_SERVICE),
        ("Resursenheten", places.SUBSTITUTE_POOL),
    ),
    service_house="Demoköpings servicehus",
    service_units=(
        ("Laboratoriet", places.LABORATORY),
        ("Avgiftsenheten", places.BILLING),
        ("Palliativa teamet", places.CONSULTATION),
        ("Arkivet", places.ARCHIVE),
        ("Systemförvaltningen", places.SYSTEM_SUPPORT),
    ),
)
WORDS = {
    places.NURSING_HOME: "Särskilt boende",
    places.HOME_CARE: "Hemtjänst",
    places.SHELTERED_HOUSING: "Gruppbostad",
    places.SERVICE_OFFICE: "Biståndsenhet",
    places.NIGHT_PATROL: "Nattpatrull",
    places.THERAPY: "Rehabilitering",
    places.MEDICAL_SERVICE: "Läkarenhet",
    places.SUBSTITUTE_POOL: "Resursenhet",
    staff.NURSE: "Sjuksköterska",
    staff.ASSISTANT_NURSE: "Undersköterska",
    staff.ASSISTANT: "Vårdbiträde",
    staff.SOCIAL_EDUCATOR: "Stödpedagog",
    staff.LEADER: "Enhetschef",
    staff.CASE_OFFICER: "Biståndshandläggare",
    staff.PHYSIOTHERAPIST: "Fysioterapeut",
    staff.OCCUPATIONAL_THERAPIST: "Arbetsterapeut",
    staff.DOCTOR: "Läkare",
    staff.ANALYST: "Biomedicinsk analytiker",
    staff.BILLING_OFFICER: "Avgiftshandläggare",
    staff.SPECIALIST_NURSE: "Specialistsjuksköterska",
    staff.ARCHIVIST: "Arkivarie",
    staff.SYSTEM_MANAGER: "Systemförvaltare",
    places.LABORATORY: "Laboratorium",
    places.BILLING: "Avgiftsenhet",
    places.CONSULTATION: "Konsultteam",
    places.ARCHIVE: "Arkiv",
    places.SYSTEM_SUPPORT: "Systemförvaltning",
    steps.JOURNAL: "Journal",
    steps.PLAN: "Genomförandeplan",
    steps.MEDICATION: "Läkemedelslista",
    steps.PERSON: "Personuppgifter",
    steps.SERVICE: "Insats",
    steps.REPORT: "Rapport",
}
WORDS |= dict(
    zip(
        export.SERVICES,
        ("Hemsjukvård", "Serviceinsats; städ", "Trygghetslarm", "Korttidsboende", "Dagverksamhet"),
        strict=True,
    )
)
WORDS |= dict(
    zip(
        export.REPORTS,
        ("Dygnsrapport", 'Lista "Dagens besök"', "Statistik till Socialstyrelsen", "Passrapport"),
        strict=True,
    )
)
# what is done with a record, and how it ended
EVENT_WORDS = {
    "open_person": ("Läst", "Lyckad"),
    "preview_person": ("Förhandsvisat", "Lyckad"),
    "edit_person": ("Ändrat", "Lyckad"),
    "read_journal": ("Läst", "Lyckad"),
    "preview_journal": ("Förhandsvisat", "Lyckad"),
    "write_journal": ("Skapat", "Lyckad"),
    "edit_journal": ("Ändrat", "Lyckad"),
    "sign_journal": ("Signerat", "Lyckad"),
    "print_journal": ("Skrivit ut", "Lyckad"),
    "delete_journal": ("Raderat", "Lyckad"),
    "read_plan": ("Läst", "Lyckad"),
    "preview_plan": ("Förhandsvisat", "Lyckad"),
    "edit_plan": ("Ändrat", "Lyckad"),
    "print_plan": ("Skrivit ut", "Lyckad"),
    "read_medication": ("Läst", "Lyckad"),
    "edit_medication": ("Ändrat", "Lyckad"),
    "sign_medication": ("Signerat", "Lyckad"),
    "print_medication": ("Skrivit ut", "Lyckad"),
    "read_service": ("Läst", "Lyckad"),
    "run_report": ("Rapport", "Lyckad"),
    "denied_person": ("Läst", "Nekad"),
    "denied_journal": ("Läst", "Nekad"),
}
