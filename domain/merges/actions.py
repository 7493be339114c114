"""Merge a site or a contact into another one of the same client."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, and_, func, select, update

from domain.access import Right, Tx
from domain.accounts.model import Contact, Site
from domain.agreements.model import Agreement, PromiseTerm, Terms
from domain.core.base import Base
from domain.core.changes import as_text, values_of
from domain.core.errors import Code, Refused, must_be_current
from domain.core.text_rules import must_be_text
from domain.merges.events import ContactMerged, SiteMerged
from domain.merges.references import CONTACTS, SITES, MergeTreatment, Reference
from domain.posts.model import Post

PERSONAL = ("email", "phone", "seniority", "tone", "cultural_notes", "internal_owner_id")
"""Values of a contact that the one that stays takes over where it has none."""


async def merge_sites(
    tx: Tx, site_id: UUID, *, into_id: UUID, reason: str, expected_version: int | None = None
) -> Site:
    """Merge a site into another one of the same client; return the one that stays.

    Refused while terms that are or will be in force name the site, and where both have a post of one name.
    """
    gone: Site
    kept: Site
    gone, kept = await _pair(tx, Site, site_id, into_id, "site", reason, expected_version)
    await _must_not_be_agreed(tx, gone)
    await _must_have_other_posts(tx, gone, kept)
    moved, stayed = await _point(tx, SITES, gone.id, kept.id)
    before = {
        "name": gone.name, "lat": gone.lat, "lon": gone.lon, "fence_radius_m": gone.fence_radius_m,
    }  # fmt: skip
    gone.name = f"{gone.name} #{gone.id}"
    gone.fence_radius_m = gone.fence_outline = None
    gone.merged_into_id, gone.merged_at = kept.id, tx.at
    tx.record(
        SiteMerged(
            account_id=gone.account_id, subject_id=gone.id, at=tx.at,
            into_id=kept.id, reason=reason, moved=moved, stayed=stayed, before=before,
        )
    )  # fmt: skip
    await tx.session.flush()
    return kept


async def merge_contacts(
    tx: Tx, contact_id: UUID, *, into_id: UUID, reason: str, expected_version: int | None = None
) -> Contact:
    """Merge a contact into another one of the same client; return the one that stays, which keeps its own values."""
    gone: Contact
    kept: Contact
    gone, kept = await _pair(tx, Contact, contact_id, into_id, "contact", reason, expected_version)
    moved, stayed = await _point(tx, CONTACTS, gone.id, kept.id)
    before = as_text(values_of(gone, ["email", "phone", "wants_service_messages"]))
    taken = {
        name: value
        for name in PERSONAL
        if getattr(kept, name) is None and (value := getattr(gone, name)) is not None
    }
    if gone.last_contact_at is not None and (
        kept.last_contact_at is None or kept.last_contact_at < gone.last_contact_at
    ):
        taken["last_contact_at"] = gone.last_contact_at
    if kept.wants_service_messages and not gone.wants_service_messages:
        taken["wants_service_messages"] = False  # the person said no once
    gone.email = gone.phone = None
    gone.wants_service_messages = False
    gone.merged_into_id, gone.merged_at = kept.id, tx.at
    await tx.session.flush()  # an address belongs to one contact of an account at a time
    for name, value in taken.items():
        setattr(kept, name, value)
    tx.record(
        ContactMerged(
            account_id=gone.account_id, subject_id=gone.id, at=tx.at, into_id=kept.id, reason=reason,
            moved=moved, stayed=stayed, before=before, after=as_text(taken),
        )
    )  # fmt: skip
    await tx.session.flush()
    return kept


async def _pair(
    tx: Tx, kind: Any, id: UUID, into_id: UUID, noun: str, reason: str, expected_version: int | None
) -> tuple[Any, Any]:
    """Lock both rows in the order of their ids; refuse one row twice, and rows of two clients."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    rows = {}
    for each, argument in sorted([(id, "id"), (into_id, "intoId")]):
        rows[each] = await tx.get(kind, each, noun, argument=argument, lock=True)
    gone, kept = rows[id], rows[into_id]
    must_be_text(reason, "reason")
    if gone.id == kept.id:
        raise Refused(Code.INVALID, f"A {noun} is not merged into itself.", argument="intoId")
    if gone.account_id != kept.account_id:
        raise Refused(Code.INVALID, f"The {noun}s belong to two clients.", argument="intoId")
    must_be_current(gone.version, expected_version)
    return gone, kept


async def _must_not_be_agreed(tx: Tx, site: Site) -> None:
    found = await tx.session.scalar(
        select(Agreement.reference)
        .join(Terms, Terms.agreement_id == Agreement.id)
        .join(PromiseTerm, PromiseTerm.terms_id == Terms.id)
        .where(
            Agreement.account_id == site.account_id,
            PromiseTerm.site_ids.contains([site.id]),
            func.coalesce(func.upper(Terms.in_force) > tx.at, True),
        )
        .order_by(Agreement.reference)
        .limit(1)
    )
    if found is not None:
        words = f"Agreement {found} names this site. Agree on terms that do not, then merge."
        raise Refused(Code.INVALID, words, argument="id")


async def _must_have_other_posts(tx: Tx, gone: Site, kept: Site) -> None:
    own = select(Post.name).where(Post.site_id == gone.id)
    twin = select(Post.name).where(Post.site_id == kept.id, Post.name.in_(own)).order_by(Post.name)
    name = await tx.session.scalar(twin.limit(1))
    if name is not None:
        words = f"Both sites have a post {name}. Rename one of them first."
        raise Refused(Code.ALREADY_EXISTS, words, argument="id")


async def _point(
    tx: Tx, references: Mapping[str, Reference], gone: UUID, kept: UUID
) -> tuple[dict[str, int], dict[str, int]]:
    """Point what moves to the row that stays; return how many rows moved and stayed, by column."""
    moved, stayed = {}, {}
    for name, reference in references.items():
        table_name, column_name = name.split(".")
        table = Base.metadata.tables[table_name]
        column = table.c[column_name]
        is_list = isinstance(column.type, ARRAY)
        named = column.contains([gone]) if is_list else column == gone
        if reference.treatment is MergeTreatment.MOVED:
            value = func.array_replace(column, gone, kept) if is_list else kept
            change = update(table).where(named).values({column_name: value})
            if reference.unique is not None:
                other = table.alias()
                same = [
                    other.c[each].is_not_distinct_from(table.c[each]) for each in reference.unique
                ]
                taken = select(1).where(and_(other.c[column_name] == kept, *same)).correlate(table)
                change = change.where(~taken.exists())
            result: Any = await tx.session.execute(
                change.execution_options(synchronize_session=False)
            )
            if result.rowcount:
                moved[name] = result.rowcount
        left = await tx.session.scalar(select(func.count()).select_from(table).where(named))
        if left:
            stayed[name] = left
    return moved, stayed
