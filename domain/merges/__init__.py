"""Merges: a site or contact that was recorded twice becomes one, and whatever named either leads to it."""

from domain.merges.actions import merge_contacts, merge_sites
from domain.merges.references import CONTACTS, SITES, MergeTreatment

__all__ = ["CONTACTS", "SITES", "MergeTreatment", "merge_contacts", "merge_sites"]
