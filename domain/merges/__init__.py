"""Merges: a site or contact that was recorded twice becomes one, and whatever named either leads to it."""

from domain.merges.actions import merge_contacts, merge_sites
from domain.merges.references import CONTACTS, SITES, Treatment

__all__ = ["CONTACTS", "SITES", "Treatment", "merge_contacts", "merge_sites"]
