"""Documents: pages and pictures set by typst from templates and data."""

from domain.documents.typesetting import pdf, pictures

__all__ = ["pdf", "pictures"]
