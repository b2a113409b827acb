"""Makes the folder of a settlement, and checks one: docs/spec/settlement.md.

Everything is made beside the place where it will be, and put there in one step at the
end.  A check computes all of it again from the manifest and the proofs, offline.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from byline_ledger.answer import Answer
from byline_ledger.bundle_rows import MAX_BUNDLE
from byline_ledger.codec import join_array
from byline_ledger.content_sets import read_settlement, settlement_fields
from byline_ledger.content_terms import Price
from byline_ledger.crypto import SigningKey, random_bytes
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import BylineError, MalformedError, NotFoundError
from byline_ledger.facts import AsOf
from byline_ledger.proven_log import ProvenLog, oldest
from byline_ledger.settlement import (
    MemberTotal,
    members_to_bytes,
    rows_of,
    totals,
)
from byline_ledger.settlement_claims import counted_claims, priced_offer
from byline_ledger.settlement_rows import (
    MAX_ROWS_FILE,
    Row,
    rows_from_bytes,
    rows_root,
    rows_to_bytes,
)
from byline_ledger.statement import Statement
from byline_node.attest import sign_after_work
from byline_node.manifests import manifest_digest
from byline_node.manifests import rows_of as manifest_rows
from byline_node.set_files import PROOFS, read_bounded, read_statement, written_whole

MANIFEST, ROWS, MEMBERS = "manifest", "rows.csv", "members.csv"
STATEMENT = "settlement.statement"

Advance = Callable[[int], None]
Bundles = Callable[[Iterable[bytes], AsOf], Iterator[tuple[bytes, dict[bytes, Answer]]]]
"""From multihashes to verified bundles, with the answers that count as of a moment."""
Read = Callable[[bytes, AsOf], Mapping[bytes, Answer]]
"""A verified bundle's answers that count, by their work; VerificationError if it does
not hold."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is settled: for which cooperative (32-byte key), which CAWG use, and the
    moment by which terms are judged (Unix milliseconds)."""

    group: bytes
    use: str
    time: int


@dataclass(slots=True)
class Settlement:
    """What a data set used of a cooperative's works."""

    terms: Terms
    sizes: Mapping[bytes, int]
    rows: list[Row] = field(default_factory=list)
    prices: dict[bytes, Price] = field(default_factory=dict)
    log: ProvenLog | None = None
    """What came later in it may not be considered; None without works."""

    def add(self, answer: Answer) -> None:
        """One more work, by its verified answer; ProofError for one of another log."""
        state, terms = answer.state, self.terms
        assert state is not None
        self.log = oldest(self.log, answer)
        offer = priced_offer(state, terms.group, terms.use)
        id_ = None if offer is None else offer[0]
        claims = counted_claims(state, answer.asked, terms.group, terms.use, id_)
        if claims and offer is not None:
            self.prices[offer[0]] = offer[1]
        self.rows += rows_of(answer.asked[2:], self.sizes[answer.asked], claims)

    def sort(self) -> None:
        """Rows in their order, once all works are there."""
        self.rows.sort(key=lambda row: row.place)

    def members(self) -> list[MemberTotal]:
        """What each member has in all."""
        return totals(self.rows, self.prices)


def sizes_of(manifest: Path) -> dict[bytes, int]:
    """The works of a manifest, each once, with the bytes that its first row says.

    UsageError at a line that names no work.
    """
    found: dict[bytes, int] = {}
    for row in manifest_rows(manifest):
        found.setdefault(row.digest, row.bytes or 0)
    return found


def settle(
    folder: Path,
    manifest: Path,
    terms: Terms,
    bundles: Bundles,
    key: SigningKey,
    advance: Advance,
    bits: int = 0,
) -> tuple[Settlement, Statement]:
    """Write a settlement into a new folder; `advance` counts works, `bits` is the proof
    of work that the statement is to have."""
    with written_whole(folder) as part:
        name = MANIFEST + manifest.suffix
        shutil.copyfile(manifest, part / name)
        made = Settlement(terms, sizes_of(part / name))
        proven = bundles(made.sizes, AsOf(now=terms.time))
        for number, (data, answers) in enumerate(proven):
            (part / PROOFS / f"{number:06}.byline").write_bytes(data)
            for answer in answers.values():
                made.add(answer)
            advance(len(answers))
        made.sort()
        signed = sign(part / name, made, key, bits)
        (part / ROWS).write_bytes(rows_to_bytes(made.rows))
        (part / MEMBERS).write_bytes(members_to_bytes(made.members()))
        (part / STATEMENT).write_bytes(join_array([signed.to_envelope()]))
    return made, signed


