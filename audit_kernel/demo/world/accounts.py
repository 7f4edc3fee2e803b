"""Accounts: lent passwords, guessed ones, locked ones, and work from abroad, with their look-alikes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_kernel.demo import staff
from audit_kernel.demo.places import NURSING_HOME
from audit_kernel.demo.staff import OFFICE, ROTATION
from audit_kernel.demo.travels import Travel
from audit_kernel.demo.world.curious import NURSES
from audit_kernel.demo.world.story import Family, Visit

if TYPE_CHECKING:
    from audit_kernel.demo.entries import Fields
    from audit_kernel.demo.world.cast import Cast
    from audit_kernel.demo.world.story import Story

# Whose the addresses are: networks set apart for documentation (RFC 5737), so that nobody's is named.
COUNTRY_OF_NETWORK = {
    "192.0.2.0/24": "SE",
    "198.51.100.0/25": "TH",
    "198.51.100.128/25": "NO",
    "203.0.113.0/25": "BR",
    "203.0.113.128/25": "DK",
}
FAR, NEAR = ("198.51.100.", "203.0.113."), (("NO", "198.51.100."), ("DK", "203.0.113."))
FAR_COUNTRIES = {"198.51.100.": "TH", "203.0.113.": "BR"}
FORGOTTEN_AFTER = 20  # days
FAILED: Fields = {"Händelse": "Misslyckad inloggning"}


def fields_of(cast: Cast, employee: int, day: int, address: str, device: str) -> Fields:
    """Return what every log-in record of somebody at a device has."""
    name = cast.desk.name(employee, day)
    return {
        "Användare": name,
        "Konto": name.lower(),
        "Metod": "Lösenord",
        "Nätadress": address,
        "Enhet": device,
        "Antal": 1,
    }


def far_address(story: Story) -> str:
    """Return an address outside the EEA."""
    return f"{story.one_of(FAR)}{story.number_of(50, 120)}"


def shared_password(cast: Cast, story: Story) -> None:
    """Somebody at another place uses a carer's account while she is at work herself."""
    employee = cast.take(story, cast.people(NURSES, calendars=(ROTATION,)))
    place = cast.place(cast.duty_of[employee].unit)
    units = [unit for unit, patients in cast.staying.items() if cast.place(unit) != place and len(patients) > 3]  # noqa: PLR2004 - somebody to read about
    unit = story.one_of(units)
    device = cast.ward_device(unit)
    story.address = cast.devices[device][0]
    for shift in story.some_of(cast.at_work(story, employee), story.number_of(5, 9)):
        at = int(story.draws.integers(shift.start + 3600, shift.end - 3600))
        for place_in in range(story.number_of(3, 6)):
            patient = story.one_of(cast.staying[unit])
            moment = at + 500 * place_in + story.number_of(0, 200)
            story.visits.append(Visit(moment, employee, patient, "look", device=device))
    story.account = cast.desk.name(employee, story.days[0]).lower()
    story.description = "Somebody at another place uses this account while its owner is at work elsewhere."


def shared_ward_device(cast: Cast, story: Story) -> None:
    """All of a ward use one device, each with the own account, one after another."""
    first = cast.take(story, cast.people(NURSES, (NURSING_HOME,)))
    unit = cast.duty_of[first].unit
    device = cast.ward_device(unit)
    story.address = cast.devices[device][0]
    others = [one for one, duty in cast.duty_of.items() if duty.unit == unit and one != first and one not in cast.busy]
    for employee in (first, *story.some_of(others, 2)):
        if employee not in story.employees:
            story.employees.append(employee)
        for at in cast.moments(story, employee, story.number_of(2, 4), 1):
            patient = story.one_of(cast.own(employee))
            story.visits.append(Visit(at, employee, patient, cast.usual(story, employee, ("care",)), device=device))
    story.description = "Several carers of a ward use its one device, each with the own account."


def spraying(cast: Cast, story: Story) -> None:
    """From one address abroad somebody tries one or two passwords on many accounts on two nights, and may get in."""
    story.address = far_address(story)
    names = [cast.desk.name(one, story.days[0]) for one in story.some_of(sorted(cast.duty_of), story.number_of(18, 40))]
    for night in range(2):
        day = min(story.days[0] + story.number_of(1, 12) + 13 * night, story.days[1] - 1)
        at = cast.at(day, story.number_of(60, 240))
        for name in names:
            for _ in range(story.number_of(1, 2)):
                at += story.number_of(3, 25)
                who: Fields = {"Användare": name, "Konto": name.lower(), "Metod": "Lösenord", "Antal": 1}
                more: Fields = {"Nätadress": story.address, "Orsak": "Fel lösenord"}
                story.sign_ins.add(at, who | more | FAILED, story.number)
    if story.chance(0.5):
        name = story.one_of(names)
        story.account = name.lower()
        _get_in(story, at, {"Användare": name, "Konto": story.account, "Metod": "Lösenord", "Antal": 1})
    story.description = "From one address abroad somebody tries one or two passwords on many accounts."


