"""Decode an image completely, read what the camera wrote, and make a copy and a thumbnail without it."""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image, ImageOps

from domain.media import traits
from domain.media.refusals import NotAccepted

MAX_PIXELS = 50_000_000
THUMBNAIL_PX = 480
_FORMATS = {"image/jpeg": ("JPEG", "MPO"), "image/png": ("PNG",), "image/webp": ("WEBP",)}
_OPTIONS: dict[str, dict[str, Any]] = {
    "image/jpeg": {"format": "JPEG", "quality": 90},
    "image/png": {"format": "PNG", "compress_level": 3},
    "image/webp": {"format": "WEBP", "quality": 88, "method": 2},
}
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")
_UNREADABLE = (ValueError, TypeError, KeyError, IndexError, ZeroDivisionError, OverflowError)


def inspect(source: Path, media_type: str, copy: Path, thumbnail: Path) -> dict[str, Any]:
    """Decode an image and write its copies; return size and camera data. Raises anything when it is broken."""
    Image.MAX_IMAGE_PIXELS = None  # the size is checked here, before anything is decoded
    with Image.open(source, formats=_FORMATS[media_type]) as image:
        if image.width * image.height > MAX_PIXELS:
            raise NotAccepted(f"An image may have {MAX_PIXELS // 1_000_000} megapixels at most.")
        if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
            raise NotAccepted("It is an animation; send one image.")
        image.load()
        exif, size = image.getexif(), image.size
        found = _camera_data(exif)
        raw, grey = bytes(image.info.get("exif", b"")), traits.small(image)
        upright: Image.Image = ImageOps.exif_transpose(image)
    _save_copy(upright, media_type, copy)
    found |= {"width_px": upright.width, "height_px": upright.height}
    upright.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    found |= traits.traits_of(grey, upright, exif, raw, size)
    _flat(upright).save(thumbnail, format="JPEG", quality=80)
    return found


def _save_copy(image: Image.Image, media_type: str, copy: Path) -> None:
    """Write the pixels only: encoders take metadata from `info`."""
    image.info = {key: value for key, value in image.info.items() if key == "transparency"}
    if media_type == "image/jpeg" and image.mode not in {"L", "RGB"}:
        image.convert("RGB").save(copy, **_OPTIONS[media_type])
    else:
        image.save(copy, **_OPTIONS[media_type])


def _flat(image: Image.Image) -> Image.Image:
    """Return the image on white when it is transparent, in the colours of JPEG."""
    if image.mode not in {"RGBA", "LA", "PA"} and "transparency" not in image.info:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    white = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(white, layer).convert("RGB")


def _camera_data(exif: Image.Exif) -> dict[str, Any]:
    taken = _taken(exif)
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    satellite = _by_gps(gps)
    place = _place(gps)
    words = [_text(exif.get(tag)) for tag in (ExifTags.Base.Make, ExifTags.Base.Model)]
    camera = " ".join(word for word in words if word)
    return {
        "taken_local": None if taken is None else taken.isoformat(),
        "satellite_at": None if satellite is None else satellite.isoformat(),
        "lat": None if place is None else place[0],
        "lon": None if place is None else place[1],
        "camera": camera or None,
    }


def _taken(exif: Image.Exif) -> datetime | None:
    """Return when the image was taken: with an offset when the camera wrote one, or the time of GPS, which is UTC."""
    with suppress(*_UNREADABLE):
        more = exif.get_ifd(ExifTags.IFD.Exif)
        told = _text(more.get(ExifTags.Base.DateTimeOriginal)) or _text(
            exif.get(ExifTags.Base.DateTime)
        )
        local = datetime.strptime(told, "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 - a camera's clock has no zone
        offset = _OFFSET.fullmatch(_text(more.get(ExifTags.Base.OffsetTimeOriginal)))
        if offset is not None:
            sign, hours, minutes = offset.groups()
            ahead = timedelta(hours=int(hours), minutes=int(minutes))
            return local.replace(tzinfo=timezone(-ahead if sign == "-" else ahead))
        return _by_gps(exif.get_ifd(ExifTags.IFD.GPSInfo)) or local
    return None


def _by_gps(gps: dict[int, Any]) -> datetime | None:
    with suppress(*_UNREADABLE):
        day = datetime.strptime(_text(gps[ExifTags.GPS.GPSDateStamp]), "%Y:%m:%d")  # noqa: DTZ007 - replaced below
        hours, minutes, seconds = map(float, gps[ExifTags.GPS.GPSTimeStamp])
        clock = timedelta(hours=hours, minutes=minutes, seconds=int(seconds))
        return day.replace(tzinfo=UTC) + clock
    return None


def _place(gps: dict[int, Any]) -> tuple[float, float] | None:
    with suppress(*_UNREADABLE):
        lat = _degrees(gps[ExifTags.GPS.GPSLatitude], gps[ExifTags.GPS.GPSLatitudeRef], "S")
        lon = _degrees(gps[ExifTags.GPS.GPSLongitude], gps[ExifTags.GPS.GPSLongitudeRef], "W")
        if abs(lat) <= 90 and abs(lon) <= 180:  # false for what is no number
            return lat, lon
    return None


def _degrees(parts: Any, ref: Any, negative: str) -> float:
    degrees, minutes, seconds = map(float, parts)
    value = degrees + minutes / 60 + seconds / 3600
    return -value if _text(ref).upper() == negative else value


def _text(value: Any) -> str:
    raw = value.decode(errors="replace") if isinstance(value, bytes) else value
    return str(raw).strip("\0 ") if raw is not None else ""
