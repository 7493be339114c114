"""What happens at the clients of the demo company, in Dutch and English."""

from domain.agreements import Priority, TicketKind
from domain.incidents import Source

HAPPENINGS: tuple[tuple[TicketKind, Priority, Source, tuple[str, ...]], ...] = (
    (
        TicketKind.ALARM,
        Priority.CRITICAL,
        Source.ALARM_CENTRE,
        (
            "Inbraakalarm zone 3, laaddock",
            "Overvalalarm balie, stil alarm",
            "Intrusion alarm, server hall 2, motion confirmed on camera",
            "Brandmelding magazijn, rookmelder 14",
            "Panic button pressed at the reception desk",
            "Inbraakalarm kantoor, tweede melder volgt",
            "Glass break detector, shop front north",
        ),
    ),
    (
        TicketKind.ALARM,
        Priority.HIGH,
        Source.ALARM_CENTRE,
        (
            "Deur nooduitgang geopend buiten tijd",
            "Hekdetectie oostzijde, twee meldingen binnen een minuut",
            "Emergency exit 4 held open for five minutes",
            "Sabotagemelding bewegingsmelder trappenhuis",
            "Toegangsdeur technische ruimte geforceerd gemeld",
            "Perimeter sensor triggered behind hall C",
            "Lijnstoring alarmverbinding, geen testmelding ontvangen",
        ),
    ),
    (
        TicketKind.INCIDENT,
        Priority.CRITICAL,
        Source.GUARD,
        (
            "Agressie aan de balie, politie gebeld",
            "Medisch incident op de parkeerplaats, ambulance onderweg",
            "Fight between two visitors at the main entrance",
            "Rookontwikkeling bij de containers, brandweer gebeld",
            "Person found unconscious in the stairwell, 112 called",
        ),
    ),
    (
        TicketKind.INCIDENT,
        Priority.HIGH,
        Source.GUARD,
        (
            "Hekwerk doorgeknipt aan de noordzijde",
            "Winkeldief aangehouden, wacht op politie",
            "Unknown person followed an employee through the gate",
            "Poging tot inbraak, sporen op het kozijn van de achterdeur",
            "Onbevoegde op het dak van de loods gezien",
            "Truck left the terminal without a gate pass",
            "Waterlekkage boven de meterkast",
        ),
    ),
    (
        TicketKind.INCIDENT,
        Priority.MEDIUM,
        Source.GUARD,
        (
            "Verdachte bestelbus op het terrein",
            "Groep jongeren bij de fietsenstalling weggestuurd",
            "Raam op de begane grond stond open, gesloten",
            "Drone seen above the yard, direction east",
            "Bezoeker zonder badge naar de receptie begeleid",
            "Graffiti op de zuidgevel, foto's gemaakt",
            "Pallets block the fire lane at dock 7",
            "Sleutelkast niet afgesloten aangetroffen",
        ),
    ),
    (
        TicketKind.INCIDENT,
        Priority.LOW,
        Source.GUARD,
        (
            "Verlichting parkeerdek 2 defect",
            "Slagboom gaat niet volledig dicht",
            "Brandblusser ontbreekt bij ingang west",
            "Alarm panel shows a low battery",
            "Gevonden voorwerp ingeleverd: zwarte rugzak",
            "Door closer of the canteen is broken",
        ),
    ),
    (
        TicketKind.INQUIRY,
        Priority.MEDIUM,
        Source.CLIENT,
        (
            "Graag rapport van de ronde van afgelopen nacht",
            "Wie had dienst op zondagmiddag?",
            "Please send the camera times of Tuesday's delivery",
            "Hoe laat is het alarm van maandag uitgeschakeld?",
            "Which doors were checked in the last closing round?",
        ),
    ),
    (
        TicketKind.SERVICE_REQUEST,
        Priority.LOW,
        Source.CLIENT,
        (
            "Extra sluitronde op vrijdagavond",
            "Toegang voor de schilders van 7 tot 16 uur",
            "Extra guard for the shareholders' meeting on Thursday",
            "Sleutel overdragen aan de nieuwe huismeester",
            "Please escort the night transport to gate 2",
            "Andere contactpersoon bij alarm tijdens de vakantie",
        ),
    ),
    (
        TicketKind.COMPLAINT,
        Priority.HIGH,
        Source.CLIENT,
        (
            "Beveiliger niet op de post bij overdracht",
            "Teruggebeld pas na een half uur",
            "Guard on the night shift could not open the barrier",
            "Ronde van 02:00 uur ontbreekt in het rapport",
            "Visitors had to wait twenty minutes at the gate",
        ),
    ),
    (
        TicketKind.MAINTENANCE,
        Priority.LOW,
        Source.SYSTEM,
        (
            "Camera 14 zonder beeld",
            "Opslag van recorder 2 bijna vol",
            "Access reader at door B12 offline",
            "Rookmelder 31 vraagt om onderhoud",
            "Clock of the alarm panel is off by four minutes",
            "Noodverlichting gang 3 meldt een defecte accu",
        ),
    ),
)
UPDATES = (
    "We zijn ermee bezig.", "De beveiliger is ter plaatse en kijkt rond.", "De politie is gebeld en onderweg.",
    "Wij hebben de sleutelhouder gesproken.", "De camerabeelden worden bekeken.", "Our guard is on the way.",
    "The area is closed off while we check.", "De monteur komt binnen een uur.", "Alles rustig, wij blijven.",
)  # fmt: skip
RESOLUTIONS = (
    "Opgelost en gecontroleerd.", "Loos alarm, melder is hersteld.", "Gesloten en verzegeld, rapport volgt.",
    "Handed over to the police.", "Schade gemeld en afgezet.", "Checked, nothing found; the door is locked again.",
    "Hersteld door de monteur.", "Persoon heeft het terrein verlaten.",
)  # fmt: skip
