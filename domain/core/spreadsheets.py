"""Protection of CSV files against formulas: no cell that somebody entered may be evaluated by a spreadsheet.

Excel and LibreOffice calculate a cell that begins with `=`, `+`, `-` or `@`. An apostrophe before it makes it text (the
usual advice, OWASP "CSV injection"). `restore` removes that apostrophe, so that a file that was written with
`neutralize` and is imported has the same values.
"""

import re

# Excel in East Asian locales also evaluates full-width forms. A plain number is harmless and stays a number.
_NUMBER = r"[+-]?[0-9][0-9 ().,/-]*"
_MARK = r"[=+\-@\uff1d\uff0b\uff0d\uff20]"
_START = re.compile(rf"'*(?:[\t\r\n]|[ \"]*'*{_MARK})")
_EXEMPT = re.compile(_NUMBER)
_INNER = re.compile(rf"([;,\t\r\n|][ \"']*)(?={_MARK})(?!{_NUMBER}(?:[;,\t\r\n|\"]|$))")


def neutralize(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would evaluate as a formula."""
    if not text or _EXEMPT.fullmatch(text) or not _START.match(text):
        return text
    return f"'{text}"


def restore(text: str) -> str:
    """Restore the text that was passed to `neutralize`."""
    if not text.startswith("'") or not _START.match(text) or _EXEMPT.fullmatch(text[1:]):
        return text
    return text[1:]


def neutralize_everywhere(text: str) -> str:
    """Neutralize a text also where a spreadsheet with another delimiter would begin a cell inside it.

    Dutch or German Excel splits a comma-separated file at semicolons, and quotes do not prevent that.
    """
    return neutralize(_INNER.sub(r"\1'", text))
