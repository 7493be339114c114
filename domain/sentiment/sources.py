"""Labelled texts for training: the project's own sentences, and open data in a folder that the operator names."""

import csv
import hashlib
from pathlib import Path
from typing import Any, Final, NamedTuple

OWN: Final = Path(__file__).parent / "sentences.tsv"
WORDS: Final = Path(__file__).parent / "words.tsv"
FOLDS: Final = 5


class Example(NamedTuple):
    """A text with its polarity from −1 to 1; texts of one group are never in training and test at once."""

    text: str
    polarity: float
    language: str
    source: str
    group: str
    weight: float
    is_held_out: bool = False
    themes: tuple[str, ...] = ()

    @property
    def fold(self) -> int:
        """Return the fold of cross-validation, by a hash of the group."""
        return fold_of(f"{self.source}:{self.group}", FOLDS)


def fold_of(group: str, folds: int) -> int:
    """Return the fold of a group by a hash of its name."""
    return int.from_bytes(hashlib.sha256(group.encode()).digest()[:4]) % folds


class OpenSource(NamedTuple):
    """A file of open data: its columns, the label that means 1, and what its weights owe to whom."""

    name: str
    file: str
    language: str
    label: str
    full: float
    licence: str


OPEN: Final = (
    OpenSource(
        "books",
        "reviews/bol_nl_books_open.parquet",
        "nl",
        "polarity",
        1.0,
        "BSD-3-Clause (pattern)",
    ),
    OpenSource(
        "snippets",
        "reviews/vader_amazonreviewsnippets.parquet",
        "en",
        "mean_rating",
        2.5,
        "MIT (vaderSentiment)",
    ),
)
SENTENCES: Final = "sentences"
WORD_LIST: Final = "words"
OWN_WEIGHT: Final = {SENTENCES: 3.0, WORD_LIST: 2.0}
"""What one own sentence or word counts for, in reviews of other trades."""

_NOT: Final = {"nl": "niet", "en": "not"}


def own_sentences() -> list[Example]:
    """Return the sentences of the project; those held out take no part in any training."""
    return [
        Example(
            row["text"],
            float(row["polarity"]),
            row["language"],
            SENTENCES,
            row["text"],
            OWN_WEIGHT[SENTENCES],
            row["part"] == "held_out",
            tuple(row["themes"].split()),
        )
        for row in _rows(OWN)
    ]


def own_words() -> list[Example]:
    """Return words and short phrases that are positive or negative by themselves, and the words negated.

    What is negated has the opposite sign and half the size: "not good" is not as bad as "bad".
    """
    found = []
    for row in _rows(WORDS):
        text, language, polarity = row["text"], row["language"], float(row["polarity"])
        same = (language, WORD_LIST, text, OWN_WEIGHT[WORD_LIST])
        found.append(Example(text, polarity, *same))
        if " " not in text:
            found.append(Example(f"{_NOT[language]} {text}", -polarity / 2, *same))
    return found


def open_texts(folder: Path) -> list[Example]:
    """Return the texts of the open data sets in a folder; raise FileNotFoundError for a missing one."""
    import pyarrow.parquet as pq

    found = []
    for source in OPEN:
        for at, row in enumerate(pq.read_table(folder / source.file).to_pylist()):
            found.append(
                Example(
                    row["text"],
                    max(-1.0, min(1.0, float(row[source.label]) / source.full)),
                    source.language,
                    source.name,
                    _group(row, at),
                    1.0,
                )
            )
    return found


def licences(examples: list[Example]) -> list[dict[str, Any]]:
    """Return what a head was trained on: each source with its licence and number of texts."""
    known = {each.name: each.licence for each in OPEN}
    counts: dict[str, int] = {}
    for each in examples:
        counts[each.source] = counts.get(each.source, 0) + 1
    return [
        {"source": name, "texts": count, "licence": known.get(name, "Apache-2.0 (this project)")}
        for name, count in sorted(counts.items())
    ]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def _group(row: dict[str, Any], at: int) -> str:
    """Return the review that a sentence was taken from, or the number of the row."""
    return str(row["id"]).split("_")[0] if "id" in row else str(at)
