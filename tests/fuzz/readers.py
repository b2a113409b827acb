"""What the table of targets.py needs around a parser that takes more than bytes.

Numbers that a caller would know (a width, a size, a count) are read from the front of
the input, so that the fuzzer chooses them as well.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dns.exception
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.resolver
from tests.support.memory_log import MemoryLog
from tests.support.signed import signed

from byline_ledger import codec, content
from byline_ledger.answer import Answer
from byline_ledger.codec import Value
from byline_ledger.crowd_reader import CrowdReading
from byline_ledger.did_document import dids_in_txt, keys_in_txt
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import (
    MalformedError,
    NotFoundError,
    ProofError,
    VerificationError,
)
from byline_ledger.gossip import MAX_BATCH, Sifted, sift_batch
from byline_ledger.licence import read_licence
from byline_ledger.lookup_set import Closed, Leaf, Node
from byline_ledger.manifest import ManifestRow, header_line, read_manifest, row_line
from byline_ledger.manifest_tree import InManifest
from byline_ledger.merkle import verify_consistency, verify_inclusion
from byline_ledger.node_keys import NodeKeys
from byline_ledger.note import NoteSignature
from byline_ledger.opening import Walk, parse_opening
from byline_ledger.policy import Policy
from byline_ledger.policy_review import policy_warnings
from byline_ledger.proof_of_work import work_of, zero_bits
from byline_ledger.refusals import parse_place
from byline_ledger.statement import Statement
from byline_ledger.tiles import parse_entry_bundle, parse_tile
from byline_ledger.verify import Verdict, verify_bundle
from byline_ledger.vocabulary import plain_answer
from byline_ledger.witness import Memory, decide, parse_lines
from byline_node import anchor_tsa
from byline_node.anchor_ots import Stamp
from byline_node.c2pa_deposit import Deposit, read_deposit
from byline_node.c2pa_import import Foreign, map_of, read_foreign
from byline_node.c2pa_store import leaf_certificate
from byline_node.config import NodeConfig, check_types, parse_settings
from byline_node.fingerprint import Content, read_content
from byline_node.name_dns import lines_of
from byline_node.operations import parse_authored, statement_to_json
from byline_node.parquet_manifest import read_parquet

MAX_SIZE = 1 << 20
NOW = 1_800_000_000_000
LOG = MemoryLog(1)
KEYS = NodeKeys.derive(bytes(32), "witness.example/1")


def value(data: bytes) -> Value:
    return codec.unpack(data, max_size=MAX_SIZE, max_depth=6, what="value")


def array(data: bytes) -> list[bytes]:
    return codec.split_array(data, max_size=MAX_SIZE, max_items=1 << 16)


def map_of_bytes(data: bytes) -> dict[str, bytes]:
    return codec.split_map(data, max_size=MAX_SIZE, max_items=1 << 16)


def join_map(parts: dict[str, bytes]) -> bytes:
    """The map again: the header from an encoder, the values as they came."""
    header = codec.pack({f"{number:05}": 0 for number in range(len(parts))})
    size = len(header) - 7 * len(parts)
    return header[:size] + b"".join(codec.pack(k) + v for k, v in parts.items())


def body(data: bytes) -> Statement:
    """A body under any signature; whatever a valid one says can be read and shown."""
    statement = Statement.from_parts(data, bytes(64))
    content.read_delegated(statement)
    for read in content.READERS.values():
        read(statement)
    statement_to_json(statement, None)
    assert 0 <= work_of(statement) <= zero_bits(statement.id)
    return statement


def place(data: bytes) -> bytes:
    """What is remembered of refused statements; the reader keeps what it can use."""
    policy, records = parse_place(data)
    assert len(policy) == 32
    assert all(not one.deferred or one.until for _, one in records)
    return data


def licence(text: str) -> str:
    """As a reader of statements sees it; a canonical spelling is its own."""
    found = read_licence(text)
    if found is None:
        raise MalformedError("not an SPDX expression")
    assert read_licence(found) == found
    return found


def source_type(text: str) -> str:
    return plain_answer(text)


def _byte(data: bytes, at: int) -> int:
    if len(data) <= at:
        raise MalformedError("cut in the numbers before the input")
    return data[at]


def _number(data: bytes, at: int) -> int:
    if len(data) < at + 8:
        raise MalformedError("cut in the numbers before the input")
    return int.from_bytes(data[at : at + 8], "big")


def _hashes(data: bytes) -> tuple[bytes, ...]:
    return tuple(data[at : at + 32] for at in range(0, len(data), 32))


def tile(data: bytes) -> tuple[bytes, ...]:
    return parse_tile(data[1:], _byte(data, 0) + 1)


def join_tile(hashes: tuple[bytes, ...]) -> bytes:
    return bytes([len(hashes) - 1]) + b"".join(hashes)


def entry_bundle(data: bytes) -> list[bytes]:
    return parse_entry_bundle(data[1:], _byte(data, 0) + 1)


def merkle_proof(data: bytes) -> None:
    """One input, both kinds of proof: two numbers, two hashes, then the proof."""
    small, size = _number(data, 0), _number(data, 8)
    first, root, proof = data[16:48], data[48:80], _hashes(data[80:])
    failures = 0
    try:
        verify_inclusion(first, small, size, proof, root)
    except ProofError:
        failures += 1
    try:
        verify_consistency(small, size, first, root, proof)
    except ProofError:
        failures += 1
    if failures == 2:
        raise ProofError("neither")


def opening(data: bytes) -> tuple[int, Node]:
    """The opened trie, with lookups on it: found, or closed there."""
    count = _number(data, 0)
    top = parse_opening(data[8:], count)
    walk = Walk(top)
    for prefix in (b"", bytes(32), b"\xff" * 40, data[-72:-40]):
        try:
            walk.find(prefix, 64)
        except ProofError:
            continue
    walk.to_bytes()
    return count, top


def policy(data: bytes) -> Policy:
    """Whatever parses can be reviewed and asked."""
    rules = Policy.from_bytes(data)
    policy_warnings(rules)
    rules.is_satisfied({one.name for one in rules.witnesses})
    return rules


def join_opening(opened: tuple[int, Node]) -> bytes:
    """The trie written again, open where it was open."""
    count, top = opened
    parts, stack = [count.to_bytes(8, "big")], [top]
    while stack:
        node = stack.pop()
        if isinstance(node, Closed):
            parts.append(b"\x00" + node.hash)
        elif isinstance(node, Leaf):
            parts.append(bytes([2, node.count]) + (node.strings or b""))
        else:
            parts.append(b"\x03" + node.depth.to_bytes(2, "big"))
            parts += [n.count.to_bytes(8, "big") for n in (node.left, node.right)]
            parts.append(node.prefix)
            stack += [node.right, node.left]
    return b"".join(parts)


def verdict(data: bytes) -> Verdict:
    """Whatever parses gets a verdict; without a failed level, an answer as well."""
    found = verify_bundle(data, now=NOW)
    if isinstance(found.answer, Answer):
        found.answer.to_json()
    assert (found.answer is None) <= (not found.ok)
    return found


def manifest(data: bytes) -> int:
    """A manifest in chunks of any size is one manifest; its rows can be written."""
    lines = list(read_manifest([data]))
    assert list(read_manifest([data[:7], data[7:50], data[50:]])) == lines
    for line in lines:
        if isinstance(line, ManifestRow):
            written = (header_line() + row_line(line)).encode("utf-8")
            (again,) = read_manifest([written])
            assert again == replace(line, number=2)
        else:
            assert line.reason.isprintable()
    return len(lines)


def parquet_manifest(data: bytes) -> int:
    """Rows that can be written as CSV, or lines that say what is wrong."""
    count = 0
    with TemporaryDirectory() as folder:
        path = Path(folder) / "set.parquet"
        path.write_bytes(data)
        for count, line in enumerate(read_parquet(path, lambda _: None), start=1):
            assert line.number == count
            if isinstance(line, ManifestRow):
                row_line(line).encode("utf-8", "surrogateescape")
            else:
                assert line.reason.isprintable()
    return count


def file_content(data: bytes) -> Content:
    """A picture or a text that can be compared; a problem is told in one line."""
    found = read_content(data)
    if found.picture is not None:
        assert len(found.picture.square(1)) == len(found.picture.square())
    elif not found.text:
        raise MalformedError(found.problem or "")
    return found


def in_manifest(data: bytes) -> Value:
    """The map of a statement: sound, and with nothing else in it."""
    found = InManifest.from_field(value(data)).to_field()
    if codec.pack(found) != data:
        raise MalformedError("in-manifest: further fields")
    return found


def batch(data: bytes) -> Sifted:
    """Nothing is known; each item is counted once."""
    sifted = sift_batch(data, lambda _: False)
    count = len(sifted.fresh) + sifted.known + sifted.unsupported + sifted.bad
    assert count == len(codec.split_array(data, max_size=MAX_BATCH, max_items=1024))
    return sifted


def join_alarm_ids(ids: list[bytes]) -> bytes:
    """Without the limit of the answer that we give."""
    return codec.pack({"ids": b"".join(ids)})


def ots(data: bytes) -> tuple[str, ...]:
    """What parses can be written, read again, and told in words."""
    stamp = Stamp.from_bytes(data)
    again = Stamp.from_bytes(stamp.to_bytes())
    assert again.pending() == stamp.pending()
    try:
        return stamp.attested(b"")
    except VerificationError:
        return ()


def time_stamp(data: bytes) -> None:
    """All of it is read, as the answer to whatever it answers."""
    response = anchor_tsa.parse(data)
    with anchor_tsa.engine_errors():
        stamped = response.tst_info
        imprint, nonce = stamped.message_imprint.message, stamped.nonce
        anchor_tsa.time_of(stamped)
        anchor_tsa.name_of(response, [])
    anchor_tsa.require_answer(data, anchor_tsa.Question(b"", imprint, nonce))


def decision(data: bytes) -> None:
    """Whatever comes, one of the answers of the protocol, in lines."""
    known = {LOG.origin: [Memory(LOG.vkey)]}
    answer = decide(data, lambda origin: known.get(origin, []), KEYS, NOW // 1000)
    assert answer.status in (200, 400, 403, 404, 409, 422)
    assert answer.body.endswith(b"\n")
    if answer.status != 200:
        raise MalformedError(answer.body[:-1].decode())
    parse_lines(answer.body)


def join_lines(lines: tuple[NoteSignature, ...]) -> bytes:
    return b"".join(line.to_line() for line in lines)


def config(data: bytes) -> NodeConfig:
    settings: Any = check_types(parse_settings(data, Path("node.toml")))
    return NodeConfig(Path("home"), **settings)


def authored(data: bytes) -> tuple[bytes, list[bytes]]:
    what = "question"
    return parse_authored(codec.unpack(data, max_size=MAX_SIZE, max_depth=2, what=what))


def crowd(data: bytes) -> CrowdReading:
    """A page as the first answer to somebody who asks for the vectors' photo."""
    reading = CrowdReading(digest_bytes(b"photo"), 64)
    reading.take(data)
    return reading


