"""The real files that a demonstration attests, and the works it derives from them.

The files are those of the running Python's standard library; where a distribution ships
few of them, files of the installed packages are added, and the caller is told.
"""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from byline_ledger.content import (
    Fields,
    dispute_fields,
    endorse_fields,
    withdraw_fields,
)
from byline_ledger.crypto import SigningKey, random_bytes
from byline_ledger.digest import digest_bytes, digest_stream, multihash
from byline_ledger.statement import Source, Statement, sign_statement
from byline_node.attest import HashedFile, Terms

ENOUGH = 1_000
INSTALLED = {"site-packages", "dist-packages", "__pycache__"}

SOURCES = ("this.py", "calendar.py", "datetime.py")
"""Library files that the works are made from."""

POEM = """Better late than never,
though never is often better
than right now.
"""


@dataclass(frozen=True, slots=True)
class Library:
    """Where the files are: `added` is the folder of packages, if one was needed."""

    folder: Path
    files: tuple[Path, ...]
    added: Path | None


def find_library() -> Library:
    """Every `.py` file of the running Python's standard library, over 1,000 files."""
    folder = Path(sysconfig.get_path("stdlib"))
    files = tuple(python_files(folder))
    if len(files) > ENOUGH:
        return Library(folder, files, None)
    added = Path(sysconfig.get_path("purelib"))
    more = (path for path in sorted(added.rglob("*.py")) if path.is_file())
    return Library(folder, (*files, *more), added)


def python_files(folder: Path) -> Iterator[Path]:
    """The library's own files, without installed packages, in a fixed order."""
    for path in sorted(folder.rglob("*.py")):
        if INSTALLED.isdisjoint(path.relative_to(folder).parts) and path.is_file():
            yield path


@dataclass(frozen=True, slots=True)
class Derived:
    """A work made from others, and what its author says about it."""

    path: Path
    digest: bytes
    statement: Statement


@dataclass(frozen=True, slots=True)
class Story:
    """Three works made from library files, and what people said about them.

    The poem's first statement forgot the licence and was withdrawn for `corrected`;
    a witness endorsed the card; a critic disputed the outline.
    """

    poem: Derived
    outline: Derived
    card: Derived
    corrected: Statement
    withdrawal: Statement
    endorsement: Statement
    dispute: Statement

    @property
    def by_author(self) -> list[Statement]:
        """What the author of the works signed."""
        works = [one.statement for one in (self.poem, self.outline, self.card)]
        return [*works, self.corrected, self.withdrawal]


def tell_story(
    folder: Path, author: SigningKey, witness: SigningKey, critic: SigningKey, now: int
) -> Story:
    """Write the works into the folder and sign the statements; `now` in ms."""
    tell = Teller(folder, author, now)
    library = find_library().folder
    zen, calendar, clock = (library / name for name in SOURCES)
    used = [source(digest_of(zen), "inputTo")]
    poem = tell.work("poem.txt", POEM, Terms(made="human", sources=tuple(used)))
    corrected = tell.say(poem.path, POEM.encode(), poem_terms(used))
    parts = tuple(source(digest_of(path), "componentOf") for path in (calendar, clock))
    drawn = Terms(source_type="dataDrivenMedia", sources=parts)
    outlined = tell.work("outline.txt", outline((calendar, clock)), drawn)
    joined = (
        source(poem.digest, "parentOf"),
        source(outlined.digest, "componentOf"),
    )
    mixed = Terms(
        made="assisted", title="A card with a poem", license="CC-BY-4.0", sources=joined
    )
    card = tell.work("card.txt", POEM + outlined.path.read_text("utf-8"), mixed)
    return Story(
        poem,
        outlined,
        card,
        corrected,
        withdrawal=tell.sign(
            withdraw_fields(
                statement_id=poem.statement.id,
                reason="superseded",
                replacement=corrected.id,
                time=now,
                salt=random_bytes(16),
            )
        ),
        endorsement=sign_statement(
            endorse_fields(
                statement_id=card.statement.id,
                role="witnessed",
                note="I watched it being made",
                time=now,
                salt=random_bytes(16),
            ),
            witness,
        ),
        dispute=sign_statement(
            dispute_fields(
                about=multihash(outlined.statement.id),
                reason="sources",
                note="it leaves out the methods",
                time=now,
                salt=random_bytes(16),
            ),
            critic,
        ),
    )


def poem_terms(used: Sequence[Source]) -> Terms:
    """What the author forgot at first: title, licence and a no to training."""
    return Terms(
        made="human",
        title="Better late",
        license="CC-BY-4.0",
        uses={"ai_generative_training": "notAllowed"},
        sources=tuple(used),
    )


class Teller:
    """Makes files, and says with the author's key how they were made."""

    def __init__(self, folder: Path, key: SigningKey, now: int) -> None:
        self._folder = folder
        self._key = key
        self._now = now

    def work(self, name: str, text: str, terms: Terms) -> Derived:
        """Write a file and sign a statement about it."""
        path, data = self._folder / name, text.encode()
        path.write_bytes(data)
        return Derived(path, digest_bytes(data), self.say(path, data, terms))

    def say(self, path: Path, data: bytes, terms: Terms) -> Statement:
        """Sign a statement about a file."""
        file = HashedFile(path, digest_bytes(data), len(data))
        return self.sign(terms.fields(file, time=self._now, salt=random_bytes(16)))

    def sign(self, fields: Fields) -> Statement:
        """Sign a statement with the author's key."""
        return sign_statement(fields, self._key)


def source(digest: bytes, relationship: str) -> Source:
    """A source by its 34-byte multihash."""
    return Source(digest, relationship, {})


def digest_of(path: Path) -> bytes:
    """The 34-byte multihash of a file."""
    with path.open("rb") as file:
        return digest_stream(file)[0]


def outline(paths: Sequence[Path]) -> str:
    """The names of the functions that are defined in some Python files."""
    rows: list[str] = []
    for path in paths:
        rows.append(f"{path.name}:")
        text = path.read_text(encoding="utf-8", errors="replace")
        names = [row.strip() for row in text.splitlines()]
        rows += [f"  {row[4:]}" for row in names if row.startswith("def ")]
    return "\n".join(rows) + "\n"
