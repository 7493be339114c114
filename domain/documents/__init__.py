"""Documents: pages and images made by typst from templates and data."""

from domain.documents.language import LANGUAGES, Language
from domain.documents.typesetting import pdf, pictures

__all__ = [
    "LANGUAGES",
    "Language",
    "pdf",
    "pictures",
]
