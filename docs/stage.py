"""Lay out the pages for the documentation site: python docs/stage.py build/docs-source.

Pages keep their places, so links between them hold; README.md becomes the home page. Links to files that are not part
of the site (code, the licence) become plain text: the site is read without a network and without the repository.
"""

import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURES = {".png", ".svg"}
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)#\s]*)(#[^)]*)?\)")


def pages() -> list[Path]:
    """List every page and picture of the site."""
    inside = [each for each in (ROOT / "docs").rglob("*") if each.suffix in PICTURES | {".md"}]
    return sorted([*ROOT.glob("*.md"), *inside])


def rewritten(page: Path, known: set[Path]) -> str:
    """Return the text of a page with links as the site needs them."""

    def link(found: re.Match[str]) -> str:
        words, target, heading = found[1], found[2], found[3] or ""
        if "://" in target or target.startswith("mailto:") or not target:
            return found[0]
        file = (page.parent / target).resolve()
        if file not in known:
            return words
        if file == ROOT / "README.md":
            target = target.removesuffix("README.md") + "index.md"
        return f"[{words}]({target}{heading})"

    return LINK.sub(link, page.read_text())


def main(destination: Path) -> None:
    """Write the pages and pictures below `destination`, which is emptied first."""
    shutil.rmtree(destination, ignore_errors=True)
    known = {page.resolve() for page in pages()}
    for page in pages():
        name = page.relative_to(ROOT)
        to = destination / ("index.md" if name == Path("README.md") else name)
        to.parent.mkdir(parents=True, exist_ok=True)
        if page.suffix == ".md":
            to.write_text(rewritten(page, known))
        else:
            shutil.copyfile(page, to)
    print(f"{len(known)} files in {destination}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
