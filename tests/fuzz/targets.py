"""Every parser of a stranger's bytes, one line each, and what must hold for all.

Rule: bytes either parse or raise MalformedError (and what else their specification
names); what parses in a canonical format has no other spelling, so writing it again
gives the same bytes; an error's text is one line.  `make fuzz` runs the
groups side by side; a parser that is new gets a line in the table.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from tests.fuzz import readers

from byline_ledger import codec
from byline_ledger.alarm import Alarm
from byline_ledger.alarm_messages import (
    alarm_answer,
    parse_alarm_answer,
    parse_alarm_ids,
    parse_alarm_request,
)
from byline_ledger.bundle import Bundle
from byline_ledger.catalogue import read_csv
from byline_ledger.checkpoint import Checkpoint, checkpoint_of
from byline_ledger.crowd_page import parse_crowd_page
from byline_ledger.cursor import Cursor
from byline_ledger.did import did_key, parse_did_key
from byline_ledger.did_document import DidDocument, did_in_file, keys_in_domain_file
from byline_ledger.digest import parse_hash, parse_statement_id
from byline_ledger.dublin_core import read_dublin_core
from byline_ledger.entry import parse_entry
from byline_ledger.errors import (
    BylineError,
    CorruptStoreError,
    MalformedError,
    NotFoundError,
    ProofError,
    UnsupportedError,
    UsageError,
    VerificationError,
)
from byline_ledger.follow_messages import parse_request, parse_response
from byline_ledger.followed import Followed
from byline_ledger.label_document import parse_label
from byline_ledger.likeness_messages import (
    parse_candidates,
    parse_question,
    question_to_bytes,
)
from byline_ledger.log_files import format_ids, parse_ids, parse_path
from byline_ledger.lookup_set import LookupSet
from byline_ledger.note import Verifier, parse_note
from byline_ledger.peer_address import PeerAddress
from byline_ledger.peer_messages import parse_peers_answer, parse_peers_request
from byline_ledger.peer_record import PeerRecord
from byline_ledger.query_messages import (
    parse_bundle_answer,
    parse_query_request,
    parse_root_answer,
)
from byline_ledger.recovery_code import parse_recovery_code
from byline_ledger.settlement_rows import rows_from_bytes, rows_to_bytes
from byline_ledger.sshsig import SshSignature
from byline_ledger.statement import Statement
from byline_ledger.store.guard import Guard
from byline_ledger.tiles import Tile, entry_bundle
from byline_ledger.tlog_proof import TlogProof
from byline_ledger.tombstone import Tombstone
from byline_ledger.witness import AddCheckpoint, parse_lines, parse_size
from byline_ledger.witness_messages import (
    added,
    latest,
    parse_added,
    parse_latest,
    parse_vkeys,
    parse_witness_request,
    vkeys,
)
from byline_node.address_file import format_entries, parse_entries
from byline_node.c2pa_certificates import subject_of
from byline_node.c2pa_deposit import unit_codes
from byline_node.c2pa_manifest import read_attestation
from byline_node.c2pa_store import leaf_of, read_cbor
from byline_node.errors import ConfigError
from byline_node.http_bindings import read_binding
from byline_node.name_book import format_page, parse_page
from byline_node.parquet_pages import require_small_pages
from byline_node.receipts import receipts_from_json
from byline_node.seals import SealRecord
from byline_node.shared_question import SharedQuestion
from byline_node.stats_client import parse_stats
from byline_node.taken_down import from_json as taken_down_from_json

MAX_MESSAGE = 1_000


@dataclass(frozen=True, slots=True)
class Target:
    """One parser; `back` writes what it parsed, where there is one spelling."""

    group: str
    name: str
    parse: Callable[[bytes], Any]
    back: Callable[[Any], bytes] | None = None
    errors: tuple[type[BylineError], ...] = ()
    """What it may raise beside MalformedError."""

    def accepts(self, data: bytes) -> bool:
        """Whether the bytes parse; anything that must not happen is raised."""
        try:
            value = self.parse(data)
        except (MalformedError, *self.errors) as error:
            require_presentable(str(error))
            return False
        if self.back is not None:
            written = self.back(value)
            assert written == data, f"{self.name}: written again as {written[:200]!r}"
        return True


def require_presentable(message: str) -> None:
    """An error's text is one line of bounded length that has a UTF-8 encoding.

    Names in it may still hold what misleads an eye or, from U+007F to U+009F, a
    terminal: the command line escapes all of that (`output.safe`).
    """
    message.encode()
    assert 1 <= len(message) <= MAX_MESSAGE, f"a message of {len(message)} characters"
    assert not any(c < " " for c in message), ascii(message)


def text(parse: Callable[[str], Any]) -> Callable[[bytes], Any]:
    """A parser of text: bytes that are no UTF-8 become what argv makes of them."""
    return lambda data: parse(data.decode("utf-8", "surrogateescape"))


def a_json(parse: Callable[[object], Any]) -> Callable[[bytes], Any]:
    """A parser of what was JSON."""

    def parse_text(data: bytes) -> Any:
        try:
            value = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise MalformedError("not JSON") from error
        return parse(value)

    return parse_text


TARGETS = (
    Target("codec", "value", readers.value, codec.pack),
    Target("codec", "array", readers.array, codec.join_array),
    Target("codec", "map", readers.map_of_bytes, readers.join_map),
    Target(
        "statement",
        "envelope",
        Statement.from_envelope,
        Statement.to_envelope,
        (UnsupportedError,),
    ),
    Target("statement", "body", readers.body, lambda statement: statement.body),
    Target("text", "hash", text(parse_hash)),
    Target("text", "statement-id", text(parse_statement_id)),
    Target("text", "did-key", text(parse_did_key), lambda key: did_key(key).encode()),
    Target("text", "licence", text(readers.licence)),
    Target("text", "source-type", text(readers.source_type)),
    Target("text", "catalogue", lambda data: list(read_csv(data))),
    Target("text", "dublin-core", lambda data: list(read_dublin_core(data))),
    Target("log", "entry", parse_entry, lambda entry: entry.to_bytes()),
    Target("log", "tile", readers.tile, readers.join_tile),
    Target(
        "log",
        "entry-bundle",
        readers.entry_bundle,
        lambda entries: bytes([len(entries) - 1]) + entry_bundle(entries),
    ),
    Target("log", "tile-path", text(Tile.from_path), lambda t: t.to_path().encode()),
    Target("log", "proof", readers.merkle_proof, None, (ProofError,)),
    Target("note", "note", parse_note, lambda note: note.to_bytes()),
    Target("note", "checkpoint", Checkpoint.from_text, Checkpoint.to_text),
    Target("note", "signed-checkpoint", checkpoint_of),
    Target(
        "note",
        "vkey",
        text(Verifier.from_text),
        lambda key: key.to_text().encode(),
        (UnsupportedError,),
    ),
    Target("policy", "policy", readers.policy, None, (UnsupportedError,)),
    Target("opening", "opening", readers.opening, readers.join_opening, (ProofError,)),
    Target("bundle", "bundle", Bundle.from_bytes, Bundle.to_bytes, (UnsupportedError,)),
    Target("bundle", "verdict", readers.verdict, None, (UnsupportedError,)),
    Target("follow", "request", parse_request, lambda ask: ask.to_bytes()),
    Target("follow", "response", parse_response, lambda answer: answer.to_bytes()),
    Target(
        "peers",
        "peer-address",
        text(PeerAddress.parse),
        lambda one: one.text.encode(),
    ),
    Target("peers", "announcement", readers.announcement),
    Target("peers", "dht-message", readers.dht_message),
    Target("peers", "peer-record", PeerRecord.from_bytes, PeerRecord.to_bytes),
    Target("peers", "peers-request", parse_peers_request, lambda ask: ask.to_bytes()),
    Target("peers", "peers-answer", parse_peers_answer, lambda said: said.to_bytes()),
    Target("similar", "likeness-question", parse_question, question_to_bytes),
    Target("similar", "file-content", readers.file_content),
    Target("similar", "candidates", parse_candidates, lambda said: said.to_bytes()),
    Target("query", "query-request", parse_query_request, lambda ask: ask.to_bytes()),
    Target("query", "bundle-answer", parse_bundle_answer, lambda said: said.to_bytes()),
    Target("query", "root-answer", parse_root_answer, lambda said: said.to_bytes()),
    Target("query", "crowd-page", parse_crowd_page, lambda page: page.to_bytes()),
    Target(
        "query",
        "crowd-reading",
        readers.crowd,
        None,
        (UnsupportedError, VerificationError),
    ),
    Target("names", "did-document", DidDocument.from_bytes),
    Target("names", "domain-file", keys_in_domain_file),
    Target("names", "did-in-file", did_in_file),
    Target("names", "dns-answer", readers.dns_answer),
    Target("names", "ssh-signature", SshSignature.from_bytes),
    Target("names", "recovery-code", text(parse_recovery_code), None, (UsageError,)),
    Target("names", "ssh-armour", text(SshSignature.from_armour)),
    Target("gossip", "batch", readers.batch),
    Target("manifest", "manifest", readers.manifest),
    Target("manifest", "parquet-manifest", readers.parquet_manifest),
    Target(
        "manifest",
        "parquet-pages",
        lambda data: require_small_pages(BytesIO(data), range(8)),
    ),
    Target("manifest", "label", parse_label),
    Target("manifest", "in-manifest", readers.in_manifest, codec.pack),
    Target("alarm", "alarm", Alarm.from_bytes, Alarm.to_bytes, (UnsupportedError,)),
    Target(
        "alarm",
        "finding",
        lambda data: Alarm.from_bytes(data).verify(),
        None,
        (UnsupportedError, VerificationError),
    ),
    Target("alarm", "alarm-request", parse_alarm_request, lambda ask: ask.to_bytes()),
    Target("alarm", "alarm-ids", parse_alarm_ids, readers.join_alarm_ids),
    Target("alarm", "alarm-answer", parse_alarm_answer, alarm_answer),
    Target("log", "log-path", text(parse_path)),
    Target("log", "gone", parse_ids, format_ids),
    Target(
        "witness", "add-checkpoint", AddCheckpoint.from_bytes, AddCheckpoint.to_bytes
    ),
    Target("witness", "decision", readers.decision),
    Target("witness", "lines", parse_lines, readers.join_lines),
    Target("witness", "size", parse_size, lambda size: b"%d\n" % size),
    Target(
        "witness", "witness-request", parse_witness_request, lambda ask: ask.to_bytes()
    ),
    Target("witness", "added", parse_added, lambda answer: added(*answer)),
    Target("witness", "latest", parse_latest, latest),
    Target("witness", "followed", Followed.from_bytes, Followed.to_bytes),
    Target("witness", "vkeys", parse_vkeys, lambda keys: vkeys(*keys)),
    Target("note", "tlog-proof", TlogProof.from_bytes, TlogProof.to_bytes),
    Target("sets", "settlement", rows_from_bytes, rows_to_bytes),
    Target(
        "store",
        "sealed-work",
        SealRecord.from_bytes,
        SealRecord.to_bytes,
        (UnsupportedError,),
    ),
    Target("store", "cursor", Cursor.from_bytes, Cursor.to_bytes),
    Target("store", "address-book", parse_entries, format_entries),
    Target("store", "name-book", parse_page, format_page),
    Target("store", "refusals", readers.place),
    Target("store", "tombstone", Tombstone.from_bytes, Tombstone.to_bytes),
    Target("store", "guard", Guard.from_bytes, Guard.to_bytes, (CorruptStoreError,)),
    Target("store", "snapshot", LookupSet.from_snapshot, LookupSet.to_snapshot),
    Target("anchor", "ots", readers.ots),
    Target("anchor", "time-stamp", readers.time_stamp, None, (VerificationError,)),
    Target("c2pa", "c2pa-store", readers.c2pa_store),
    Target("c2pa", "c2pa-signature", lambda data: leaf_of(read_cbor(data))),
    Target("c2pa", "x509-subject", subject_of),
    Target(
        "c2pa",
        "c2pa-attestation",
        a_json(read_attestation),
        None,
        (UnsupportedError,),
    ),
    Target(
        "c2pa",
        "c2pa-deposit",
        readers.c2pa_deposit,
        None,
        (NotFoundError, UnsupportedError, VerificationError),
    ),
    Target("c2pa", "soft-binding", text(unit_codes)),
    Target("c2pa", "binding-question", read_binding),
    Target("c2pa", "c2pa-claim", a_json(readers.c2pa_claim)),
    Target("node", "receipts", a_json(receipts_from_json)),
    Target("node", "stats", a_json(parse_stats)),
    Target("node", "config", readers.config, None, (ConfigError,)),
    Target("node", "authored", readers.authored),
    Target("node", "shared-question", SharedQuestion.from_bytes),
    Target("node", "taken-down", a_json(taken_down_from_json)),
)

BY_NAME = {target.name: target for target in TARGETS}
GROUPS = {
    group: tuple(target for target in TARGETS if target.group == group)
    for group in dict.fromkeys(target.group for target in TARGETS)
}


def check_selected(group: str, data: bytes) -> None:
    """What the fuzzer calls: the first byte picks a parser of the group."""
    targets = GROUPS[group]
    if data:
        targets[data[0] % len(targets)].accepts(data[1:])


def selected(target: Target, data: bytes) -> bytes:
    """The input of `check_selected` that gives this data to this target."""
    return bytes([GROUPS[target.group].index(target)]) + data
