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
LABORATORY, BILLING, CONSULTATION = "Laboratorium", "Økonomi", "Spesialistteam"
ARCHIVE, SYSTEM_SUPPORT = "Arkiv", "Systemforvaltning"
CARE_TYPES = (NURSING_HOME, HOME_CARE, SHELTERED_HOUSING)

UNITS_OF_A_PLACE = 5


@dataclass(frozen=True, slots=True)
class Names:
    """What a municipality calls its places, their parts, and the units of its town hall; each with its unit type."""

    places: tuple[tuple[str, str], ...]
    part_names: dict[str, str]
    town_hall: str
    town_hall_units: tuple[tuple[str, str], ...]
    service_house: str = ""
    service_units: tuple[tuple[str, str], ...] = ()


NORWEGIAN = Names(
    places=(
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
    ),
    part_names={NURSING_HOME: "avdeling", HOME_CARE: "sone", SHELTERED_HOUSING: "hus"},
    town_hall="Demovik rådhus",
    town_hall_units=(
        ("Tjenestekontoret", SERVICE_OFFICE),
        ("Nattpatruljen", NIGHT_PATROL),
        ("Fysio- og ergoterapitjenesten", THERAPY),
        ("Legetjenesten", MEDICAL_SERVICE),
        ("Bemanningsenheten", SUBSTITUTE_POOL),
    ),
)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit; `place_number` tells which units lie together."""

    unit_id: str
    name: str
    unit_type: str
    place: str
    place_number: int


def make_units(names: Names = NORWEGIAN, n_units: int = 60) -> list[Unit]:
    """Return the units, place by place; those with more than 60 have a house of laboratory, billing and consultation.

    Places beyond the named ones are called as these, with a number.
    """
    houses = [(names.town_hall, names.town_hall_units), (names.service_house, names.service_units)]
    houses = houses if n_units > UNITS_OF_A_PLACE * (len(names.places) + 1) else houses[:1]
    n_places = max(len(names.places), n_units // UNITS_OF_A_PLACE - len(houses))
    named = [names.places[number % len(names.places)] for number in range(n_places)]
    rounds = [number // len(names.places) + 1 for number in range(n_places)]
    units = [
        Unit(f"U{place_number:02d}{part}", f"{place}, {names.part_names[kind]} {part}", kind, place, place_number)
        for place_number, (place, kind) in enumerate(
            (
                (f"{place} {number}" if number > 1 else place, kind)
                for (place, kind), number in zip(named, rounds, strict=True)
            ),
            start=1,
        )
        for part in range(1, UNITS_OF_A_PLACE + 1)
    ]
    return units + [
        Unit(f"U{place_number:02d}{part}", name, kind, house, place_number)
        for place_number, (house, parts) in enumerate(houses, start=n_places + 1)
        for part, (name, kind) in enumerate(parts, start=1)
    ]
