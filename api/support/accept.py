"""Media types and languages that a client accepts, from the header of its request (RFC 9110, section 12.5)."""

from functools import lru_cache


@lru_cache(maxsize=1_000)  # clients send few different headers, each with every request
def accepted(header: str | None) -> tuple[str, ...]:
    """Return the names in an `Accept` or `Accept-Language` header, best first; those of quality 0 are left out."""
    qualities: dict[str, float] = {}
    for part in (header or "").lower().split(","):
        name, *parameters = (each.strip() for each in part.split(";"))
        quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        try:
            qualities[name] = float(quality)
        except ValueError:
            qualities[name] = 0.0
    named = [name for name, quality in qualities.items() if name and quality > 0]
    return tuple(sorted(named, key=lambda name: -qualities[name]))