def _get_in(story: Story, at: int, common: Fields) -> None:
    """Let the last guess be right: a log-in from the same address, and a log-out minutes later."""
    session: Fields = {"Nätadress": story.address, "Session": f"X{story.number}"}
    story.sign_ins.add(at + 20, common | session | {"Händelse": "Inloggning"}, story.number)
    story.sign_ins.add(
        at + 20 + story.number_of(120, 1500), common | session | {"Händelse": "Utloggning"}, story.number
    )


def shift_change(cast: Cast, story: Story) -> None:
    """At the change of shifts several carers mistype at the ward's one device, and then get in."""
    first = cast.take(story, cast.people(NURSES, (NURSING_HOME,)))
    unit = cast.duty_of[first].unit
    address, device = cast.devices[cast.ward_device(unit)]
    story.address = address
    shift = story.one_of(cast.at_work(story, first))
    team = [one for one, duty in cast.duty_of.items() if duty.unit == unit and one not in cast.busy]
    at = shift.start - story.number_of(0, 300)
    for employee in story.some_of(team, story.number_of(3, 6)):
        if employee not in story.employees:
            story.employees.append(employee)
        common = fields_of(cast, employee, shift.day, address, device)
        for _ in range(story.number_of(1, 2)):
            at += story.number_of(15, 60)
            story.sign_ins.add(at, common | FAILED | {"Orsak": "Fel lösenord"}, story.number)
        session: Fields = {"Händelse": "Inloggning", "Session": f"W{story.number}-{employee}"}
        story.sign_ins.add(at + 20, common | session, story.number)
        story.sign_ins.add(at + 900, common | session | {"Händelse": "Utloggning"}, story.number)
    story.description = "At the change of shifts several carers mistype at the ward's one device, and then get in."


def lockouts(cast: Cast, story: Story) -> None:
    """Somebody guesses one account's password on several nights until it is locked, and may get in at last."""
    employee = cast.take(story, cast.people())
    story.address = far_address(story)
    story.account = cast.desk.name(employee, story.days[0]).lower()
    nights = sorted(story.some_of(range(story.days[0], story.days[1] - 1), story.number_of(3, 5)))
    for day in nights:
        at = cast.at(day, story.number_of(60, 240))
        common = fields_of(cast, employee, day, story.address, "")
        for _ in range(story.number_of(6, 14)):
            at += story.number_of(4, 30)
            story.sign_ins.add(at, common | FAILED | {"Orsak": "Fel lösenord"}, story.number)
        locked: Fields = {"Händelse": "Låsning", "Orsak": "För många felaktiga försök"}
        if day == nights[-1] and story.chance(0.4):
            _get_in(story, at, common)
            break
        story.sign_ins.add(at + 1, common | locked, story.number)
        helped: Fields = {"Händelse": "Upplåsning", "Orsak": "Av systemförvaltare", "Nätadress": "10.12.0.1"}
        story.sign_ins.add(cast.at(day, story.number_of(420, 600)), common | helped)
    story.description = "Somebody guesses the password of one account on several nights, until it is locked."


def forgotten_password(cast: Cast, story: Story) -> None:
    """Back from holiday a carer has forgotten her password, is locked out, calls, and gets a new one."""
    employee = cast.take(story, cast.people(kinds=()))
    shift = story.one_of(cast.at_work(story, employee))
    address = cast.desk.address(employee, shift.day)
    common = fields_of(cast, employee, shift.day, address, f"PC-{1000 + cast.desk.unit(employee, shift.day)}")
    at = shift.start - story.number_of(0, 200)
    for _ in range(story.number_of(2, 4)):
        at += story.number_of(15, 70)
        story.sign_ins.add(at, common | FAILED | {"Orsak": "Fel lösenord"}, story.number)
    steps = (
        ("Låsning", "Tre felaktiga försök", 1),
        ("Upplåsning", "Av systemförvaltare", 700),
        ("Lösenordsbyte", "", 760),
        ("Inloggning", "", 800),
        ("Utloggning", "", 2400),
    )
    for kind, reason, later in steps:
        story.sign_ins.add(at + later, common | {"Händelse": kind, "Orsak": reason}, story.number)
    story.description = "Has forgotten the password after a holiday, is locked out, calls, and gets a new one."


