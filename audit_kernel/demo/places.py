"""The municipality: 60 units in 12 places. Names are invented; likeness to a real place is chance."""

from __future__ import annotations

from dataclasses import dataclass

NURSING_HOME = "Sykehjem"
HOME_CARE = "Hjemmetjeneste"
SHELTERED_HOUSING = "Omsorgsbolig"
SERVICE_OFFICE = "Tjenestekontor"
NIGHT_PATROL = "Nattpatrulje"
THERAPY = "Fysio- og ergoterapi"
MEDICAL_SERVICE = "Legetjeneste"
SUBSTITUTE_POOL = "Vikarpool"
CARE_TYPES = (NURSING_HOME, HOME_CARE, SHELTERED_HOUSING)

UNITS_OF_A_PLACE = 5
PLACES = (
    ("Blåbærlia sykehjem", NURSING_HOME),
    ("Måkesvingen sykehjem", NURSING_HOME),
    ("Trollskogen sykehjem", NURSING_HOME),
    ("Nordavind sykehjem", NURSING_HOME),
    ("Ørretdammen sykehjem", NURSING_HOME),
    ("Hjemmetjenesten Ytre Demovik", HOME_CARE),
    ("Hjemmetjenesten Demovik sentrum", HOME_CARE),
    ("Hjemmetjenesten Åsgrenda", HOME_CARE),
    ("Hjemmetjenesten Indre Demovik", HOME_CARE),
    ("Rognetunet bofellesskap", SHELTERED_HOUSING),
    ("Lerkesvingen bofellesskap", SHELTERED_HOUSING),
)
PART_NAMES = {NURSING_HOME: "avdeling", HOME_CARE: "sone", SHELTERED_HOUSING: "hus"}
TOWN_HALL = "Demovik rådhus"
TOWN_HALL_UNITS = (
    ("Tjenestekontoret", SERVICE_OFFICE),
    ("Nattpatruljen", NIGHT_PATROL),
    ("Fysio- og ergoterapitjenesten", THERAPY),
    ("Legetjenesten", MEDICAL_SERVICE),
    ("Bemanningsenheten", SUBSTITUTE_POOL),
)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit; `place_number` tells which units lie together."""

    unit_id: str
    name: str
    unit_type: str
    place: str
    place_number: int


def make_units() -> list[Unit]:
    """Return the 60 units, place by place."""
    units = [
        Unit(f"U{place_number:02d}{part}", f"{place}, {PART_NAMES[kind]} {part}", kind, place, place_number)
        for place_number, (place, kind) in enumerate(PLACES, start=1)
        for part in range(1, UNITS_OF_A_PLACE + 1)
    ]
    place_number = len(PLACES) + 1
    return units + [
        Unit(f"U{place_number:02d}{part}", name, kind, TOWN_HALL, place_number)
        for part, (name, kind) in enumerate(TOWN_HALL_UNITS, start=1)
    ]
