"""What a reply must not contain is found in many spellings, and ordinary sentences pass."""

import random

import pytest

from domain.replies import KnownNames, PieceKind, confidential_pieces

KNOWN = KnownNames(
    people=("Jan van der Berg", "Fatima El Amrani", "Chloé O'Neill"),
    organisations=("Bakkerij Jansen BV", "Warehouse North"),
    streets=("Kerkstraat 12", "Plein 1944 7"),
    postcodes=("3511 AB",),
)
CLEAN = (
    "Dank u wel voor uw review, wij zijn er blij mee.",
    "Wat vervelend om te lezen. Wij gaan dit uitzoeken en nemen contact met u op.",
    "Thank you for taking the time. We are sorry that we were late, and look into it.",
    "Wij werken 24/7, 365 dagen per jaar, sinds 1998.",
    "Fijn dat de collega binnen 20 minuten bij u was! Graag tot ziens.",
    "In 2025 hielpen wij 1.250 klanten; dank voor uw 5 sterren.",
    "Op 24-12-2025 om 10:30 waren wij er, en daar zijn wij trots op.",
    "Dank! Wij geven het compliment door aan het team van Utrecht.",
)
PLANTED = (
    (PieceKind.NAME, "Jan van der Berg"), (PieceKind.NAME, "JAN VAN DER BERG"),
    (PieceKind.NAME, "jan van der berg"), (PieceKind.NAME, "Fatima"), (PieceKind.NAME, "mevrouw Amrani"),
    (PieceKind.NAME, "Chloe O’Neill"), (PieceKind.NAME, "J\u200ban"), (PieceKind.NAME, "Bergs"),
    (PieceKind.NAME, "bakkerij jansen b.v."), (PieceKind.NAME, "Warehouse  North"),
    (PieceKind.ADDRESS, "Kerkstraat 12"), (PieceKind.ADDRESS, "de Dorpsstraat nr. 4"),
    (PieceKind.ADDRESS, "3511 AB"), (PieceKind.ADDRESS, "9999zz"), (PieceKind.ADDRESS, "plein 1944 7"),
    (PieceKind.INCIDENT, "INC-000123"), (PieceKind.INCIDENT, "incident 42"),
    (PieceKind.INCIDENT, "meldingsnummer: 981"), (PieceKind.INCIDENT, "#4711"),
    (PieceKind.PHONE, "06-12345678"), (PieceKind.PHONE, "+31 (0)30 123 45 67"),
    (PieceKind.PHONE, "0031612345678"), (PieceKind.PHONE, "030 – 123 45 67"),
    (PieceKind.EMAIL, "j.berg@example.org"), (PieceKind.EMAIL, "info (at) example (dot) org"),
    (PieceKind.IBAN, "NL91 ABNA 0417 1643 00"), (PieceKind.IBAN, "nl91abna0417164300"),
    (PieceKind.IBAN, "DE89 3704 0044 0532 0130 00"), (PieceKind.PLATE, "AB-123-C"),
    (PieceKind.PLATE, "12-xy-34"), (PieceKind.PLATE, "GB 01 XX"), (PieceKind.PLATE, "K999KK"),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "piece"), PLANTED, ids=[piece for _, piece in PLANTED])
def test_a_planted_piece_is_found_wherever_it_stands(kind: PieceKind, piece: str) -> None:
    for words in (piece, f"Dank u, {piece}.", f"Onze dank ({piece}) voor uw review"):
        assert kind in {each.kind for each in confidential_pieces(words, KNOWN)}, words


@pytest.mark.parametrize("words", CLEAN)
def test_an_ordinary_reply_passes(words: str) -> None:
    assert confidential_pieces(words, KNOWN) == []


def test_of_500_drafts_with_planted_pieces_none_passes() -> None:
    chance = random.Random(16)
    passed = []
    for _ in range(500):
        words = chance.choice(CLEAN).split(" ")
        words.insert(chance.randrange(len(words) + 1), chance.choice(PLANTED)[1])
        if not confidential_pieces(" ".join(words), KNOWN):
            passed.append(" ".join(words))
    assert passed == []
