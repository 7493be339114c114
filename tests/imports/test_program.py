"""Files of other systems through the program: what is taken, what is reported, what can be mended and brought again."""

import csv
import os
from pathlib import Path

import pytest

from tests.imports.program import Program


@pytest.fixture
def program(system_url: str, owner_url: str, redis_url: str, tmp_path: Path) -> Program:
    return Program(system_url, owner_url, redis_url, tmp_path)


def reasons(program: Program) -> str:
    return program.rejected.read_text()


ONE = "case,opened,answered,closed,what\nm1,2024-07-01 10:00,{},,A door\n"


def test_one_number_of_two_clients_is_two_incidents(program: Program) -> None:
    first = program.profile()
    other = program.profile(('"a client"', '"b client"'), ('"cases"', '"b cases"'))
    assert program.load(ONE.format(""), first)["tickets_new"] == 1
    done = program.load(ONE.format("2024-07-01 10:30"), other)
    assert (done["tickets_new"], done["tickets_changed"], done["facts_new"]) == (1, 0, 2)
    rows = [
        program.run("export", "verdicts", "--tenant", program.tenant, "--account", account)
        for account in ("a client", "b client")
    ]
    assert [("kept" in row, "late" in row) for row in rows] == [(False, True), (True, False)]
    for again in (first, other):
        done = program.load(ONE.format("" if again is first else "2024-07-01 10:30"), again)
        assert (done["facts_new"], done["tickets_changed"]) == (0, 0)


def test_contradictions_within_a_file_and_between_files_are_reported(program: Program) -> None:
    mapped = ('opened_at = "opened"', 'opened_at = "opened"\npriority = { column = "prio" }')
    profile = program.profile(mapped)
    head = "case,opened,answered,closed,what,prio\n"
    row = "m1,2024-07-01 10:00,2024-07-01 10:10,{},A door,{}\n"
    done = program.load(
        head
        + row.format("2024-07-02 10:00", "medium")
        + row.format("2024-07-03 10:00", "critical"),
        profile,
    )
    assert (done["rejected"], done["contradicting"]) == (0, 2)
    assert "priority critical, but medium in row 2" in reasons(program)
    assert "incident.closed at 2024-07-03" in reasons(program)
    changed = head + row.format("2024-07-02 09:00", "critical").replace("10:10", "10:20")
    done = program.load(changed, profile)
    assert (done["facts_new"], done["contradicting"]) == (0, 3)
    for said in ("priority critical, known as medium", "incident.closed at", "acknowledged at"):
        assert said in reasons(program)
    done = program.load(head + row.format("2024-07-02 10:00", "medium"), profile)
    assert (done["facts_new"], done["contradicting"]) == (0, 0)
    assert not program.rejected.exists()


def test_a_file_as_excel_writes_it_can_be_mended_and_brought_again(program: Program) -> None:
    profile = program.profile(head='delimiter = ";"\nencoding = "cp1252"\n')
    formula = '=HYPERLINK("https://example.org","café; 100 €")'
    quoted = formula.replace('"', '""')
    rows = (
        "sep=;\r\ncase;opened;answered;closed;what\r\n"
        f'1;soon;;;"{quoted}"\r\n2;2024-07-01 10:00;;;+31 20\r\n'
        f'3;2042-07-01 10:00;;;"two\r\nlines"\r\n4;2024-07-01\r\n;;;;\r\n'
    )
    done = program.load(rows.encode("cp1252"), profile)
    assert (done["tickets_new"], done["rejected"]) == (1, 3)
    assert program.rejected.stat().st_mode & 0o777 == 0o600
    text = program.rejected.read_bytes().decode("cp1252")
    with program.rejected.open(encoding="cp1252", newline="") as file:
        header, *rejected = csv.reader(file, delimiter=";")
    assert header[:2] == ["row", "reason"]
    assert set(header[2:]) == {"case", "opened", "answered", "closed", "what"}
    assert formula not in [cell for row in rejected for cell in row]
    assert f"'{formula}" in rejected[0]
    mended = text.replace("soon", "2024-07-01 11:00").replace("2042", "2024")
    again = program.load(mended.encode("cp1252"), profile)
    assert (again["tickets_new"], again["rejected"]) == (2, 1)
    assert "2 fields instead of 5" in reasons(program)
    cut = [row[2:] for row in csv.reader(mended.splitlines(keepends=True), delimiter=";")]
    out = program.folder / "cut.csv"
    with out.open("w", encoding="cp1252", newline="") as file:
        csv.writer(file, delimiter=";").writerows(cut)
    once_more = program.load(out.read_bytes(), profile)
    assert (once_more["facts_new"], once_more["contradicting"], once_more["rejected"]) == (0, 0, 0)


def test_account_site_facts_and_calendar_come_from_the_file(program: Program) -> None:
    (program.folder / "days.ics").write_text(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20240702\n"
        "RRULE:FREQ=YEARLY\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    hours = '{ tue = [["08:00", "17:00"]], mon = [["22:00", "06:00"]] }'
    base = program.profile(
        ("always_open = true", f'hours = {hours}\nclosures_from = ["days.ics"]'),
        ("elapsed_s = 3600", "elapsed_s = 7200"),
    )
    done = program.load("case,opened,answered,what\n0,2024-07-01 23:00,2024-07-02 01:00,x\n", base)
    assert (done["rejected"], done["promises"]) == (0, 1)
    facts = "".join(
        f'[[facts]]\nkind = "incident.{kind}"\nat = "{kind}"\n{more}\n'
        for kind, more in (
            ("paused", 'cause = { column = "why", map = { door = "access_denied" } }'),
            ("resumed", ""),
            ("reopened", ""),
            ("prioritised", 'priority = { column = "new" }'),
            ("reassigned", 'to = { column = "who" }'),
        )
    )
    profile = program.profile(
        ('account = "a client"', 'account = { column = "client", map = { 7 = "a client" } }'),
        ('site = "a site"', 'site = { column = "place" }'),
        ("[calendars.always]", f"{facts}\n[calendars.always]"),
    )
    text = profile.read_text()
    profile.write_text(text[: text.index("[agreement]")])
    head = "client,place,case,what,opened,paused,why,resumed,closed,reopened,prioritised,new,reassigned,who\n"
    day = "2024-07-03 "
    row = (
        f"7,A Site,1,A door,{day}10:00,{day}10:10,door,{day}10:20,{day}12:00,{day}12:10,{day}10:30,high,"
        f"{day}10:40,J. Jansen\n"
    )
    unknown = row.replace("7,", "8,", 1) + row.replace("A Site", "Nowhere")
    done = program.load(head + row + unknown, profile)
    assert (done["tickets_new"], done["facts_new"], done["rejected"]) == (1, 7, 2)
    for said in ("unknown account: '8'", "unknown site: 'Nowhere'"):
        assert said in reasons(program)
    again = program.load(head + row, profile)
    assert (again["facts_new"], again["tickets_changed"]) == (0, 0)


@pytest.mark.parametrize(
    "content",
    [
        os.urandom(3_000),
        b"case,opened\n" + os.urandom(3_000),
        b"\xff\xfec\x00a",
        b'case,opened\n"' + b"x," * 5_000,
        b"case\nm1\n",
    ],
)
def test_garbage_is_refused_or_reported_and_is_no_crash(program: Program, content: bytes) -> None:
    file = program.folder / "cases.csv"
    file.write_bytes(content)
    arguments = (
        "import",
        "incidents",
        file,
        "--profile",
        program.profile(),
        "--tenant",
        program.tenant,
    )
    assert program.code(*arguments) in {0, 3, 5}  # taken with reports, or refused
