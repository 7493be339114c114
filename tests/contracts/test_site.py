"""The documentation site has every page in its navigation, and links only to what it has."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_page_is_in_the_navigation() -> None:
    named = re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    pages = {
        str(path.relative_to(ROOT))
        for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
        if path.parent.name != "decisions" or path.name == "README.md"
    }
    assert sorted(named) == sorted(pages - {"README.md"} | {"index.md"})


def test_the_site_has_no_link_that_leads_nowhere(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "docs" / "stage.py", tmp_path], check=True)
    links = runpy.run_path(str(ROOT / "docs" / "stage.py"))["LINK"]
    count = 0
    for page in tmp_path.rglob("*.md"):
        for found in links.finditer(page.read_text()):
            if found[2] and "://" not in found[2]:
                count += 1
                assert (page.parent / found[2]).exists(), f"{page}: {found[0]}"
    assert count > 100
    assert "schema.graphql](" not in (tmp_path / "docs" / "reference" / "graphql.md").read_text()


def test_the_tools_of_the_site_are_locked_with_hashes() -> None:
    lock = (ROOT / "docs" / "requirements.lock").read_text().replace("\\\n", " ").splitlines()
    assert [line for line in lock if "zensical==" in line]
    assert [line[:40] for line in lock if line.strip() and "--hash=sha256:" not in line] == []
    assert [line[:40] for line in lock if "://" in line] == []
