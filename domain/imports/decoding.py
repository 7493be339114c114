"""Decode rows of a file: find columns, translate words, convert times, refuse invalid values."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from unicodedata import normalize
from uuid import UUID

from domain.agreements.model import Priority, TicketKind
from domain.core.errors import Code, Refused
from domain.imports.column_file import Cell, MalformedRow, RowBatch
from domain.imports.durations import duration_of
from domain.imports.facts import FactAt, Take, fact_columns, staged_fact
from domain.imports.mapping import Column, Profile, Value
from domain.imports.row_target import AccountsAndSites
from domain.imports.staged import Decoded, Reject, Row, StagedFact
from domain.imports.timestamps import LAST, TOLERANCE, Instant, Instants, InvalidValue
from domain.incidents.model import PauseCause, Source

LONGEST_KEY = 200  # characters; the key is part of an index
LONGEST_TEXT = 20_000


class Decoder:
    """A profile applied to the columns that a file really has."""

    def __init__(
        self,
        profile: Profile,
        header: Sequence[str],
        *,
        places: AccountsAndSites | None = None,
        at: datetime = LAST,
    ) -> None:
        """Find the columns; refuse a file without one that the profile needs. `at` is now."""
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
        self._service = self._text(ticket.service, "ticket.service")
        self._reporter = self._text(ticket.reporter, "ticket.reporter")
        self._summary = self._text(ticket.summary, "ticket.summary")
        self._places = places or AccountsAndSites.only(UUID(int=0), UUID(int=0))
        self._account = self._name(profile.into.account, "into.account")
        self._site = self._name(profile.into.site, "into.site")
        self._latest = at + max(self._skew, TOLERANCE)
        self._facts = fact_columns(profile, self._look_up, self._need, self._text, self._word)

    def decode(self, batch: RowBatch) -> Decoded:
        """Decode the rows, facts and rejects of a batch; a fact that adjacent rows repeat is returned once."""
        done = Decoded([], [], [_torn(each) for each in batch.torn])
        seen: set[tuple[str, int, datetime]] = set()
        for number, cells in zip(batch.numbers, zip(*batch.columns, strict=True), strict=True):
            try:
                row, told = self._row(number, cells)
            except InvalidValue as unfit:
                done.rejects.append(Reject(number, str(unfit), cells))
                continue
            done.rows.append(row)
            for fact in told:
                mark = (fact.key, fact.spec, fact.at)
                if mark not in seen or fact.body is not None:
                    seen.add(mark)
                    done.told.append(fact)
        done.rejects.sort(key=lambda reject: reject.number)
        return done

    def _row(self, number: int, cells: Sequence[Cell]) -> tuple[Row, list[StagedFact]]:
        key = _plain(self._said(cells[self._key]) or "")
        if not key:
            raise InvalidValue("no key: the incident has no number")
        if len(key) > LONGEST_KEY or "\0" in key:
            raise InvalidValue(f"a key of more than {LONGEST_KEY} characters, or with a NUL in it")
        opened = self._at(cells, self._opened)
        row_at = self._at(cells, self._row_at)
        if opened is None and self._opened is not None:
            raise InvalidValue("the incident's opening is empty")
        if row_at is None and self._row_at is not None:
            raise InvalidValue("the row's instant is empty")
        opened_at = None if opened is None else opened.at
        stands_at = again = None
        if row_at is not None:
            stands_at = self._after(opened_at, row_at.after(opened_at), "the row")
            again = row_at.again if row_at.again != stands_at else None
        agreed = self._at(cells, self._agreed, is_planned=True)
        account_id, site_id = self._place(cells)
        row = Row(
            number,
            key,
            account_id,
            site_id,
            stands_at,
            again,
            self._rank(cells),
            opened_at,
            None if agreed is None else agreed.after(opened_at),
            self._kind(cells) or "",
            self._category(cells),
            self._service(cells),
            self._priority(cells) or "",
            self._source(cells) or "",
            self._reporter(cells) or "",
            self._summary(cells) or "",
            self._meaning(cells),
        )
        if not row.summary or not row.reporter:
            raise InvalidValue("no summary" if row.reporter else "no reporter")
        return row, list(self._told(number, key, opened_at, cells))

    def _place(self, cells: Sequence[Cell]) -> tuple[UUID, UUID]:
        return self._places.find(
            None if self._account is None else self._account(cells) or "",
            None if self._site is None else self._site(cells) or "",
        )

    def _told(
        self, number: int, key: str, opened: datetime | None, cells: Sequence[Cell]
    ) -> Iterator[StagedFact]:
        """Yield the row's facts, in the order in which they usually happen: it decides on ambiguous wall clocks."""
        latest = opened
        for fact in self._facts:
            if fact.when and not all(self._said(cells[i]) in words for i, words in fact.when):
                continue
            said = self._instant_of(fact, cells, opened, latest)
            if said is None:
                continue
            moved = self._after(opened, said, fact.kind)
            latest = moved if latest is None else max(latest, moved)
            body = fact.body(cells) if fact.body else None
            words = fact.words(cells) if fact.words else None
            if fact.body is not None and body is None:
                if fact.kind == "incident.updated":
                    continue
                raise InvalidValue(f"{fact.kind}: no {fact.field}")
            if fact.kind == "incident.reassigned" and words is None:
                raise InvalidValue("incident.reassigned: nobody to reassign to")
            yield staged_fact(
                fact, number, key, moved, None if moved == said else said, body=body, words=words
            )

    def _instant_of(
        self, fact: FactAt, cells: Sequence[Cell], opened: datetime | None, latest: datetime | None
    ) -> datetime | None:
        if fact.unit is None:
            found = self._at(cells, fact.at)
            return None if found is None else found.after(latest)
        said = self._said(cells[fact.at])
        if said is None or opened is None:
            return None
        at = opened + duration_of(said, fact.unit)
        if at > self._latest:
            raise InvalidValue(f"{fact.kind} lies ahead: {at:%Y-%m-%d %H:%M} UTC")
        return at

    def _after(self, opened: datetime | None, said: datetime, what: str) -> datetime:
        """Return the time, moved to the opening when a slow clock put it shortly before."""
        if opened is None or said >= opened:
            return said
        if opened - said > self._skew:
            raise InvalidValue(f"{what} is {opened - said} before the opening")
        return opened

    def _said(self, cell: Cell) -> str | None:
        if cell is None:
            return None
        text = cell.strip() if isinstance(cell, str) else str(cell)
        return None if text in self._nulls else text

    def _at(
        self, cells: Sequence[Cell], index: int | None, *, is_planned: bool = False
    ) -> Instant | None:
        if index is None:
            return None
        cell = cells[index]
        if isinstance(cell, str):
            cell = self._said(cell)
        if cell is None:
            return None
        found = self._instant(cell)
        if not is_planned and found.at > self._latest:
            raise InvalidValue(f"lies ahead: {cell}")
        return found

    def _rank(self, cells: Sequence[Cell]) -> int:
        if self._order is None:
            return 0
        said = _plain(self._said(cells[self._order]) or "0")
        if not said.removeprefix("-").isdecimal() or len(said) > 18:
            raise InvalidValue(f"not a whole number: {said[:80]!r}")
        return int(said)

    def _meaning(self, cells: Sequence[Cell]) -> str | None:
        if self._state is None:
            return None
        said = self._said(cells[self._state])
        if said is None:
            return None
        meaning = self._profile.states.get(said) or self._profile.states.get(_plain(said))
        if meaning is None:
            raise InvalidValue(f"unknown state: {said[:80]!r}")
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

    def _name(self, value: str | Value, where: str) -> Take | None:
        """Return the name of an account or a site in a column; one that is not in the map is used unchanged."""
        if isinstance(value, str):
            return None
        index, names, otherwise = self._need(value.column, where), value.map, value.otherwise

        def take(cells: Sequence[Cell]) -> str | None:
            said = self._said(cells[index])
            if said is None:
                return otherwise
            plain = _plain(said)
            return names.get(said) or names.get(plain) or plain

        return take

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
                raise InvalidValue(f"{where}: a text of more than {LONGEST_TEXT:,} characters")
            if "\0" in said:
                raise InvalidValue(f"{where}: a NUL character in the text")
            return said

        return take

    def _word(
        self,
        value: str | Value,
        where: str,
        allowed: type[TicketKind | Priority | Source | PauseCause],
    ) -> Take:
        """Return a text that must be one of the allowed words."""
        take = self._text(value, where)
        known: Mapping[str | None, str] = {str(word): str(word) for word in allowed}
        if isinstance(value, str):
            return take
        index, name = self._need(value.column, where), where.removeprefix("ticket.")

        def word(cells: Sequence[Cell]) -> str:
            found = known.get(take(cells))
            if found is None:
                said = self._said(cells[index])
                raise InvalidValue(
                    f"no {name}" if said is None else f"unknown {name}: {said[:80]!r}"
                )
            return found

        return word


def _torn(torn: MalformedRow) -> Reject:
    text = f": {torn.text.rstrip()!r}" if torn.text else ""
    return Reject(torn.number, f"{torn.reason}{text}", ())


def _folded(name: str) -> str:
    """Normalize a column's name: `On Scene DtTm` and `on_scene_dttm` are the same column."""
    plain = normalize("NFKC", name).strip().lstrip("\ufeff").casefold()
    return re.sub(r"[\W_]+", "_", plain).strip("_")


def _plain(text: str) -> str:
    """Return a whole number that a spreadsheet wrote as 45.0 as 45."""
    return text[:-2] if text.endswith(".0") and text[:-2].isdecimal() else text
