"""The only file that prints.

Results go to standard output, everything said beside them to standard error.  Titles,
notes and names come from strangers: `safe` makes control characters, escape sequences
and text-direction tricks visible before anything is printed, and Rich markup is never
interpreted, because lines are handed to Rich as `Text`.  Rich is imported only for a
terminal; into a pipe goes plain text.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TextIO

from byline_ledger.errors import StoreError

Line = str | tuple[str, str]
"""A line of text, or one with the name of its style."""

STYLES = {
    "head": "bold",
    "good": "green",
    "bad": "bold red",
    "doubt": "yellow",
    "quiet": "dim",
}

JOINERS = "\u200c\u200d"
"""Format characters that words and emoji need and that move nothing on the screen."""


@dataclass(slots=True)
class State:
    """What all printing of one run shares."""

    json: bool = False
    problem: OSError | None = None


state = State()


Advance = Callable[[int], None]
Report = Callable[[int, int], None]


def prepare(*, as_json: bool) -> None:
    """Set up printing: streams that were closed get somewhere to go.

    Errors are printed as JSON too when a script asked for JSON.
    """
    state.json = as_json
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 # kept
            setattr(sys, name, nowhere)


def safe(text: str) -> str:
    """The text with all that could steer a terminal or mislead an eye escaped."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(safe_character, text))


def safe_character(character: str) -> str:
    """One character, or its visible escape such as \\x1b or \\u202e."""
    category = unicodedata.category(character)
    harmless = category[0] not in "CZ" or character == " " or character in JOINERS
    if harmless or category == "Zs":
        return character
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


def line(text: str = "", style: str = "", *, file: TextIO | None = None) -> None:
    """Print a line, or what has several; whatever could still steer a terminal is made
    visible here, should a command have forgotten it."""
    text = "\n".join(map(safe, text.split("\n")))
    stream = sys.stdout if file is None else file
    try:
        if style and is_terminal(stream):
            print_styled(text, style, stream)
        else:
            known = encoding(stream)
            print(text.encode(known, "backslashreplace").decode(known), file=stream)
    except OSError as problem:
        lose_output(problem)


def print_styled(text: str, style: str, stream: TextIO) -> None:
    """A coloured line on a terminal."""
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, soft_wrap=True, highlight=False)
    console.print(Text(text, STYLES[style]))


def is_terminal(stream: TextIO) -> bool:
    """Whether a person reads this stream."""
    return stream.isatty()


def encoding(stream: TextIO) -> str:
    """What the stream can hold; an ASCII terminal gets escapes, not an exception."""
    return stream.encoding or "utf-8"


def lines(rows: Iterable[Line]) -> None:
    """Print many lines."""
    for row in rows:
        if isinstance(row, str):
            line(row)
        else:
            line(row[0], row[1])


def result(as_json: bool, value: Mapping[str, object], rows: Iterable[Line]) -> None:
    """Print a command's result: as one JSON object, or for people."""
    if as_json:
        line(json.dumps(value, indent=2, ensure_ascii=True, default=json_bytes))
    else:
        lines(rows)


def json_bytes(value: object) -> str:
    """Bytes in JSON are hexadecimal; anything else here is a bug."""
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"no JSON form for {type(value).__name__}")


def note(text: str, style: str = "") -> None:
    """Say something beside the result, unless a script listens: it expects JSON."""
    if not state.json:
        complain(text, style)


def complain(text: str, style: str = "") -> None:
    """Print on standard error, after what was printed of the result."""
    flush()
    line(text, style, file=sys.stderr)


def error(
    message: str, hint: str | None, kind: str, more: Mapping[str, object] | None = None
) -> None:
    """One line that says what is wrong and what to do; scripts are told `more`."""
    if state.json:
        described = {"kind": kind, "message": message, "hint": hint, **(more or {})}
        complain(json.dumps({"error": described}, ensure_ascii=True))
        return
    joint = " " if message.endswith("?") else "; "
    complain(f"byline: {safe(message)}" + (joint + safe(hint) if hint else ""), "bad")


def no_such(what: str, given: str, known: Iterable[str]) -> str:
    """A message for an unknown name, with the nearest known one."""
    near = get_close_matches(given, list(known), n=1)
    asked = f"; did you mean {near[0]}?" if near else ""
    return f"no such {what}: {given}{asked}"


def flush() -> None:
    """Let a reader at the other end of a pipe see what was printed."""
    try:
        sys.stdout.flush()
    except OSError as problem:
        lose_output(problem)


def lose_output(problem: OSError) -> None:
    """The output leads nowhere any more: the work goes on without, and says so later.

    A reader that has seen enough, such as `head`, is no problem.
    """
    if not isinstance(problem, BrokenPipeError):
        state.problem = problem
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def finish(code: int) -> int:
    """The exit code, once all that was printed has arrived."""
    flush()
    if state.problem is None:
        return code
    error(f"the result cannot be written: {state.problem.strerror}", None, "store")
    return StoreError.exit_code


@contextlib.contextmanager
def progress(what: str, total: int, *, unit: str = "files") -> Iterator[Advance]:
    """A progress bar on a terminal, nothing elsewhere; yields `advance(steps)`."""
    done = 0
    with steps(what, unit=unit, total=total) as report:

        def advance(count: int) -> None:
            nonlocal done
            done += count
            report(done, total)

        yield advance


@contextlib.contextmanager
def steps(what: str, *, unit: str, total: int = 0) -> Iterator[Report]:
    """The same where the total comes with each step; yields `report(done, total)`."""
    if not is_terminal(sys.stderr) or state.json:
        yield lambda done, total: None
        return
    from rich import filesize
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    def amount(count: float) -> str:
        if unit == "bytes":
            return filesize.decimal(int(count))
        return f"{int(count):,} {unit}"

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[amount]}", markup=False),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(safe(what), total=total, amount=amount(total))

        def report(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, amount=amount(total))

        yield report
