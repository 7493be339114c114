"""Media: check images and documents by decoding them completely, and copy images without metadata.

It runs as a program of its own (`python -m domain.media.decoder`), so it imports nothing that takes time to import.
"""

MEDIA_TYPES = ("image/jpeg", "image/png", "image/webp", "application/pdf")
"""What is accepted; everything else is refused."""

__all__ = ["MEDIA_TYPES"]