def third_country(cast: Cast, story: Story) -> None:
    """On holiday outside the EEA a carer logs in, without leave, and reads about the own unit's patients."""
    employee = cast.take(story, cast.people(NURSES, calendars=(ROTATION,)))
    story.address = far_address(story)
    device = cast.device(story.address, "BÄRBAR")
    own = cast.own(employee)
    for at in cast.off_work(story, employee, story.number_of(3, 6), (9 * 60, 20 * 60)):
        for place in range(story.number_of(2, 6)):
            moment = at + 400 * place
            story.visits.append(Visit(moment, employee, story.one_of(own), "look", device=device))
    story.description = "Logs in from outside the EEA without leave, and reads about the unit's patients."


def honest_traveller(cast: Cast, story: Story) -> None:
    """Somebody works some days from abroad: from within the EEA, or from farther away with leave."""
    options = cast.people((staff.CASE_OFFICER, staff.LEADER, *NURSES), kinds=(), calendars=(OFFICE, ROTATION))
    away = {travel.employee for travel in cast.travels}
    employee = cast.take(story, [one for one in options if one not in away] or options)
    is_far = story.chance(0.35)
    country, network = story.one_of([(FAR_COUNTRIES[one], one) for one in FAR] if is_far else NEAR)
    story.address = f"{network}{story.number_of(121, 127) if is_far else story.number_of(130, 250)}"
    shift = story.one_of(cast.at_work(story, employee))
    last = shift.day + story.number_of(2, 6)
    cast.travels.append(Travel(employee, country, story.address, shift.day, last, is_filed=is_far))
    story.days = (shift.day, last)
    cast.care(story, employee, story.one_of(cast.own(employee) or cast.strangers(employee)), 2)
    story.description = "Works some days from abroad: within the EEA, or farther away with leave."


def left_account(cast: Cast, story: Story) -> None:
    """Weeks after leaving, somebody whose account still opens reads about the former unit's patients from home."""
    employee, left = _leaver(cast, story, FORGOTTEN_AFTER)
    begin = max(left + FORGOTTEN_AFTER, story.days[0])
    story.days = (min(begin, story.days[1] - 1), story.days[1])
    home, patients = cast.home_device(employee), cast.staying[cast.desk.unit(employee, left - 1)]
    for at in cast.off_work(story, employee, story.number_of(1, 3), (17 * 60, 23 * 60)):
        for place in range(story.number_of(1, 3)):
            story.visits.append(Visit(at + 420 * place, employee, story.one_of(patients), "look", device=home))
    story.description = "Reads with an account that was left open weeks after the employment had ended."


def last_notes(cast: Cast, story: Story) -> None:
    """In the first days after leaving, somebody comes by to finish notes."""
    employee, left = _leaver(cast, story, 0)
    story.days = (left, min(left + story.number_of(1, 8), cast.desk.world.calendar.n_days))
    patients = cast.staying[cast.desk.unit(employee, left - 1)]
    for at in cast.off_work(story, employee, story.number_of(1, 2), (9 * 60, 15 * 60)):
        story.visits.append(Visit(at, employee, story.one_of(patients), "write_up"))
    story.description = "Comes by in the first days after leaving, and finishes notes."


def _leaver(cast: Cast, story: Story, days: int) -> tuple[int, int]:
    """Return somebody who left at least so many days before the world's end, and the first day without employment."""
    left = {
        employee: last
        for employee, (_first, last) in enumerate(cast.staff.employment)
        if last is not None and cast.staying.get(cast.desk.unit(employee, last - 1))
    }
    n_days = cast.desk.world.calendar.n_days
    long_gone = [employee for employee, last in left.items() if last + days < n_days]
    employee = cast.take(story, long_gone or sorted(left))
    return employee, left[employee]


FAMILIES = (
    Family("shared_password", shared_password, "shared_ward_device", shared_ward_device, leaves_trace=True),
    Family("spraying", spraying, "shift_change", shift_change, leaves_trace=True),
    Family("lockouts", lockouts, "forgotten_password", forgotten_password, leaves_trace=True),
    Family("left_account", left_account, "last_notes", last_notes, leaves_trace=True),
    Family("third_country", third_country, "honest_traveller", honest_traveller, leaves_trace=True),
)
