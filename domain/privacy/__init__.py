"""Personal data: export, erasure and retention."""

from domain.privacy.actions import erase, export, request_erasure
from domain.privacy.rules import ERASED, Person, Retention

__all__ = ["ERASED", "Person", "Retention", "erase", "export", "request_erasure"]
