"""Files that are no CSV: at which line, and what to do about it."""

import codecs
import io
from itertools import islice

from ordertrail.domain.errors import Invalid

_CHECKED_BYTES = 1 << 20
_SAVE_AS_UTF_8 = (
    "save the file as UTF-8: in Excel as 'CSV UTF-8', in LibreOffice with the character set"
    " 'Unicode (UTF-8)'"
)


def check_text(raw: bytes) -> None:
    """Raise Invalid for what is not UTF-8, some at a time: the whole text would be large."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(raw), _CHECKED_BYTES):
        end = start + _CHECKED_BYTES
        kept = len(decoder.getstate()[0])
        try:
            decoder.decode(raw[start:end], final=end >= len(raw))
        except UnicodeDecodeError as error:
            line = _lines_before(raw, start - kept + error.start) + 1
            raise Invalid({"file": f"is not UTF-8 in line {line}; {_SAVE_AS_UTF_8}"}) from None


def reason(raw: bytes, line: int, noticed: int, error: Exception) -> str:
    """Return why the row that begins in a line cannot be read, as was noticed in another.

    A reader of CSV tells what it noticed by its words alone.
    """
    if "end of data" in str(error):
        return f"a quote is opened in line {_opened(raw, line, noticed + 1)} and never closed"
    if "expected after" in str(error):
        opened = _opened(raw, line, noticed) or noticed
        return (
            f"the quote that is opened in line {opened} is closed in line {noticed} amid a text:"
            " write a quote within a text twice, and close each"
        )
    if "larger than" in str(error):
        opened = _opened(raw, line, noticed + 1) or noticed
        return f"the cell that begins in line {opened} is too long: is its quote closed?"
    return f"it is no CSV: {error}"


def _opened(raw: bytes, line: int, before: int) -> int:
    """The line in which the quote was opened that is open before a line; 0 if none is.

    `line` is where the row begins. A quote that is written twice opens and closes nothing.
    """
    opened = 0
    text = io.TextIOWrapper(io.BytesIO(raw), "utf-8-sig", newline="")
    for number, each in enumerate(islice(text, line - 1, before - 1), line):
        quotes = each.replace('""', "").count('"')
        is_open = (quotes % 2 == 0) == bool(opened)
        if quotes or not is_open:
            opened = number if is_open else 0
    return opened


def _lines_before(raw: bytes, place: int) -> int:
    return raw.count(b"\n", 0, place) or raw.count(b"\r", 0, place)
