"""Media types and languages that a client accepts, from the header of its request (RFC 9110, section 12.5)."""


def accepted(header: str | None) -> list[str]:
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
    return sorted(named, key=lambda name: -qualities[name])
