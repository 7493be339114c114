"""Read a PDF document completely, and refuse one that does more than show pages."""

from pathlib import Path
from typing import Any

from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

from domain.media.refusals import NotAccepted

MAX_PAGES, MAX_OBJECTS = 1_000, 200_000
_ACTIVE = {
    "/JavaScript": "code",
    "/JS": "code",
    "/Launch": "an action that starts a program",
    "/SubmitForm": "an action that sends data",
    "/ImportData": "an action that reads data",
    "/RichMedia": "media that run code",
    "/XFA": "a form with code",
    "/EmbeddedFile": "another file",
    "/EmbeddedFiles": "another file",
}


def must_be_harmless(source: Path) -> None:
    """Refuse a document that is broken, encrypted, too long, or active: with code, actions or files inside."""
    reader = PdfReader(source)
    if reader.is_encrypted:
        raise NotAccepted("It is encrypted.")
    if not 1 <= len(reader.pages) <= MAX_PAGES:
        raise NotAccepted(f"A document has 1 to {MAX_PAGES:,} pages.")
    _must_be_passive(reader)


def _must_be_passive(reader: PdfReader) -> None:
    """Look at every object that can be reached; the contents of streams are not decoded."""
    seen: set[tuple[int, int]] = set()
    ahead: list[Any] = [reader.trailer]
    looked = 0
    while ahead:
        one = ahead.pop()
        if isinstance(one, IndirectObject):
            key = (one.idnum, one.generation)
            if key in seen:
                continue
            seen.add(key)
            one = one.get_object()
        looked += 1
        if looked > MAX_OBJECTS:
            raise NotAccepted("It has too many parts.")
        if isinstance(one, DictionaryObject):
            for name in (*one.keys(), one.get("/S"), one.get("/Type")):
                if isinstance(name, str) and name in _ACTIVE:
                    raise NotAccepted(f"It contains {_ACTIVE[name]}.")
            ahead += [one.raw_get(name) for name in one]
        elif isinstance(one, ArrayObject):
            ahead += list.__iter__(one)
