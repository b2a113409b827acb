"""The JSON of the API as OpenAPI describes it.

Answers are built elsewhere, as plain dictionaries; a test holds them to these models.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Problem(Model):
    kind: str = Field(description="Which error: stable, for programs")
    message: str = Field(description="What was expected and what came, in one line")
    hint: str | None = Field(description="What to do next, if there is something")
    retry_after: int | None = Field(
        default=None, description="Seconds to wait, of a node that is busy"
    )


class Failure(Model):
    error: Problem


class RefusedProblem(Problem):
    reason: str = Field(description="A reason of docs/spec/admission.md")
    until: int | None = Field(
        description="When it could be admitted, Unix milliseconds"
    )


class Refusal(Model):
    error: RefusedProblem


class Admission(Model):
    policy: str = Field(description="Digest of the policy, in hex")
    settings: dict[str, str | int] = Field(
        description="As in node.toml; of lists, how many they hold"
    )
    trusted: bool | None = Field(
        default=None, description="Whether the author asked for is trusted"
    )
    work_bits: int | None = Field(
        default=None, description="Bits of work that this author needs"
    )


class RefusedCount(Model):
    source: str
    reason: str
    count: int


class AdmissionStatus(Model):
    policy: str = Field(description="Digest of the policy, in hex")
    authors: str = Field(description="anyone, listed or vouched")
    work_bits: int
    remembered: dict[str, int] = Field(
        description="Refused statements that are not fetched again, by reason"
    )
    deferred: int = Field(description="Those of them that wait for their time")
    refused: list[RefusedCount] = Field(description="Since the start")


class TombstoneJson(Model):
    reason: str
    time: int = Field(description="The operator's clock, Unix milliseconds")


class Redacted(Failure):
    tombstone: TombstoneJson | None = Field(
        default=None, description="Why and when the body was taken down"
    )


class TakenDownItem(Model):
    digest: str = Field(description="The work, as sha256:HEX")
    id: str = Field(description="Statement id, as a CID")
    reason: str
    time: int = Field(description="Unix milliseconds, by the node's clock")


class TakenDown(Model):
    taken_down: list[TakenDownItem]


class LogName(Model):
    origin: str
    vkey: str = Field(description="C2SP verifier key of the log")


class ReceiptItem(Model):
    id: str = Field(description="Statement id, as a CID")
    index: int = Field(description="Entry of the log that holds it", ge=0)
    new: bool = Field(description="False if the log held it before")
    proof: list[str] = Field(description="Inclusion proof: 32-byte hashes in base64")


class Receipts(Model):
    log: LogName
    checkpoint: str = Field(description="Signed note over the tree of all the proofs")
    receipts: list[ReceiptItem] = Field(description="One per statement, in order")


class StatementJson(Model):
    id: str
    index: int | None
    type: str
    author: str = Field(description="did:key of the author")
    time: int = Field(description="The author's claim, Unix milliseconds")
    about: str = Field(description="sha256:HEX of what it is about")
    fields: dict[str, Any] = Field(description="The whole body; bytes in hex")
    content: dict[str, Any] | None = Field(
        description="What a reader makes of the fields: also `problems`, and"
        " `sound` (false: it says nothing); null for a type that is not known"
    )
    body: str = Field(description="The signed bytes, in hex")
    signature: str = Field(description="Ed25519 signature, in hex")


class LevelJson(Model):
    name: str
    status: str = Field(description="ok, failed, warning or absent")
    detail: str


class QueryAnswer(Model):
    answer: dict[str, Any] | None = Field(
        description="docs/spec/bundle.md, Answer; null if a proof does not hold"
    )
    levels: list[LevelJson]
    ok: bool


class PeerJson(BaseModel):
    model_config = ConfigDict(extra="allow")
    peer_id: str


class WitnessJson(Model):
    name: str
    vkey: str
    kind: str = Field(description="witness or replay")
    at: str = Field(description="Peer id or URL")
    size: int = Field(description="Entries of our log that it cosigned last")
    error: str | None


class CosignedJson(Model):
    size: int
    count: int = Field(description="Cosignatures under the tree of this size")
    time: int | None = Field(description="Of the newest of them, Unix seconds")


class Consistency(Model):
    old: int
    new: int
    proof: list[str] = Field(description="RFC 6962, 2.1.2: hashes in base64")


class AlarmJson(Model):
    origin: str
    vkey: str
    kind: str
    text: str = Field(description="What is proven, after the log's name")
    file: str = Field(description="In the folder `alarms` of the node")


class Status(Model):
    version: str
    peer_id: str | None
    listen: list[str] = Field(description="Addresses with /p2p/, for other nodes")
    api: str
    origin: str
    vkey: str
    size: int = Field(description="Entries of the log")
    root: str = Field(description="Root of the log, in hex")
    statements: int
    set_count: int = Field(description="Strings in the lookup set")
    set_root: str = Field(description="Root of the lookup set, in hex")
    peers: list[PeerJson]
    read_only: str | None = Field(
        description="Why the log is not written, if it is not"
    )
    held: bool = Field(
        description="Whether that ends by itself, when those who cosigned have agreed"
    )
    cosigned: CosignedJson
    witnesses: list[WitnessJson]
    admission: AdmissionStatus
    alarms: list[AlarmJson] = Field(description="Logs that are proven to have lied")
    brought_by: dict[str, int] = Field(
        description="New statements since the start by the way they came first: api,"
        " gossip, follow"
    )
    gossip: dict[str, int] = Field(
        description="Statements in gossip since the start: fresh, known, bad,"
        " unsupported, and dropped_in, dropped_out for want of room"
    )


class Health(Model):
    ok: bool
    origin: str


class Stats(Model):
    origin: str
    entries: int = Field(description="Of the log")
    counted: int = Field(description="Entries that were counted so far: ask again")
    complete: bool
    claims: dict[str, int] = Field(
        description="Claims that their author did not withdraw, by how made"
    )
    withdrawn: dict[str, int]
    by_year: dict[str, dict[str, int]] = Field(description="Of the claimed time")
    by_medium: dict[str, dict[str, int]]
    other_statements: dict[str, int] = Field(description="By type")
    taken_down: int = Field(description="Statements without a body")
