"""Find the account and site of a row: those of the profile, or those that columns name."""

from collections.abc import Sequence
from typing import Self
from uuid import UUID

from domain.accounts.model import Account, Site
from domain.imports.timestamps import InvalidValue


class AccountsAndSites:
    """The accounts and sites of a company, by name, id and (accounts) KvK number."""

    def __init__(
        self,
        accounts: Sequence[Account],
        sites: Sequence[Site],
        *,
        account_id: UUID | None = None,
        site_id: UUID | None = None,
        site: object = None,
    ) -> None:
        """`account_id` and `site_id` are those of rows that name none; `site` is the name of one in each account."""
        self._account_id, self._site_id = account_id, site_id
        self._site = site if isinstance(site, str) else None
        self._accounts: dict[str, UUID] = {}
        self._sites: dict[tuple[UUID, str], UUID] = {}
        for account in accounts:
            for name in (account.name, str(account.id), account.kvk_number):
                if name:
                    self._accounts.setdefault(_folded(name), account.id)
        for each in sites:
            for name in (each.name, str(each.id)):
                self._sites.setdefault((each.account_id, _folded(name)), each.id)

    @classmethod
    def only(cls, account_id: UUID, site_id: UUID) -> Self:
        """Return one account and one site for all rows."""
        return cls((), (), account_id=account_id, site_id=site_id)

    def find(self, account: str | None, site: str | None) -> tuple[UUID, UUID]:
        """Return the account and the site of a row; None where the profile names it. Raises InvalidValue."""
        named = None if account is None else self._accounts.get(_folded(account))
        account_id = self._account_id if account is None else named
        if account_id is None:
            raise InvalidValue(f"unknown account: {account[:80]!r}" if account else "no account")
        site = self._site if site is None else site
        found = None if site is None else self._sites.get((account_id, _folded(site)))
        site_id = self._site_id if site is None else found
        if site_id is None:
            raise InvalidValue(f"unknown site: {site[:80]!r}" if site else "no site")
        return account_id, site_id


def _folded(name: str) -> str:
    """Normalize a name: compared without case and without blanks around it; inner blanks count as one."""
    return " ".join(name.split()).casefold()
