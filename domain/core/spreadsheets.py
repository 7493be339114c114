"""Text in CSV files that a spreadsheet opens: no cell that somebody typed may run as a formula.

Excel and LibreOffice calculate a cell that begins with `=`, `+`, `-` or `@`. An apostrophe before it makes it text
(the usual advice, OWASP "CSV injection"). `plain` takes that apostrophe away again, so that a file that was written
with `neutral` and is imported has the same values.
"""

import re

# Wide forms of the marks are calculated by Excel in East Asian locales. A number is no danger and stays a number.
_NUMBER = r"[+-]?[0-9][0-9 ().,/-]*"
_MARK = r"[=+\-@\uff1d\uff0b\uff0d\uff20]"
_START = re.compile(rf"'*(?:[\t\r\n]|[ \"]*'*{_MARK})")
_EXEMPT = re.compile(_NUMBER)
_INNER = re.compile(rf"([;,\t\r\n|][ \"']*)(?={_MARK})(?!{_NUMBER}(?:[;,\t\r\n|\"]|$))")


def neutral(text: str) -> str:
    """The text with an apostrophe before it when a spreadsheet would take it for a formula."""
    if not text or _EXEMPT.fullmatch(text) or not _START.match(text):
        return text
    return f"'{text}"


def plain(text: str) -> str:
    """The text as it was before `neutral`."""
    if not text.startswith("'") or not _START.match(text) or _EXEMPT.fullmatch(text[1:]):
        return text
    return text[1:]


def neutral_everywhere(text: str) -> str:
    """The same, also where a spreadsheet with another delimiter would begin a cell inside the text.

    A file with commas that a Dutch or German Excel opens is cut at semicolons, and quotes do not prevent that.
    """
    return neutral(_INNER.sub(r"\1'", text))