def announcement(data: bytes) -> Any:
    """A TXT record as lines of a name, "=" and a value."""
    from byline_node.mdns import parse_announcement

    lines = (line.partition(b"=") for line in data.split(b"\n"))
    return parse_announcement({name: value for name, _, value in lines})


def dht_message(data: bytes) -> Any:
    """A message of Kademlia, and what the fence leaves of it."""
    from byline_ledger.peer_address import Reach
    from byline_node.host_dht import framed, parsed, stripped, unframed

    left = stripped(parsed(data), Reach.LOOPBACK, with_addresses=True)
    again = parsed(unframed(framed(left)))
    assert framed(stripped(again, Reach.LOOPBACK, with_addresses=True)) == framed(left)
    return left


def c2pa_store(data: bytes) -> bytes:
    return leaf_certificate(data, "urn:c2pa:one")


C2PA_WORK = signed(digest_bytes(b"c2pa"), salt=bytes(16))


def c2pa_deposit(data: bytes) -> Deposit:
    def find(id_: bytes) -> Statement:
        if id_ != C2PA_WORK.id:
            raise NotFoundError("this log does not hold it")
        return C2PA_WORK

    return read_deposit(data, find, None)


def c2pa_claim(value: object) -> Foreign:
    """What a manifest says, with how it is written as a statement's fields."""
    found = read_foreign(map_of(value), "urn:c2pa:one", digest_bytes(b""))
    content.relay_fields(
        about=digest_bytes(b""),
        format="c2pa",
        manifest=digest_bytes(b""),
        validation="valid",
        created=found.created,
        gathered=found.gathered,
        sources=found.sources,
        time=NOW,
        salt=bytes(16),
    )
    return found


DNS_NAME = "_byline.a.example."


def dns_answer(data: bytes) -> tuple[bytes, ...]:
    """The keys in what a name server answers, on the wire."""
    try:
        said = dns.message.from_wire(data)
        if not isinstance(said, dns.message.QueryMessage):
            raise MalformedError("no answer to what was asked")
        name = dns.name.from_text(DNS_NAME)
        kinds = dns.rdatatype.TXT, dns.rdataclass.IN
        answer = dns.resolver.Answer(name, *kinds, said)
    except (dns.exception.DNSException, ValueError) as error:
        raise MalformedError("no answer of the DNS") from error
    records = lines_of(answer).decode("ascii", "replace").split("\n")
    return keys_in_txt([*records, *dids_in_txt(records)])
