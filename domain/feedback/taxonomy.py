"""Words of themes by company: a version for each change, in force from an instant on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Right, Tx
from domain.core.base import uuid7
from domain.core.errors import Code, Refused
from domain.feedback.events import ThemeWordsRevised
from domain.feedback.model import ThemeTaxonomy, changes_of
from domain.feedback.rules import (
    DRIVERS,
    LONGEST,
    MOST_WORDS,
    ThemeWords,
    is_theme_word,
    merged,
    revised,
)
from domain.sentiment import TAXONOMY, TAXONOMY_VERSION, Theme


@dataclass(frozen=True, slots=True)
class ThemesInForce:
    """The words of all themes at an instant; `effective_at` is None for those that come with the program."""

    version: str
    effective_at: datetime | None
    words: dict[Theme, tuple[str, ...]]

    @property
    def themes(self) -> list[ThemeWords]:
        """The themes with their drivers."""
        return [ThemeWords(theme, DRIVERS[theme], self.words[theme]) for theme in Theme]


async def themes_in_force(session: AsyncSession, tenant_id: UUID, *, at: datetime) -> ThemesInForce:
    """Return the words of themes of a company at an instant."""
    row = await session.scalar(
        select(ThemeTaxonomy)
        .where(ThemeTaxonomy.tenant_id == tenant_id, ThemeTaxonomy.effective_at <= at)
        .order_by(ThemeTaxonomy.number.desc())
        .limit(1)
    )
    if row is None:
        return ThemesInForce(f"{TAXONOMY_VERSION}", None, dict(TAXONOMY))
    return ThemesInForce(
        f"{TAXONOMY_VERSION}.{row.number}", row.effective_at, merged(changes_of(row))
    )


async def revise_theme_words(
    tx: Tx,
    theme: Theme,
    *,
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
    effective_at: datetime | None = None,
) -> ThemeTaxonomy:
    """Add words to a theme of the company, or leave some out, for texts that are read from then on."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    tx.actor.must_access_all_accounts("Words of themes")
    added, removed = _words(add, "add"), _words(remove, "remove")
    if not added and not removed:
        raise Refused(Code.INVALID, "Name a word to add or to remove.", argument="add")
    if set(added) & set(removed):
        raise Refused(Code.INVALID, "A word is added or removed, not both.", argument="remove")
    since = effective_at or tx.at
    if since < tx.at:
        raise Refused(
            Code.TIME_REVERSED, "effectiveAt must not be in the past.", argument="effectiveAt"
        )
    await tx.session.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended(f"themes {tx.actor.tenant_id}", 0)))
    )
    last = await tx.session.scalar(
        select(ThemeTaxonomy)
        .where(ThemeTaxonomy.tenant_id == tx.actor.tenant_id)
        .order_by(ThemeTaxonomy.number.desc())
        .limit(1)
    )
    if last is not None and since < last.effective_at:
        raise Refused(
            Code.TIME_REVERSED,
            f"A later version is in force from {last.effective_at.isoformat()} on; name that time or a later one.",
            argument="effectiveAt",
        )
    before = changes_of(last)
    after = revised(before, theme, added, removed)
    _must_fit(after, theme)
    words_before, words_after = merged(before)[theme], merged(after)[theme]
    if words_before == words_after:
        raise Refused(Code.ALREADY_DONE, "The theme has these words already.", argument="add")
    row = ThemeTaxonomy(
        id=uuid7(),
        tenant_id=tx.actor.tenant_id,
        number=1 if last is None else last.number + 1,
        effective_at=since,
        made_at=tx.at,
        content=after,
    )
    tx.session.add(row)
    tx.record(
        ThemeWordsRevised(
            account_id=None,
            subject_id=row.id,
            at=tx.at,
            theme=theme,
            number=row.number,
            effective_at=since,
            before=sorted(set(words_before) - set(words_after)),
            after=sorted(set(words_after) - set(words_before)),
        )
    )
    await tx.session.flush()
    return row


def _words(given: Sequence[str], argument: str) -> list[str]:
    words = list(dict.fromkeys(" ".join(each.casefold().split()) for each in given))
    for word in words:
        if not is_theme_word(word):
            raise Refused(
                Code.INVALID,
                f"Words of themes have 2 to {LONGEST} characters and letters, no comma, and `$` at the end only.",
                argument=argument,
            )
    return words


def _must_fit(changes: dict[str, Any], theme: Theme) -> None:
    for part, argument in (("added", "add"), ("removed", "remove")):
        if len(changes[part].get(theme, ())) > MOST_WORDS:
            raise Refused(
                Code.TOO_MANY,
                f"A company may change at most {MOST_WORDS} words of a theme.",
                argument=argument,
            )
