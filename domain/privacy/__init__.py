"""Personal data: show a person everything, forget a person, keep nothing longer than needed."""

from domain.privacy.actions import erase, export, request_erasure
from domain.privacy.rules import ERASED, Person, Retention

__all__ = ["ERASED", "Person", "Retention", "erase", "export", "request_erasure"]
