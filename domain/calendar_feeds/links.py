"""Signed links to calendars: who has one reads the shifts of one guard or one site, and does nothing else."""

from typing import ClassVar

from domain.core.signed_links import SignedLinks


class CalendarLinks(SignedLinks):
    """Links to calendars of shifts."""

    path: ClassVar[str] = "/calendars/"
    name: ClassVar[str] = "calendar"
    purpose: ClassVar[str] = "links of calendars"