def sign(manifest: Path, made: Settlement, key: SigningKey, bits: int) -> Statement:
    """The `settlement` statement about the manifest, after so much work."""
    fields = settlement_fields(
        manifest=manifest_digest(manifest),
        group=made.terms.group,
        use=made.terms.use,
        rows=digest_bytes(rows_to_bytes(made.rows)),
        members=len({row.member for row in made.rows}),
        items=len({row.work for row in made.rows}),
        root=rows_root(made.rows),
        time=made.terms.time,
        salt=random_bytes(16),
    )
    return sign_after_work(fields, key, bits)


# Checking


@dataclass(slots=True)
class Check:
    """What a check found: `findings` name what differs, and are empty if nothing."""

    statement: Statement | None = None
    rows: tuple[Row, ...] = ()
    members: list[MemberTotal] = field(default_factory=list)
    log: ProvenLog | None = None
    findings: list[str] = field(default_factory=list)


def check_settlement(folder: Path, read: Read, advance: Advance) -> Check:
    """Compute a settlement again from its manifest and proofs.

    NotFoundError where a file is missing; whatever else is wrong is a finding.
    """
    check = Check()
    manifest = manifest_in(folder)
    rows = read_bounded(folder / ROWS, MAX_ROWS_FILE)
    try:
        statement = statement_in(folder)
        check.rows = rows_from_bytes(rows)
        made = again(folder, manifest, statement, read, advance)
    except BylineError as error:
        check.findings.append(str(error))
        return check
    check.statement, check.members, check.log = statement, made.members(), made.log
    check.findings += signed_otherwise(statement, manifest, rows, check.rows)
    check.findings += different(check.rows, made.rows)
    if read_bounded(folder / MEMBERS, MAX_ROWS_FILE) != members_to_bytes(check.members):
        check.findings.append(f"{MEMBERS} is not what the rows come to")
    return check


def manifest_in(folder: Path) -> Path:
    """The manifest of a settlement's folder."""
    found = sorted(folder.glob(f"{MANIFEST}*"))
    if len(found) != 1:
        raise NotFoundError(f"{folder} holds no settlement: one {MANIFEST} is expected")
    return found[0]


def statement_in(folder: Path) -> Statement:
    """The signed statement; its signature verifies."""
    statement = read_statement(folder / STATEMENT)
    if statement.type != "settlement" or not read_settlement(statement).sound:
        raise MalformedError(f"{STATEMENT}: it is no settlement")
    return statement


def again(
    folder: Path, manifest: Path, statement: Statement, read: Read, advance: Advance
) -> Settlement:
    """The settlement as the proofs give it; each work of the manifest needs one."""
    said = read_settlement(statement)
    assert said.group is not None
    assert said.use is not None
    made = Settlement(Terms(said.group, said.use, statement.time), sizes_of(manifest))
    left = set(made.sizes)
    for path in sorted((folder / PROOFS).glob("*.byline")):
        try:
            answers = read(read_bounded(path, MAX_BUNDLE), AsOf(now=statement.time))
            for work in left.intersection(answers):
                made.add(answers[work])
                advance(1)
        except BylineError as error:
            raise MalformedError(f"{PROOFS}/{path.name}: {error}") from None
        left.difference_update(answers)
    if left:
        first = min(left)[2:].hex()
        raise MalformedError(f"{len(left):,} works have no proof, such as {first}")
    made.sort()
    return made


def signed_otherwise(
    statement: Statement, manifest: Path, data: bytes, rows: Sequence[Row]
) -> Iterator[str]:
    """What the statement says that the files do not."""
    said = read_settlement(statement)
    if statement.about != manifest_digest(manifest):
        yield "the manifest is another than the one that was settled"
    if said.rows != digest_bytes(data):
        yield f"{ROWS} is another than the one that was signed"
    if said.root != rows_root(rows):
        yield "the signed root is not that of the rows"
    if said.members != len({row.member for row in rows}):
        yield f"the statement says {said.members} members"
    if said.items != len({row.work for row in rows}):
        yield f"the statement says {said.items} works"


def different(said: Sequence[Row], proven: Sequence[Row]) -> Iterator[str]:
    """Rows that the proofs do not give, and that they give and are not there."""
    by_place = {row.place: row for row in proven}
    for row in said:
        found = by_place.pop(row.place, None)
        if found is None:
            yield f"the proofs do not give the row {row.to_line()}"
        elif found != row:
            yield f"expected the row {found.to_line()}, got {row.to_line()}"
    for row in by_place.values():
        yield f"the row {row.to_line()} is left out"
