"""Photos as phones take them: scenes from a seed, with the camera data and the small image of a camera."""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

LAT, LON = 51.92, 4.48
METRE = 1 / 111_195
ZONE = ZoneInfo("Europe/Amsterdam")
SIZE = (320, 240)


def scene(seed: object, size: tuple[int, int] = SIZE) -> Image.Image:
    """What is in front of a camera: sky, ground, and some things of all shapes, not quite sharp, with noise."""
    rng = Random(str(seed))
    width, height = size
    image = Image.linear_gradient("L").resize(size).rotate(rng.choice([0, 90, 180, 270]))
    image = ImageOps.colorize(image.resize(size), black=_colour(rng), white=_colour(rng))
    draw = ImageDraw.Draw(image)
    for _ in range(rng.randint(14, 30)):
        left, top = rng.randint(-40, width), rng.randint(-40, height)
        box = (left, top, left + rng.randint(10, width // 2), top + rng.randint(10, height // 2))
        rng.choice([draw.rectangle, draw.ellipse])(box, fill=_colour(rng))
    return noisy(image.filter(ImageFilter.GaussianBlur(0.8)), rng)


def noisy(image: Image.Image, rng: Random, strength: float = 0.04) -> Image.Image:
    """The image with the noise of a sensor."""
    noise = Image.frombytes("L", image.size, rng.randbytes(image.width * image.height))
    return Image.blend(image, noise.convert("RGB"), strength)


def again(image: Image.Image, rng: Random) -> Image.Image:
    """The same view on another day: held a little otherwise, in other light, with things that came and went."""
    width, height = image.size
    across, down = rng.uniform(0.06, 0.15) * width, rng.uniform(0.06, 0.15) * height
    left, top = rng.uniform(0, across), rng.uniform(0, down)
    box = (round(left), round(top), round(width - across + left), round(height - down + top))
    turned = image.rotate(rng.uniform(-6, 6), Image.Resampling.BILINEAR).crop(box)
    found = ImageEnhance.Brightness(turned.resize((width, height))).enhance(rng.uniform(0.6, 1.4))
    draw = ImageDraw.Draw(found)
    for _ in range(rng.randint(2, 4)):
        x, y = rng.randint(0, width - 30), rng.randint(0, height - 30)
        box = (x, y, x + rng.randint(30, 80), y + rng.randint(30, 80))
        draw.ellipse(box, fill=_colour(rng))
    return noisy(found, rng)


def _colour(rng: Random) -> tuple[int, int, int]:
    return rng.randrange(256), rng.randrange(256), rng.randrange(256)


@dataclass(frozen=True)
class Camera:
    """What a phone writes into a photo; None leaves it out."""

    taken_at: datetime | None = None
    zone: bool = True
    satellite_at: datetime | None = None
    lat: float | None = LAT
    lon: float | None = LON
    software: str | None = None
    orientation: int | None = None
    fraction: str | None = "123"
    serial: str = "R58N-001"
    make: str = "Fairphone"

    def exif(self, thumbnail: Image.Image | None) -> bytes:
        """The camera data as they stand in a file, with a small image."""
        exif = Image.Exif()
        exif[271], exif[272] = self.make, "FP5"
        if self.software is not None:
            exif[305] = self.software
        if self.orientation is not None:
            exif[274] = self.orientation
        more: dict[int, Any] = {42033: self.serial}
        if self.taken_at is not None:
            local = self.taken_at.astimezone(ZONE)
            more[36867] = f"{local:%Y:%m:%d %H:%M:%S}"
            if self.zone:
                offset = f"{local:%z}"
                more[36881] = f"{offset[:3]}:{offset[3:]}"
        if self.fraction is not None:
            more[37521] = self.fraction
        exif.get_ifd(0x8769).update(more)
        gps: dict[int, Any] = {}
        if self.lat is not None and self.lon is not None:
            gps |= {1: "N" if self.lat >= 0 else "S", 2: _degrees(self.lat)}
            gps |= {3: "E" if self.lon >= 0 else "W", 4: _degrees(self.lon)}
        if self.satellite_at is not None:
            at = self.satellite_at.astimezone(UTC)
            gps |= {29: f"{at:%Y:%m:%d}", 7: (at.hour, at.minute, at.second)}
        exif.get_ifd(0x8825).update(gps)
        data = exif.tobytes()
        return data if thumbnail is None else with_thumbnail(data, thumbnail)


def _degrees(value: float) -> tuple[float, float, float]:
    whole = abs(value)
    minutes = whole % 1 * 60
    return float(int(whole)), float(int(minutes)), round(minutes % 1 * 60, 4)


def with_thumbnail(data: bytes, image: Image.Image) -> bytes:
    """Camera data with a small image of 160 × 120 behind them, as cameras write one: in a directory of its own."""
    small = BytesIO()
    ImageOps.pad(image.convert("RGB"), (160, 120)).save(small, "JPEG", quality=70)
    head, tiff = data[:6], bytearray(data[6:])
    order = "<" if tiff.startswith(b"II") else ">"
    first = struct.unpack_from(order + "L", tiff, 4)[0]
    entries = struct.unpack_from(order + "H", tiff, first)[0]
    struct.pack_into(order + "L", tiff, first + 2 + 12 * entries, len(tiff))
    start = len(tiff) + 2 + 12 * 3 + 4
    directory = struct.pack(order + "H", 3)
    directory += struct.pack(order + "HHLHH", 0x0103, 3, 1, 6, 0)
    directory += struct.pack(order + "HHLL", 0x0201, 4, 1, start)
    directory += struct.pack(order + "HHLL", 0x0202, 4, 1, len(small.getvalue()))
    return head + bytes(tiff) + directory + struct.pack(order + "L", 0) + small.getvalue()


def jpeg(
    image: Image.Image,
    camera: Camera | None,
    *,
    quality: int = 92,
    thumbnail_of: Image.Image | None = None,
    thumbnail: bool = True,
) -> bytes:
    """A photo as it is uploaded; `thumbnail_of` is the image that the small one shows, where that is another."""
    out = BytesIO()
    exif = b"" if camera is None else camera.exif((thumbnail_of or image) if thumbnail else None)
    image.save(out, "JPEG", quality=quality, exif=exif)
    return out.getvalue()
