"""Documents: pages and images made by typst from templates and data."""

from domain.documents.language import LANGUAGES, Language
from domain.documents.typesetting import TEMPLATES, pdf, pictures

__all__ = [
    "LANGUAGES",
    "TEMPLATES",
    "Language",
    "pdf",
    "pictures",
]
