from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import pytest

from audit_kernel import counts, open_store, query
from audit_kernel.catalog import Catalog, Query
from audit_kernel.errors import NotAssessableError, ParameterError, UnknownSubjectError, UsageError
from audit_kernel.parameters import convert
from audit_kernel.query import make_steps, refuse_missing_data
from audit_kernel.site import create_site
from audit_kernel.store.intake import take_in
from audit_kernel.store.reading import Store
from audit_kernel.store.reference import take_in_reference
from audit_kernel.store.views import WORKED_OUT_ONCE, is_made
from tests.store.logs import add_plain_source, gerica_file, plain_file, row

PERIOD = {"from_date": "2026-10-01", "to_date": "2026-10-31"}
IDENTIFIERS = """system;kind;identifier;id;valid_from;valid_to
gerica;employee;KANO01;E1;;2026-10-10
gerica;employee;KANO01;E2;2026-10-10;
gerica;employee;OLNO02;E3;;
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("query")
    site = create_site(folder / "site", "NO")
    rows = [row(1), row(2, day="20.10.2026"), row(3, employee="OLNO02"), row(4, employee="NEW", post="7")]
    rows.append("5;02.10.2026;08:00:00;Lesing;NEW;Journal;J1;Post vist")
    take_in(site, gerica_file(folder / "a.csv", rows), "gerica")
    identifiers = folder / "identifiers.csv"
    identifiers.write_text(IDENTIFIERS, encoding="utf-8")
    take_in_reference(site, identifiers, "identifiers")
    with open_store(site, "test of queries") as opened:
        yield opened


def test_an_employee_is_asked_for_by_id_or_by_the_logs_user_name(store):
    for asked in ("E3", "OLNO02", " OLNO02 "):
        result = store.report("activity", employee_id=asked, **PERIOD)
        assert [(each["employee_id"], each["patient_id"]) for each in result.table.to_pylist()] == [("E3", "1042")]
        assert result.parameters["employee_id"] == "E3"
        assert result.parameters["from_date"] == date(2026, 10, 1)


def test_a_user_name_of_two_employees_is_not_guessed(store):
    with pytest.raises(UnknownSubjectError, match=r"'KANO01' names 2 employees.*Give the site's own employee id"):
        store.report("activity", employee_id="KANO01", **PERIOD)
    assert store.report("activity", employee_id="E2", **PERIOD).table.num_rows == 1


def test_someone_known_from_the_log_alone_is_asked_for_as_the_log_wrote_it(store):
    assert store.report("activity", employee_id="NEW", **PERIOD).table.num_rows == 2
    assert store.report("activity", patient_id="7", **PERIOD).table.num_rows == 1


def test_an_identifier_that_another_log_uses_for_somebody_else_is_not_guessed(tmp_path):
    site = create_site(tmp_path / "site", "NO")
    add_plain_source(site)
    identifiers = tmp_path / "identifiers.csv"
    identifiers.write_text(
        "system;kind;identifier;id;valid_from;valid_to\ngerica;patient;1001;P1;;\n", encoding="utf-8"
    )
    take_in_reference(site, identifiers, "identifiers")
    take_in(site, gerica_file(tmp_path / "a.csv", [row(1, post="1001")]), "gerica")
    with open_store(site, "test") as opened:
        assert opened.report("activity", patient_id="1001", **PERIOD).parameters["patient_id"] == "P1"
    take_in(site, plain_file(tmp_path / "b.csv", ["2026-10-02 08:00:00;OLNO02;1001;"]), "plain")
    with open_store(site, "test") as opened, pytest.raises(UnknownSubjectError, match=r"'1001' names 2 patients"):
        opened.report("activity", patient_id="1001", **PERIOD)


def test_a_mistyped_code_is_refused_and_one_of_the_log_or_the_dictionary_is_not(store):
    with pytest.raises(ParameterError, match=r"log_type 'lesing' stands neither in any log nor in a code dictionary"):
        store.report("system_log", log_type="lesing", **PERIOD)
    for given, n_rows in ({"log_type": "Lesing"}, 5), ({"log_type": "Utskrift"}, 0), ({"table_name": "Journal"}, 1):
        assert store.report("system_log", **given, **PERIOD).table.num_rows == n_rows


@pytest.mark.parametrize(("kind", "typed"), [("patient", "10422"), ("employee", "kano01"), ("patient", "' or 1=1 --")])
def test_someone_who_stands_nowhere_is_an_error_not_an_empty_report(store, kind, typed):
    with pytest.raises(UnknownSubjectError) as caught:
        store.report("activity", **{f"{kind}_id": typed}, **PERIOD)
    assert repr(typed) in str(caught.value)
    assert "neither in any log nor in the reference data" in str(caught.value)


def test_a_report_without_rows_says_how_many_were_searched(store):
    result = store.report("activity", patient_id="7", from_date="2026-10-20", to_date="2026-10-31")
    assert (result.table.num_rows, result.rows_searched) == (0, 1)
    assert store.report("activity", patient_id="7", **PERIOD).rows_unresolved == 1


def test_within_a_period_in_which_every_patient_is_known_none_is_looked_for_again(store):
    month, first_day = (datetime(2026, 10, 1), datetime(2026, 11, 1)), (datetime(2026, 10, 1), datetime(2026, 10, 2))

    def counted(known):
        return counts.count_searched(store._for_questions, *month, known)

    assert counted({}) == (5, 1)
    assert counted({month: (5, 1)}) == counted({first_day: (1, 0)}) == (5, 1)
    assert counted({(None, None): (9, 0)}) == counted({month: (5, 0)}) == (5, 0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"patient_id": "7"}, "activity needs the parameter 'from_date'"),
        ({"patient_id": "7", "from_date": "", "to_date": "2026-10-31"}, "needs the parameter 'from_date'"),
        (PERIOD, "activity needs at least one of patient_id, employee_id"),
        ({"patient": "7", **PERIOD}, r"no parameter 'patient'\. It has: patient_id, employee_id, from_date, to_date"),
        ({"patient_id": 7.5, **PERIOD}, "'patient_id' must be of type patient, not 7.5"),
        ({"patient_id": "7", "from_date": "31.10.2026", "to_date": "2026-10-31"}, "not '31.10.2026'.*2026-10-31"),
        ({"patient_id": "7", "from_date": "2026-02-30", "to_date": "2026-10-31"}, "must be of type date"),
        ({"patient_id": "7", "opening_gap_minutes": "five", **PERIOD}, "must be of type integer, not 'five'"),
    ],
)
def test_a_wrong_parameter_is_named_with_what_is_allowed(store, given, said):
    with pytest.raises(ParameterError, match=said) as caught:
        store.report("activity", **given)
    assert caught.value.exit_code == 2


def test_a_reversed_period_is_refused(store):
    with pytest.raises(UsageError, match=r"The period ends \(2026-10-01\) before it begins \(2026-10-31\)"):
        store.report("activity", patient_id="7", from_date="2026-10-31", to_date="2026-10-01")


def test_a_parameter_given_takes_the_place_of_the_threshold(store):
    by_threshold = store.report("activity", patient_id="7", **PERIOD)
    assert (by_threshold.parameters["opening_gap_minutes"], list(by_threshold.thresholds)) == (
        5,
        ["opening_gap_minutes"],
    )
    given = store.report("activity", patient_id="7", opening_gap_minutes="30", **PERIOD)
    assert (given.parameters["opening_gap_minutes"], dict(given.thresholds)) == (30, {})


@pytest.mark.parametrize(
    ("kind", "value", "converted"),
    [
        ("integer", "-7", -7),
        ("decimal", "0.95", Decimal("0.95")),
        ("date", date(2026, 1, 2), date(2026, 1, 2)),
        ("timestamp", "2026-10-25T02:30:00+01:00", datetime(2026, 10, 25, 1, 30)),
        ("timestamp", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1)),
        ("boolean", "false", False),
        ("text_list", ("a", 1), ["a", "1"]),
        ("text", 5, "5"),
    ],
)
def test_a_value_becomes_its_declared_type(kind, value, converted):
    found = convert("query", "name", kind, value)
    assert found == converted
    assert type(found) is type(converted)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("integer", "1_000"),
        ("integer", True),
        ("integer", "1e3"),
        ("integer", 2**63),
        ("decimal", "NaN"),
        ("decimal", "1,5"),
        ("date", "2026-W40-1"),
        ("date", datetime(2026, 1, 1)),
        ("timestamp", "2026-10-25T02:30:00"),
        ("boolean", "yes"),
        ("text_list", "abc"),
        ("text", None),
        ("employee", ["a"]),
    ],
)
def test_a_value_of_another_type_is_refused(kind, value):
    with pytest.raises(ParameterError, match="must be of type"):
        convert("query", "name", kind, value)


def test_a_query_whose_data_are_missing_is_not_assessable(store, monkeypatch):
    query = Catalog().query("activity")
    needing = query.description.model_copy(update={"needs": ("accesses", "units")})
    monkeypatch.setitem(query.__dict__, "description", needing)
    with pytest.raises(NotAssessableError, match=r"activity is not assessable: no units were taken in"):
        refuse_missing_data(store._connection, query)


def test_a_check_that_needs_one_of_several_kinds_is_refused_only_where_none_of_them_came(tmp_path, store):
    check = "checks/household_or_surname"
    with pytest.raises(NotAssessableError, match="not assessable: no households"):
        store.report(check, **PERIOD)
    site = create_site(tmp_path / "site", "NO")
    take_in(site, gerica_file(tmp_path / "a.csv", [row(1)]), "gerica")
    employees = tmp_path / "employees.csv"
    header = "employee_id;name;personal_number;surname;valid_from;valid_to"
    for surname in ("", "Nordmann"):
        employees.write_text(f"{header}\nE1;Kari;;{surname};;\n", encoding="utf-8")
        take_in_reference(site, employees, "employees")
        with open_store(site, "test") as opened:
            if surname:
                refuse_missing_data(opened._connection, opened.catalog.query(check))
            else:
                with pytest.raises(NotAssessableError, match="not assessable: no households"):
                    refuse_missing_data(opened._connection, opened.catalog.query(check))


def test_searches_for_blocked_patients_are_not_assessable_where_nothing_says_who_is_blocked(tmp_path, store):
    site = create_site(tmp_path / "site", "NO")
    add_plain_source(site)
    take_in(site, plain_file(tmp_path / "b.csv", ["2026-10-02 08:00:00;OLNO02;1001;"]), "plain")
    with open_store(site, "test") as opened:
        for name in ("checks/blocked_searches", "reports/blocked_searches"):
            with pytest.raises(NotAssessableError, match="not assessable: no block data were taken in"):
                opened.report(name, **PERIOD)
    assert store.report("reports/blocked_searches", **PERIOD).table.num_rows == 0


def test_what_a_check_reads_is_made_once_for_all_its_parts_and_anew_for_another_question(store, monkeypatch):
    monkeypatch.setattr("audit_kernel.completeness.refuse_incomplete_logs", lambda *_given: None)
    check = store.catalog.query("checks/searches_without_opening")

    def made(query, **given):
        store.ask(query, {**PERIOD, **given})
        table = "select table_oid from duckdb_tables() where table_name = 'followed_searches'"
        return store._connection.execute(table).fetchone()

    first = made(check)
    assert made(check.beside("counts")) == made(check.beside("frame"), seed="x") == first
    other = made(check, search_followed_minutes=5)
    assert other != first
    store.forget_period()
    assert made(check, search_followed_minutes=5) != other


def test_what_was_made_as_a_step_is_not_worked_out_again_when_it_is_asked_by_itself(store, monkeypatch):
    asked, texts = query.answer, []
    monkeypatch.setattr(query, "answer", lambda on, text, bound: texts.append(text) or asked(on, text, bound))
    alone = store.report("missing_numbers", **PERIOD).table
    store.report("completeness", **PERIOD)
    assert store.report("missing_numbers", **PERIOD).table.equals(alone)
    assert texts[-1] == 'select * from "missing_numbers"'
    store.report("missing_numbers", **{**PERIOD, "to_date": "2026-10-30"})
    assert texts[-1] == texts[0] != 'select * from "missing_numbers"'


def test_the_same_question_has_the_same_answer_in_either_sort_order(store):
    pair = store.report("detailed_activity", employee_id="E3", patient_id="1042", **PERIOD).table
    by_employee = store.report("detailed_activity", employee_id="E3", **PERIOD).table
    assert pair.num_rows == 1
    assert pair.equals(by_employee)


def test_a_result_becomes_a_data_frame(store):
    frame = store.report("activity", patient_id="1042", **PERIOD).df()
    assert sorted(frame["employee_id"]) == ["E1", "E2", "E3"]


@pytest.mark.parametrize(
    "text",
    ["", "select 1; select 2", "insert into lake.writer_lock values (1)", "copy (select 1) to 'x'", "set threads = 1"],
)
def test_own_sql_is_one_select(store, text):
    with pytest.raises(UsageError, match="not one SELECT"):
        store.sql(text)


def test_own_sql_that_is_wrong_says_where(store):
    with pytest.raises(UsageError, match=r"The SQL is wrong: .*employe_id"):
        store.sql("select employe_id from accesses")
    with pytest.raises(UsageError, match="The SQL is wrong"):
        store.sql("selec 1")


def test_own_sql_binds_values_by_name(store):
    answer = store.sql("select count(*) as n from accesses where employee_id = $who", {"who": "E3"})
    assert answer.to_pylist() == [{"n": 1}]


def test_a_dictionary_corrected_after_intake_makes_old_rows_right_at_once(tmp_path):
    site = create_site(tmp_path / "site", "NO")
    log = [
        "1;02.10.2026;08:00:00;Stengt;OLNO02;Personalia;1001;",
        "2;02.10.2026;09:00:00;Lesing;OLNO02;Personalia;1001;",
    ]
    take_in(site, gerica_file(tmp_path / "a.csv", log), "gerica")
    with open_store(site, "test") as opened:
        with pytest.raises(UnknownSubjectError):
            opened.report("activity", patient_id="1001", **PERIOD)
        asked = opened.report("activity", employee_id="OLNO02", **PERIOD)
        assert (asked.table["n_accesses"].to_pylist(), asked.rows_unresolved) == ([2], 2)
    said = 'meaning: {en: "x", sv: "x", nb: "x"}, origin: "the system\'s owner", is_confirmed: true'
    (site.folder / "parameters" / "sources" / "gerica.codes.yml").write_text(
        f"adds_to: gerica\nlog_type:\n  Stengt: {{action: read, outcome: denied, {said}}}\n"
        f"table_name:\n  Personalia: {{related: patient, area: patient, {said}}}\n",
        encoding="utf-8",
    )
    with open_store(site, "test") as opened:
        asked = opened.report("activity", patient_id="1001", **PERIOD)
        assert (asked.table["n_accesses"].to_pylist(), asked.rows_unresolved) == ([1], 0)


def test_names_ask_for_no_table_of_reference_data_and_the_first_question_makes_them(store):
    with open_store(store.site, "test of queries") as opened:
        assert opened.names("employee", ["E1"]) == {}
        assert not is_made(opened._connection, "identifier_periods")
        rows = opened.report("activity", employee_id="OLNO02", **PERIOD).table
        assert all(is_made(opened._connection, name) for name in WORKED_OUT_ONCE)
    assert rows == store.report("activity", employee_id="OLNO02", **PERIOD).table
    assert rows.column("employee_id").to_pylist() == ["E3"]  # resolved by what was made


def test_the_control_of_a_month_works_out_all_reference_data_and_a_page_only_what_it_joins(store):
    for is_counting in (False, True):
        with Store(store.site, "test of queries", is_counting=is_counting) as opened:
            rows = opened.report("activity", employee_id="OLNO02", **PERIOD).table
            assert is_made(opened._connection, "shifts") is is_counting
            assert not is_made(opened._connection, "record_keys")
        assert rows == store.report("activity", employee_id="OLNO02", **PERIOD).table


def test_a_step_is_made_again_only_where_its_values_or_those_before_it_are_others(tmp_path):
    (tmp_path / "first.step.sql").write_text("select $least as least, random() as made")
    (tmp_path / "second.step.sql").write_text("select made, $most as most from first")
    path = tmp_path / "query.sql"
    path.with_suffix(".yml").write_text(
        "title: {en: a, sv: a, nb: a}\nquestion: {en: a, sv: a, nb: a}\nmethod: {en: a, sv: a, nb: a}\n"
        "reads: [first, second]\n"
    )
    connection, made = duckdb.connect(), {}
    values = {"start_at": None, "end_at": None, "least": 1, "most": 1}

    def moment(**others):
        make_steps(connection, Query("query", "reports", path), values | others, made)
        return connection.execute("select first.made, second.made, most from first cross join second").fetchone()

    before = moment()
    assert before == moment() == (before[0], before[0], 1)
    assert moment(most=2) == (before[0], before[0], 2)
    later = moment(least=2)
    assert later[0] == later[1] != before[0]
    assert moment(least=2, end_at=datetime(2026, 11, 1, tzinfo=UTC))[0] != later[0]
