"""Transcripts: what a person types and what they see, kept as text files.

A file of golden/ holds comments (`# `), commands (`$ `, or `[3]$ ` where exit code 3 is
expected) and, below each, everything that it prints.  Commands run in one shell folder
and one BYLINE_HOME per file.  What differs from run to run is replaced by a placeholder
first (`normalise`).  BYLINE_GOLDEN=write writes the files again from what is printed.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.cli.forker import Forker

GOLDEN = Path(__file__).parent / "golden"
# Variables and one `byline` command, without anything that only a shell understands.
SIMPLE = re.compile(r"(?:[A-Z_]+=(?:'[^']*'|\S*) )*byline(?: [^|&;<>$`()*]*)?")
PROMPT = re.compile(r"(?:\[(\d+)\])?\$ (.*)")

PLACEHOLDERS = (
    (r"did:key:z6Mk[1-9A-HJ-NP-Za-km-z]{44}", "did:key:<key>"),
    (r"\bthe key [0-9a-f]{64}\b", "the key <key>"),
    (r"\bbagaqiera[a-z2-7]{52}\b", "<statement>"),
    (r"(  dial  \S*/p2p/)12D3KooW\w{44}\b", r"\1<peer>"),
    (r"\b\d{4}-\d\d-\d\d \d\d:\d\d UTC", "<time>"),
    (r"\b\d{4}-\d\d-\d\d\b", "<day>"),
    (r"([a-z.]+)/[0-9a-f]{32}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}", r"\1/<vkey>"),
    (r"([a-z.]+)/[0-9a-f]{32}\b", r"\1/<log>"),
    (r"(<log>/[a-z]+)\+[0-9a-f]{8}\+[0-9A-Za-z+/=]+", r"\1+<key>"),
)


@dataclass(slots=True)
class Step:
    """One command: the lines above it, the exit code and the output wanted."""

    above: list[str]
    command: str
    code: int
    wanted: list[str] = field(default_factory=list)


def read_steps(text: str) -> tuple[list[Step], list[str]]:
    """The steps of a transcript, and comments after the last."""
    steps: list[Step] = []
    above: list[str] = []
    for line in text.splitlines():
        match = PROMPT.fullmatch(line)
        if match:
            steps.append(Step(above, match[2], int(match[1] or 0)))
            above = []
        elif line.startswith("# ") or line == "#":
            above.append(line)
        elif steps and not above:
            steps[-1].wanted.append(line)
        else:
            above.append(line)
    return steps, above


def write_steps(steps: list[Step], below: list[str]) -> str:
    """The transcript as text again."""
    lines: list[str] = []
    for step in steps:
        prompt = f"[{step.code}]$ " if step.code else "$ "
        lines += [*step.above, prompt + step.command, *step.wanted]
    return "\n".join([*lines, *below]) + "\n"


def normalise(text: str, folder: Path) -> list[str]:
    """The lines printed, with placeholders, without blank lines at the end."""
    text = text.replace(str(folder), "<here>")
    for pattern, placeholder in PLACEHOLDERS:
        text = re.sub(pattern, placeholder, text)
    # A blank line would end the output in the file, so it is written as a dot.
    lines = [line.rstrip() or "." for line in text.splitlines()]
    while lines and lines[-1] == ".":
        lines.pop()
    return lines


def environment(
    folder: Path, byline: str = f"{sys.executable} -m byline_cli"
) -> dict[str, str]:
    """A home of its own, `byline` and this Python on PATH, no terminal, one locale."""
    programs = folder / ".bin"
    programs.mkdir(exist_ok=True)
    for name, command in (("byline", byline), ("python3", sys.executable)):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        program.chmod(0o755)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("BYLINE_")}
    return kept | {
        "BYLINE_HOME": str(folder / ".home"),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "COLUMNS": "80",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }


def run_step(step: Step, folder: Path, forker: Forker) -> tuple[int, list[str]]:
    """Exit code and normalised output of one command."""
    output = folder / ".output"
    if SIMPLE.fullmatch(step.command):
        words = shlex.split(step.command)
        at = words.index("byline")
        variables = dict(word.split("=", 1) for word in words[:at])
        known = environment(folder) | variables
        with output.open("wb") as printed:
            outputs = printed.fileno(), printed.fileno()
            code = forker.run(words[at + 1 :], known, folder, outputs)
    else:
        code = run_in_shell(step.command, folder, forker, output)
    return code, normalise(output.read_text("utf-8"), folder)


def run_in_shell(command: str, folder: Path, forker: Forker, output: Path) -> int:
    """Pipes and everything else that is not just `byline`."""
    with output.open("wb") as printed:
        return subprocess.run(
            ["bash", "-c", command],
            cwd=folder,
            env=environment(folder, forker.program),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
        ).returncode


def play(path: Path, folder: Path, forker: Forker) -> str:
    """Run a whole transcript; returns it as it would be written now."""
    steps, below = read_steps(path.read_text("utf-8"))
    for step in steps:
        step.code, step.wanted = run_step(step, folder, forker)
    return write_steps(steps, below)
