"""Reports of shifts follow shifts."""

from domain.occurrences.reporting import expect_report

AFTER_SHIFT = expect_report
