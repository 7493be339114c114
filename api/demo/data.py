"""The invented security company that `up` shows: its clients, their sites and people, its staff, what happens there."""

from dataclasses import dataclass

from domain.access import Role
from domain.accounts import CadenceTier, Segment, ServiceTier

COMPANY = "Noorderlicht Beveiliging B.V."


@dataclass(frozen=True)
class DemoSite:
    """A site as it is entered."""

    name: str
    street: str
    postcode: str
    city: str
    lat: float
    lon: float
    services: tuple[str, ...]


@dataclass(frozen=True)
class Client:
    """A client as it is entered; names and numbers are invented."""

    name: str
    kvk_number: str
    segment: Segment
    vertical: str
    fee_cents: int
    tier: tuple[CadenceTier, ServiceTier]
    places: tuple[DemoSite, ...]
    people: tuple[tuple[str, str, str], ...]  # name, role, language


CLIENTS = (
    Client(
        "Havenkwartier Logistiek N.V.",
        "60000101",
        Segment.ENTERPRISE,
        "logistics",
        4_850_000,
        (CadenceTier.STRATEGIC, ServiceTier.PREMIUM),
        (
            DemoSite(
                "Terminal Oost",
                "Butaanweg 12",
                "3196 KC",
                "Rotterdam",
                51.8806,
                4.3412,
                ("objectbeveiliging", "alarmopvolging"),
            ),
            DemoSite(
                "Distributiecentrum Venlo",
                "Columbusweg 31",
                "5928 LA",
                "Venlo",
                51.3897,
                6.1066,
                ("objectbeveiliging", "mobiele surveillance"),
            ),
        ),
        (
            ("Marloes Dekker", "security manager", "nl"),
            ("Owen Reilly", "operations director", "en"),
        ),
    ),
    Client(
        "Stichting Zorggroep De Linden",
        "60000102",
        Segment.ENTERPRISE,
        "healthcare",
        3_120_000,
        (CadenceTier.STRATEGIC, ServiceTier.PREMIUM),
        (
            DemoSite(
                "Locatie Parkzicht",
                "Maliebaan 88",
                "3581 CX",
                "Utrecht",
                52.0899,
                5.1327,
                ("receptie", "objectbeveiliging"),
            ),
            DemoSite(
                "Locatie Eemland",
                "Utrechtseweg 201",
                "3818 EH",
                "Amersfoort",
                52.1493,
                5.3721,
                ("mobiele surveillance",),
            ),
        ),
        (("Jolanda Smit", "facility manager", "nl"), ("Bram de Wit", "locatiehoofd", "nl")),
    ),
    Client(
        "Winkelhart Almere VvE",
        "60000103",
        Segment.MID_MARKET,
        "retail",
        1_240_000,
        (CadenceTier.CORE, ServiceTier.ENHANCED),
        (
            DemoSite(
                "Winkelhart",
                "Stationsplein 4",
                "1315 KT",
                "Almere",
                52.3747,
                5.2183,
                ("winkelsurveillance",),
            ),
        ),
        (("Fatima Bouzid", "centrummanager", "nl"),),
    ),
    Client(
        "Datapoort B.V.",
        "60000104",
        Segment.MID_MARKET,
        "data centre",
        2_260_000,
        (CadenceTier.CORE, ServiceTier.ENHANCED),
        (
            DemoSite(
                "AMS-2",
                "Kabelweg 37",
                "1014 BA",
                "Amsterdam",
                52.3969,
                4.8535,
                ("toegangscontrole", "alarmopvolging"),
            ),
        ),
        (("Sven Lindqvist", "head of security", "en"), ("Ilse Vermeer", "site manager", "nl")),
    ),
    Client(
        "Van Houten Evenementen",
        "60000105",
        Segment.SMALL_BUSINESS,
        "events",
        460_000,
        (CadenceTier.STANDARD, ServiceTier.BASIC),
        (
            DemoSite(
                "Griendpark",
                "Maasboulevard 1",
                "6211 JW",
                "Maastricht",
                50.8533,
                5.6976,
                ("evenement",),
            ),
        ),
        (("Pieter van Houten", "eigenaar", "nl"),),
    ),
    Client(
        "Bouwcombinatie Noordzijde",
        "60000106",
        Segment.SMALL_BUSINESS,
        "construction",
        380_000,
        (CadenceTier.STANDARD, ServiceTier.BASIC),
        (
            DemoSite(
                "Bouwplaats Suikerzijde",
                "Hoogkerkerdiep 2",
                "9745 AA",
                "Groningen",
                53.2141,
                6.5114,
                ("mobiele surveillance", "alarmopvolging"),
            ),
        ),
        (("Anneke Hofstra", "uitvoerder", "nl"),),
    ),
)

STAFF = (
    (Role.DISPATCHER, "Dennis Kuipers", "meldkamer"),
    (Role.GUARD, "Yara El Amrani", "guard"),
    (Role.RELATIONSHIP_MANAGER, "Sanne Brouwer", "accounts"),
    (Role.FINANCE, "Ruben Mulder", "finance"),
    (Role.MANAGEMENT, "Hanneke Vos", "management"),
    (Role.AUDITOR, "Karin Postma", "audit"),
)

GUARDS = (
    "Yara El Amrani",
    "Tom Verbeek",
    "Sharon Pinas",
    "Mehmet Yildiz",
    "Lotte van Dam",
    "Kees Bakker",
)
"""Guards by name, one for the first place of each client: nobody works in two regions."""
