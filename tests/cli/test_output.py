"""What strangers wrote is made harmless, and nothing else is changed."""

from __future__ import annotations

import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline_cli import output


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Größe „naïve“ 写真 👩‍🎨", "Größe „naïve“ 写真 👩‍🎨"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b31mred", "\\x9b31mred"),
        ("two\nlines\r", "two\\nlines\\r"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\u2028", "\\u2028"),
        ("\U000e0041", "\\U000e0041"),
        ("[bold]x[/bold]", "[bold]x[/bold]"),
    ],
)
def test_safe_text(text: str, shown: str) -> None:
    """Letters of all scripts stay; what steers or misleads is written out."""
    assert output.safe(text) == shown


@given(st.text())
def test_nothing_that_steers_a_terminal_passes(text: str) -> None:
    """No control, format, surrogate or private character but two joiners."""
    for character in output.safe(text):
        kind = unicodedata.category(character)
        assert kind not in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp")
        assert kind != "Cf" or character in output.JOINERS


def test_what_was_not_made_safe_before_is_where_it_is_printed() -> None:
    """Lines stay lines, and a letter that an alphabet needs stays a letter."""
    stream = io.StringIO()
    output.line("Wrote \x1b[31m\u202ex\r.\n  naïve\n", file=stream)
    assert stream.getvalue() == "Wrote \\x1b[31m\\u202ex\\r.\n  naïve\n\n"


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_markup_is_not_interpreted_on_a_terminal() -> None:
    """Rich gets text, never markup."""
    stream = Terminal()
    output.line("[bold]x[/bold] [link=https://a.example]y[/link]", "good", file=stream)
    assert "[bold]x[/bold] [link=https://a.example]y[/link]" in stream.getvalue()


def test_a_stream_that_knows_only_ascii_gets_escapes() -> None:
    """And no exception."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    output.line("└─ é", file=stream)
    stream.flush()
    assert raw.getvalue() == b"\\u2514\\u2500 \\xe9\n"
