"""Links of surveys: of 100,000 altered tokens none is accepted, and each token has one spelling."""

import random
import string
from uuid import UUID, uuid4

from domain.surveys import SurveyLinks

ALPHABET = string.ascii_letters + string.digits + "-_"
OURS, OTHERS = SurveyLinks(b"k" * 32), SurveyLinks(b"l" * 32)


def altered(token: str, draw: random.Random) -> str:
    """Return a token that differs in characters, length, order, key or spelling."""
    at = draw.randrange(len(token))
    kind = draw.randrange(8)
    if kind == 0:
        return token[:at] + draw.choice(ALPHABET) + token[at + 1 :]
    if kind == 1:
        return token[:at] + token[at + 1 :]
    if kind == 2:
        return token[:at] + draw.choice(ALPHABET) + token[at:]
    if kind == 3:
        return token[at:] + token[:at]
    if kind == 4:
        return OURS.token(uuid4())[:22] + token[22:]  # the id of another one, our signature
    if kind == 5:
        return OTHERS.token(UUID(bytes=draw.randbytes(16)))
    if kind == 6:
        return "".join(draw.choice(ALPHABET) for _ in range(43))
    return token.swapcase() if draw.random() < 0.5 else token + "="


def test_none_of_a_hundred_thousand_altered_tokens_is_accepted() -> None:
    draw = random.Random(20_261_130)
    own = [OURS.token(uuid4()) for _ in range(1_000)]
    tried = accepted = 0
    while tried < 100_000:
        token = altered(draw.choice(own), draw)
        if token in own:
            continue
        tried += 1
        accepted += OURS.read(token) is not None
    print(f"{tried} altered tokens, {accepted} accepted")  # noqa: T201
    assert accepted == 0
    assert all(OURS.read(each) is not None for each in own)


def test_a_last_character_with_spare_bits_is_no_second_spelling() -> None:
    token = OURS.token(uuid4())
    spellings = [token[:-1] + each for each in ALPHABET]
    assert [each for each in spellings if OURS.read(each) is not None] == [token]
