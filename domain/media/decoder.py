"""The process that decodes one file: `python -m domain.media.decoder SOURCE COPY THUMBNAIL` prints what it found."""

import json
import resource
import sys
import warnings
from pathlib import Path
from typing import Any

from domain.media.hidden_content import must_hide_nothing, sniff
from domain.media.refusals import NotAccepted

CPU_S, MEMORY_BYTES, FILE_BYTES = 30, 1 << 30, 200_000_000
"""Limits of the process. An image of the largest size needs 0.5 GiB: its pixels, and a turned copy of them."""


def main() -> None:
    """Check a file and write its copies; the report says what it is, or why it is refused."""
    source, copy, thumbnail = map(Path, sys.argv[1:])
    _limit()
    warnings.simplefilter("ignore")
    sys.stdout.write(json.dumps(_report(source, copy, thumbnail)))


def _report(source: Path, copy: Path, thumbnail: Path) -> dict[str, Any]:
    try:
        data = source.read_bytes()
        media_type = sniff(data)
        must_hide_nothing(data, source, media_type)
        if media_type == "application/pdf":
            from domain.media import pdf  # each library is loaded for its own files only

            pdf.must_be_harmless(source)
            return {"media_type": media_type}
        from domain.media import images

        return {
            "media_type": media_type,
            **images.inspect(source, media_type, copy, thumbnail),
        }
    except NotAccepted as no:
        return {"refused": str(no)}
    except MemoryError:
        return {"refused": "It needs too much memory to decode."}
    except Exception as error:  # noqa: BLE001 - decoders raise anything at a file that is broken
        return {"refused": f"It cannot be decoded ({type(error).__name__})."}


def _limit() -> None:
    for kind, most in (
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


if __name__ == "__main__":
    main()
