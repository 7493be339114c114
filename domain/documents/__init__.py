"""Documents: pages and images made by typst from templates and data."""

from domain.documents.typesetting import pdf, pictures

__all__ = ["pdf", "pictures"]
