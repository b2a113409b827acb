"""The `byline` command line: finds the command, runs it, maps errors to exit codes.

`byline --help` must cost under 0.3 s of CPU, so a command's module is imported only
when that command runs, and help is plain text (Rich help costs three times as much as
everything else together; docs/adr/0011-cli.md).

Exit codes: 0 all is well, 1 verification failed, 2 usage, 3 not found, 4 a log
contradicts itself, 65 malformed, 69 node unavailable, 74 disk or store, 75 refused for
now, 77 refused by the node's policy, 78 configuration, 130 interrupted.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from byline_cli import output
from byline_cli.memory import set_up_memory
from byline_ledger.errors import BylineError, StoreError

COMMANDS = {
    "key": ("key", "Make and show your keys, and say what becomes of them."),
    "profile": ("profile", "Say who a key is, and check who others say they are."),
    "attest": ("attest", "Say how files were made, from what and on which terms."),
    "reveal": ("seal", "Show a work that you sealed before."),
    "import": ("imports", "Take in catalogues and Content Credentials (C2PA)."),
    "export": ("credentials", "Write a file with its Content Credentials (C2PA)."),
    "publish": ("publish", "Publish statements signed earlier, on another machine."),
    "query": ("query", "Ask where a file came from, and check the proof."),
    "verify": ("verify", "Check a saved proof, offline."),
    "consent": ("consent", "Ask what works may be used for, by their authors' word."),
    "similar": ("similar", "Look for works that a file resembles."),
    "graph": ("graph", "Draw from what a work was made, and what was made of it."),
    "endorse": ("remarks", "Vouch for a statement."),
    "dispute": ("remarks", "Contest a statement or a work."),
    "withdraw": ("remarks", "Take back a statement of yours."),
    "grant": ("terms", "Let one key do what you do not allow everybody."),
    "offer": ("terms", "Say on which terms others may use works."),
    "request": ("terms", "Ask for the use of a work."),
    "admit": ("group", "Make a key a member of your cooperative."),
    "leave": ("group", "Leave a cooperative."),
    "collection": ("collection", "Write, sign and check the manifest of a data set."),
    "filter": ("filter", "Part a data set into what may be used and what may not."),
    "label": (
        "label",
        "Make and check the nutrition label of a data set, and see if it is outdated.",
    ),
    "stats": ("stats", "Say how the claims in a log, or about a set, divide."),
    "find": ("find", "Find an author's works in a data set."),
    "settle": ("settle", "Say what a data set owes a cooperative's members."),
    "node": ("node", "Set up, run and examine a node."),
    "log": ("log", "Write a log as files that anybody can serve, keep and check."),
    "policy": ("policy", "Say which logs and witnesses you trust."),
    "audit": ("audit", "Read a whole log, compute it anew, name what is wrong."),
    "alarm": ("alarm", "Check proofs that a log signed something false."),
    "anchor": ("anchor", "Have somebody else say when a checkpoint existed."),
    "demo": ("demo", "Watch three nodes do the whole job with real files."),
}
"""Command name to its module in this package and its line in the help."""

SECTIONS = {
    "key": "Your works",
    "query": "What was said of works",
    "endorse": "Answers and terms",
    "collection": "Data sets",
    "node": "Nodes and logs",
}
"""The first command of each part of the help, and what the part is called."""

ELSEWHERE = {
    "check": "verify",
    "delegate": "key delegate",
    "draw": "graph",
    "init": "node init",
    "keys": "key list",
    "manifest": "collection create",
    "recover": "key recover",
    "run": "node run",
    "seal": "attest --sealed",
    "status": "node status",
    "join": "attest --group",
    "sign": "attest",
    "claim": "attest",
    "rotate": "key rotate",
    "search": "similar",
    "whois": "profile show",
}
"""Words that people try, and what they mean by them."""

MEANT = {
    ("key new", "--name"): "byline key new NAME",
    ("key show", "--name"): "byline key show NAME",
    ("key show", "--key"): "byline key show NAME",
    ("key new", "--key"): "byline key new NAME",
    ("profile show", "--key"): "byline profile show KEY",
    ("profile check", "--key"): "byline profile check KEY",
    ("key history", "--key"): "byline key history KEY",
}
"""Options that people try, and the command line that they mean."""

EXTRA = re.compile(r"Got unexpected extra arguments?(?:\(s\))? \((\S+?)[ )]")
SOMETHING_TO_READ = {"FILE", "DIR", "MANIFEST", "LIST"}
WRITTEN = {"--out", "--save", "--report", "--tlog-proof", "--policy", "--proof"}
"""Options with files that nobody means who names one alone."""

HELP = """Who says they made what, with proofs that anyone can check offline.

