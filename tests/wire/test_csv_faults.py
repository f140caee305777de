"""A file that is no CSV is told where it is wrong, and what to do about it."""

import pytest

from ordertrail.domain.attribute import ContentType
from ordertrail.domain.errors import Invalid
from ordertrail.wire import sheets
from ordertrail.wire.sheets import CELL_CHARS_MAX, SheetRow


def rows(text: str) -> list[SheetRow]:
    return list(sheets.read(text.encode(), ContentType.CONTACT, []).rows())


def refusal(raw: bytes) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        sheets.read(raw, ContentType.CONTACT, [])
    return refused.value.fields


@pytest.mark.parametrize(
    ("text", "row", "said"),
    [
        ('a\nb,"Hull\nc\n', 3, "opened in line 3 and never closed"),
        ('a\nb,"two\nlines","Hull\nc\n', 3, "opened in line 4 and never closed"),
        ('a\nb,"""x""\n"",y""\n\n', 3, "opened in line 3 and never closed"),
        ('b,"say ""x"" twice"\n"two\r\nlines",\nc,"""Hull\n\n', 5, "opened in line 5 and never"),
        ('a\rb,"Hull\rc\r', 3, "opened in line 3 and never closed"),
        ('a\nb,"Hull\nc,"York"\n', 3, "opened in line 3 is closed in line 4"),
        ('a\nb,"Hull" or so\n', 3, "opened in line 3 is closed in line 3"),
    ],
)
def test_a_quote_that_is_not_closed_is_told_with_the_line_that_opens_it(
    text: str, row: int, said: str
) -> None:
    *_, last = rows(f"custom_id,city\n{text}")
    assert last.line == row
    assert said in last.wrong["row"]
    assert last.wrong["row"].endswith("nothing from here on was read")


def test_a_quote_that_the_header_leaves_open_is_told_with_its_line() -> None:
    said = refusal(b'\xef\xbb\xbf"custom_id","two\nlines","city\na,b,c\n')
    assert "opened in line 2 and never closed" in said["header"]


@pytest.mark.parametrize(
    ("before", "line"),
    [
        ("custom_id\n", 2),
        ("custom_id\r\nb\r\nc\r\n", 4),
        ("custom_id\rb\r", 3),
        ("custom_id\n" + "Yörk,Hull\n" * 200_000, 200_002),
    ],
    ids=["one line", "lines of Windows", "lines of old", "a large file"],
)
@pytest.mark.parametrize("wrong", ["ü,Hull\n".encode("latin-1"), b"a,\xc3"], ids=ascii)
def test_a_file_of_another_encoding_is_told_the_line_and_how_to_save_it(
    before: str, line: int, wrong: bytes
) -> None:
    said = refusal(before.encode() + wrong)["file"]
    assert f"in line {line};" in said
    assert "CSV UTF-8" in said


def test_a_character_that_lies_across_two_looks_is_none_of_another_encoding() -> None:
    assert rows("custom_id\n" + "ü" * (1 << 20) + "\n")
    assert rows("custom_id\r\n" + "ü" * (1 << 20) + "\n")


def test_an_open_quote_is_told_with_its_line_also_in_a_file_that_is_too_long_to_be_one_cell() -> (
    None
):
    *_, last = rows('custom_id,city\na\nb,"Hull\n' + "c,York\n" * (CELL_CHARS_MAX // 7 + 1))
    assert "the cell that begins in line 3 is too long" in last.wrong["row"]
    *_, last = rows(f"custom_id,city\na\nb,{'x' * (CELL_CHARS_MAX + 1)}\n")
    assert "the cell that begins in line 3 is too long" in last.wrong["row"]


def test_columns_without_a_name_are_told_by_their_places() -> None:
    assert refusal(b"custom_id,, ,city\n") == {"header": "gives no name to column 2, 3"}
