"""Rows of a file into rows of tickets: columns found, words translated, instants placed, nonsense refused."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.agreements.model import Priority, TicketKind
from domain.errors import Code, Refused
from domain.imports.instants import Instants, Unfit
from domain.imports.profile import Column, Profile, Value
from domain.imports.reader import Batch, Cell
from domain.incidents.model import Source

LONGEST_KEY = 200  # characters; the key is part of an index
LONGEST_TEXT = 20_000


class Row(NamedTuple):
    """One row of the file, as staged."""

    number: int
    key: str
    row_at: datetime | None
    row_order: int
    opened_at: datetime | None
    agreed_at: datetime | None
    kind: str
    category: str | None
    priority: str
    source: str
    reporter: str
    summary: str
    meaning: str | None


class Told(NamedTuple):
    """One fact that a row tells: `spec` is its place in the profile (updates follow the facts)."""

    number: int
    key: str
    spec: int
    at: datetime
    said_at: datetime | None  # what the source said, when the fact was moved to the opening
    body: str | None


class Reject(NamedTuple):
    """A row that cannot be read, and why."""

    number: int
    reason: str
    cells: Sequence[Cell]


class Decoded(NamedTuple):
    """What a batch came to."""

    rows: list[Row]
    told: list[Told]
    rejects: list[Reject]


Take = Callable[[Sequence[Cell]], str | None]


class Decoder:
    """A profile applied to the columns that a file really has."""

    def __init__(self, profile: Profile, header: Sequence[str]) -> None:
        """Find the columns; refused when one that the profile needs is missing."""
        self.names: list[str] = []  # the columns to read, in the order of a row's cells
        self._profile = profile
        self._header: dict[str, str] = {}
        for name in header:
            self._header.setdefault(_folded(name), name)
        self._nulls = frozenset(profile.nulls)
        self._instant = Instants(profile)
        self._skew = timedelta(seconds=profile.skew_tolerance_s)
        ticket, log = profile.ticket, profile.log
        self._key = self._need(profile.key, "key")
        self._opened = self._find(ticket.opened_at, "ticket.opened_at")
        self._agreed = self._find(ticket.agreed_at, "ticket.agreed_at")
        self._row_at = self._find(None if log is None else log.at, "log.at")
        self._order = self._find(None if log is None else log.order, "log.order")
        self._state = self._find(None if log is None else log.state, "log.state")
        self._kind = self._word(ticket.kind, "ticket.kind", TicketKind)
        self._priority = self._word(ticket.priority, "ticket.priority", Priority)
        self._source = self._word(ticket.source, "ticket.source", Source)
        self._category = self._text(ticket.category, "ticket.category")
        self._reporter = self._text(ticket.reporter, "ticket.reporter")
        self._summary = self._text(ticket.summary, "ticket.summary")
        self._facts = list(self._fact_columns())

    def decode(self, batch: Batch) -> Decoded:
        """Rows, facts and rejects of a batch; a fact that adjacent rows repeat is told once."""
        done = Decoded([], [], [Reject(t.number, t.reason, [t.text]) for t in batch.torn])
        seen: set[tuple[str, int, datetime]] = set()
        for number, cells in zip(batch.numbers, zip(*batch.columns, strict=True), strict=True):
            try:
                row, told = self._row(number, cells)
            except Unfit as unfit:
                done.rejects.append(Reject(number, str(unfit), cells))
                continue
            done.rows.append(row)
            for fact in told:
                mark = (fact.key, fact.spec, fact.at)
                if mark not in seen or fact.body is not None:
                    seen.add(mark)
                    done.told.append(fact)
        return done

    def _row(self, number: int, cells: Sequence[Cell]) -> tuple[Row, list[Told]]:
        key = _plain(self._said(cells[self._key]) or "")
        if not key:
            raise Unfit("no key: the ticket has no number")
        if len(key) > LONGEST_KEY or "\0" in key:
            raise Unfit(f"a key of more than {LONGEST_KEY} characters, or with a NUL in it")
        opened = self._at(cells, self._opened)
        row_at = self._at(cells, self._row_at)
        if opened is None and self._opened is not None:
            raise Unfit("the ticket's opening is empty")
        if row_at is None and self._row_at is not None:
            raise Unfit("the row's instant is empty")
        if opened is not None and row_at is not None:
            row_at = self._after(opened, row_at, "the row")
        row = Row(
            number,
            key,
            row_at,
            self._rank(cells),
            opened,
            self._at(cells, self._agreed),
            self._kind(cells) or "",
            self._category(cells),
            self._priority(cells) or "",
            self._source(cells) or "",
            self._reporter(cells) or "",
            self._summary(cells) or "",
            self._meaning(cells),
        )
        if not row.summary or not row.reporter:
            raise Unfit("no summary" if row.reporter else "no reporter")
        return row, list(self._told(number, key, opened, cells))

    def _told(
        self, number: int, key: str, opened: datetime | None, cells: Sequence[Cell]
    ) -> Iterator[Told]:
        for spec, kind, at, when, body in self._facts:
            if when and not all(self._said(cells[i]) in words for i, words in when):
                continue
            said = self._at(cells, at)
            if said is None:
                continue
            moved = said if opened is None else self._after(opened, said, kind)
            text = body(cells) if body else None
            if body is None or text is not None:
                yield Told(number, key, spec, moved, None if moved == said else said, text)

    def _after(self, opened: datetime, said: datetime, what: str) -> datetime:
        """The instant, moved to the opening when a clock that ran slow put it before."""
        if said >= opened:
            return said
        if opened - said > self._skew:
            raise Unfit(f"{what} is {opened - said} before the opening")
        return opened

    def _said(self, cell: Cell) -> str | None:
        if cell is None:
            return None
        text = cell.strip() if isinstance(cell, str) else str(cell)
        return None if text in self._nulls else text

    def _at(self, cells: Sequence[Cell], index: int | None) -> datetime | None:
        if index is None:
            return None
        cell = cells[index]
        if isinstance(cell, str):
            cell = self._said(cell)
        return None if cell is None else self._instant(cell)

    def _rank(self, cells: Sequence[Cell]) -> int:
        if self._order is None:
            return 0
        said = _plain(self._said(cells[self._order]) or "0")
        if not said.removeprefix("-").isdecimal() or len(said) > 18:
            raise Unfit(f"not a whole number: {said[:80]!r}")
        return int(said)

    def _meaning(self, cells: Sequence[Cell]) -> str | None:
        if self._state is None:
            return None
        said = self._said(cells[self._state])
        if said is None:
            return None
        meaning = self._profile.states.get(said) or self._profile.states.get(_plain(said))
        if meaning is None:
            raise Unfit(f"unknown state: {said[:80]!r}")
        return None if meaning == "ignore" else meaning

    def _need(self, column: Column, where: str) -> int:
        index = self._look_up(column)
        if index is None:
            wanted = " or ".join([column] if isinstance(column, str) else column)
            raise Refused(
                Code.INVALID,
                f"Profile {self._profile.name}, {where}: the file has no column {wanted}; "
                f"it has {', '.join(self._header.values())}.",
                argument="file",
            )
        return index

    def _find(self, column: Column | None, where: str) -> int | None:
        return None if column is None else self._need(column, where)

    def _look_up(self, column: Column) -> int | None:
        for name in [column] if isinstance(column, str) else column:
            found = self._header.get(_folded(name))
            if found is not None:
                if found not in self.names:
                    self.names.append(found)
                return self.names.index(found)
        return None

    def _text(self, value: str | Value | None, where: str) -> Take:
        if value is None or isinstance(value, str):
            return lambda _cells: value
        index = self._need(value.column, where)
        words, otherwise = value.map, value.otherwise

        def take(cells: Sequence[Cell]) -> str | None:
            said = self._said(cells[index])
            if said is None:
                return otherwise
            if words:
                return words.get(said) or words.get(_plain(said)) or otherwise
            if len(said) > LONGEST_TEXT:
                raise Unfit(f"{where}: a text of more than {LONGEST_TEXT:,} characters")
            if "\0" in said:
                raise Unfit(f"{where}: a NUL character in the text")
            return said

        return take

    def _word(
        self,
        value: str | Value,
        where: str,
        allowed: type[TicketKind | Priority | Source],
    ) -> Take:
        """A text that must be one of the allowed words."""
        take = self._text(value, where)
        known: Mapping[str | None, str] = {str(word): str(word) for word in allowed}
        if isinstance(value, str):
            return take
        index, name = self._need(value.column, where), where.removeprefix("ticket.")

        def word(cells: Sequence[Cell]) -> str:
            found = known.get(take(cells))
            if found is None:
                said = self._said(cells[index])
                raise Unfit(f"no {name}" if said is None else f"unknown {name}: {said[:80]!r}")
            return found

        return word

    def _fact_columns(
        self,
    ) -> Iterator[tuple[int, str, int, list[tuple[int, frozenset[str]]], Take | None]]:
        spec = -1
        for spec, fact in enumerate(self._profile.facts):
            where = f"facts[{spec}]"
            if fact.optional and self._look_up(fact.at) is None:
                continue
            yield (
                spec,
                fact.kind,
                self._need(fact.at, f"{where}.at"),
                self._when(fact.when, where),
                None,
            )
        for extra, update in enumerate(self._profile.updates):
            where = f"updates[{extra}]"
            body = self._text(update.body, f"{where}.body")
            at = self._need(update.at, f"{where}.at")
            yield spec + 1 + extra, "the update", at, self._when(update.when, where), body

    def _when(
        self, when: Mapping[str, str | list[str]], where: str
    ) -> list[tuple[int, frozenset[str]]]:
        return [
            (
                self._need(column, f"{where}.when"),
                frozenset([words] if isinstance(words, str) else words),
            )
            for column, words in when.items()
        ]


def _folded(name: str) -> str:
    """A column's name as it is compared: `On Scene DtTm` and `on_scene_dttm` are the same column."""
    return re.sub(r"[^0-9a-z]+", "_", name.strip().lstrip("\ufeff").lower()).strip("_")


def _plain(text: str) -> str:
    """A whole number that a spreadsheet wrote as 45.0, as the 45 that it is."""
    return text[:-2] if text.endswith(".0") and text[:-2].isdecimal() else text