Byline records claims and proves that they were made. It does not prove them true."""

EPILOG = """Start with: byline key new, then byline attest FILE --made human. Exit
codes: 0 ok, 1 verification failed, 2 usage, 3 not found, 4 a log contradicts itself,
65 malformed, 69 node unavailable, 74 disk or store, 75 refused for now, 77 refused by
the node's policy, 78 configuration."""


class LazyGroup(TyperGroup):
    """A group that imports the module of a command when the command is wanted."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The commands in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"byline_cli.{COMMANDS[cmd_name][0]}")
        command: Any = get_command(module.app)
        found = getattr(command, "commands", {}).get(cmd_name, command)
        found.name = cmd_name
        return found

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The table itself, so that help imports no command."""
        width = max(map(len, COMMANDS))
        parts: list[list[tuple[str, str]]] = []
        for name, (_, line) in COMMANDS.items():
            if name in SECTIONS:
                parts.append([])
            parts[-1].append((name.ljust(width), line))
        for title, rows in zip(SECTIONS.values(), parts, strict=True):
            with formatter.section(title):
                formatter.write_dl(rows)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As the base class, with a suggestion taken from the table."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            meant = ELSEWHERE.get(args[0])
            if meant is not None:
                ctx.fail(f"no such command: {args[0]}; did you mean {meant}?")
            ctx.fail(output.no_such("command", args[0], COMMANDS))
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=LazyGroup,
    help=HELP,
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def show_version(wanted: bool) -> None:
    """Print the version and end, if asked to."""
    if wanted:
        from importlib.metadata import version

        output.line(f"byline {version('byline-ledger')}")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(
        False, "--version", callback=show_version, is_eager=True, help="Show it."
    ),
) -> None:
    """Options of `byline` itself; the help text is HELP."""


def run(arguments: list[str]) -> int:
    """Run one command line; returns the exit code."""
    try:
        code = get_command(app)(arguments, prog_name="byline", standalone_mode=False)
    except BylineError as error:
        output.error(str(error), error.hint, error.kind, error.details())
        return error.exit_code
    except typer.TyperException as error:
        return usage_error(error, arguments)
    except typer.Abort:
        output.error("stopped", None, "interrupted")
        return 130
    except OSError as error:
        if error.filename is not None:
            text = f"cannot use {error.filename}: {error.strerror}"
            output.error(text, None, StoreError.kind)
            return StoreError.exit_code
        # Typer prints help itself; all files are read and written with care elsewhere.
        output.lose_output(error)
        return StoreError.exit_code
    return code if isinstance(code, int) else 0


def usage_error(error: typer.TyperException, arguments: list[str]) -> int:
    """One line for a wrong command line; the help itself where nothing was asked."""
    message = error.format_message()
    if "\n" in message and not output.state.json:
        output.note(message)
        return error.exit_code
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "byline"
    if context is None and arguments[:1] and arguments[0] in COMMANDS:
        path = f"byline {arguments[0]}"  # the parser does not say where it was
    message = message.rstrip(".") + what_is_expected(error)
    option = getattr(error, "option_name", "")
    meant = MEANT.get((path.removeprefix("byline "), option))
    hint = f"say {meant}" if meant else f"see {path} --help"
    output.error(message, hint, "usage")
    return error.exit_code


def what_is_expected(error: typer.TyperException) -> str:
    """What a missing option takes, or which option takes a file that was given without
    one; may be empty."""
    message = error.format_message()
    if message.startswith("Missing option"):
        text = getattr(getattr(error, "param", None), "help", None)
        return f": {text.rstrip('.')}" if text else ""
    extra = EXTRA.match(message)
    if extra is not None:
        command = getattr(getattr(error, "ctx", None), "command", None)
        return place_for(extra[1], getattr(command, "params", []))
    return ""


def place_for(extra: str, params: Sequence[Any]) -> str:
    """Where a word goes that has no place in a command, by its parameters."""
    kinds = {"KEY"} if extra.startswith(("key:", "did:")) else SOMETHING_TO_READ
    for one in params:
        names = {*(one.metavar or "").split("|")}
        is_option = one.param_type_name == "option"
        if is_option and one.opts[0] not in WRITTEN and names & kinds:
            shown = f"{one.opts[0]} {one.metavar}"
            return f"; say with an option what it is, such as {shown}"
    taken = [one.metavar for one in params if one.param_type_name == "argument"]
    return f"; it takes {' and '.join(filter(None, taken)) or 'options'} alone"


def main() -> None:
    """The entry point of the `byline` program."""
    set_up_memory()
    output.prepare(as_json="--json" in sys.argv)
    sys.exit(output.finish(run(sys.argv[1:])))


if __name__ == "__main__":
    main()
