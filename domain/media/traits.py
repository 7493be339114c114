"""Read what tells photos apart: a hash of what they show, the small image of the camera, and who wrote the file."""

import hashlib
from contextlib import suppress
from io import BytesIO
from typing import Any

from PIL import ExifTags, Image

_COLUMNS, _ROWS = 9, 8
_LEAST_CONTRAST = 12
"""Between the darkest and the lightest part; below, an image is nearly one colour and its hash is noise."""
_SMALL = (288, 288)
_UNREADABLE = (ValueError, TypeError, KeyError, IndexError, OSError, SyntaxError, OverflowError)
_OF_IMAGE = (ExifTags.Base.Make, ExifTags.Base.Model)
_OF_CAMERA = (
    ExifTags.Base.BodySerialNumber,
    ExifTags.Base.ImageUniqueID,
    ExifTags.Base.DateTimeOriginal,
    ExifTags.Base.SubsecTimeOriginal,
)
_OF_PLACE = (
    ExifTags.GPS.GPSLatitude,
    ExifTags.GPS.GPSLongitude,
    ExifTags.GPS.GPSDateStamp,
    ExifTags.GPS.GPSTimeStamp,
)
_PROCESSING_SOFTWARE = 0x000B


def small(image: Image.Image) -> Image.Image:
    """Return a small grey copy of a decoded image, as it is stored: not turned."""
    return image.convert("L").resize(_SMALL, Image.Resampling.BOX)


def traits_of(
    image: Image.Image, upright: Image.Image, exif: Image.Exif, raw: bytes, size: tuple[int, int]
) -> dict[str, Any]:
    """Describe a photo: `image` as `small` returns it, `upright` as it is shown, `size` of the stored pixels.

    `raw` are the bytes of the camera data, which hold the camera's small image.
    """
    stored = difference_hash(image)
    bits = None
    within = _thumbnail(exif, raw, size)
    if within is not None and stored is not None:
        shown = difference_hash(within)
        bits = 64 if shown is None else (shown ^ stored).bit_count()
    more = exif.get_ifd(ExifTags.IFD.Exif)
    exact = bool(more.get(ExifTags.Base.SubsecTimeOriginal))
    return {
        "difference_hash": difference_hash(upright),
        "has_thumbnail": within is not None,
        "thumbnail_bits": bits,
        "software": _software(exif),
        "stamp": _stamp(exif, more),
        "stamp_is_exact": exact,
    }


def difference_hash(image: Image.Image) -> int | None:
    """Return 64 bits, one for each part of an image that is lighter than its left neighbour; None for one colour."""
    grey = image.convert("L").resize((_COLUMNS, _ROWS), Image.Resampling.BOX)
    values = grey.tobytes()
    if max(values) - min(values) < _LEAST_CONTRAST:
        return None
    found = 0
    for row in range(_ROWS):
        for column in range(_COLUMNS - 1):
            left = row * _COLUMNS + column
            found = found << 1 | (values[left + 1] > values[left])
    return found


def _thumbnail(exif: Image.Exif, raw: bytes, size: tuple[int, int]) -> Image.Image | None:
    """Return the small image that a camera wrote, without the bars that fill it up to its own shape."""
    with suppress(*_UNREADABLE):
        where = exif.get_ifd(ExifTags.IFD.IFD1)
        first, length = int(where[0x0201]), int(where[0x0202])
        data = raw.removeprefix(b"Exif\0\0")[first : first + length]
        with Image.open(BytesIO(data), formats=("JPEG",)) as found:
            if found.width > 1024 or found.height > 1024:
                return None
            found.load()
            return _cropped(found, size)
    return None


def _cropped(found: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Cut the middle out of a small image in the shape of the large one."""
    shape = size[0] / size[1]
    width = min(found.width, round(found.height * shape))
    height = min(found.height, round(found.width / shape))
    left, top = (found.width - width) // 2, (found.height - height) // 2
    return found.crop((left, top, left + max(1, width), top + max(1, height)))


def _software(exif: Image.Exif) -> str | None:
    words = [exif.get(ExifTags.Base.Software), exif.get(_PROCESSING_SOFTWARE)]
    told = " ".join(_text(each) for each in words if each)
    return told[:200] or None


def _stamp(exif: Image.Exif, more: dict[int, Any]) -> str | None:
    """Return a hash of what a camera writes anew into each photo; None without the time of the photo."""
    if not more.get(ExifTags.Base.DateTimeOriginal):
        return None
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    parts = [
        *(_text(exif.get(tag)) for tag in _OF_IMAGE),
        *(_text(more.get(tag)) for tag in _OF_CAMERA),
        *(_text(gps.get(tag)) for tag in _OF_PLACE),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _text(value: Any) -> str:
    raw = value.decode(errors="replace") if isinstance(value, bytes) else value
    return str(raw).strip("\0 ") if raw is not None else ""
