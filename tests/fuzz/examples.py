"""Valid inputs for targets whose form the vectors do not hold, made by our own code."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import replace
from hashlib import sha256
from typing import Any

from opentimestamps.core.notary import (
    BitcoinBlockHeaderAttestation,
    PendingAttestation,
)
from opentimestamps.core.op import OpAppend, OpSHA256
from opentimestamps.core.serialize import BytesSerializationContext
from opentimestamps.core.timestamp import DetachedTimestampFile, Timestamp
from tests.fuzz.examples_c2pa import c2pa_examples
from tests.fuzz.examples_files import file_examples
from tests.fuzz.seeds import CORPUS, read_list
from tests.ledger import test_alarm
from tests.ledger.test_likeness_messages import QUESTIONS
from tests.node.test_address_book import filled_book
from tests.support.memory_log import MemoryLog
from tests.support.signed import key, work
from tests.support.vectors import load

from byline_ledger import codec
from byline_ledger.alarm_messages import (
    AskAlarm,
    AskAlarms,
    alarm_answer,
    alarm_ids_answer,
)
from byline_ledger.bundle import Bundle
from byline_ledger.content import seal_fields, work_fields
from byline_ledger.cursor import Cursor
from byline_ledger.did import did_key
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import BylineError
from byline_ledger.followed import Followed
from byline_ledger.likeness_messages import Candidates, question_to_bytes
from byline_ledger.lookup_set import LookupSet
from byline_ledger.manifest_tree import InManifest
from byline_ledger.merkle import Frontier, consistency_proof, inclusion_proof
from byline_ledger.name_check import Finding, Step
from byline_ledger.name_proofs import NameProof
from byline_ledger.note import parse_note
from byline_ledger.settlement_rows import Row, rows_to_bytes
from byline_ledger.statement import Source, Statement, sign_statement
from byline_ledger.store.guard import Guard
from byline_ledger.tiles import entry_bundle
from byline_ledger.tlog_proof import TlogProof
from byline_ledger.tombstone import Tombstone
from byline_ledger.vocabulary import PLAIN_ANSWERS
from byline_ledger.witness import AddCheckpoint
from byline_ledger.witness_messages import (
    AskAdd,
    AskLatest,
    AskVkeys,
    added,
    latest,
    vkeys,
)
from byline_node.address_file import format_entries
from byline_node.name_book import Page, format_page
from byline_node.names import Checked
from byline_node.seals import SealRecord
from byline_node.shared_question import SharedQuestion
from byline_node.taken_down import TakenDown

LAN = b"/ip4/10.0.0.1/tcp/4737"
MAX_BUNDLE = 16_384

CATALOGUES = [
    b"file\na\n",
    b"digest;made;Licence;x\n" + b"a" * 64 + b';human;MIT;1\n1;2;3\n"a"b\n',
    b"sha256,sources,size,ai_training\n"
    + b"%s,%s:inputTo,7,constrained:ask\n" % (b"a" * 64, b"b" * 64),
    "digest\ttitle\né\tb\n".encode("latin-1"),
    "file,tools\na,b; c\n".encode("utf-16"),
]
"""Small catalogues as CSV."""
DUBLIN_CORE = [
    b'<x xmlns:d="http://purl.org/dc/elements/1.1/"><d:identifier>a</d:identifier></x>',
    b'<x xmlns:d="http://purl.org/dc/terms/"><d:title>t</d:title></x>',
    b'{"title":"t","license":"MIT","format":"a/b","source":"c","identifier":"d"}',
    b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
    b'<?xml version="1.0" encoding="cp037"?><x/>',
    b'[{"dc:identifier":["a"],"rights":{"@value":"MIT"}},1]',
    b'{"records":[{"title":2,"file":"a"}]}',
    b"dc.title[en],dc:rights,filename\na||b,CC0-1.0,c\n1\n",
]
"""The same in Dublin Core."""


def examples() -> dict[str, list[bytes]]:
    """Target to inputs."""
    log = MemoryLog(1)
    log.append([work(f"work {number}") for number in range(12)])
    log.append([work("one more")])
    first = bytes(range(32)) * 3
    signature = parse_note(log.checkpoint).signatures[0]
    return (
        c2pa_examples()
        | file_examples()
        | {
            "value": [codec.pack({"a": [1, True, b"x", {"b": "y"}], "c": 2**64 - 1})],
            "array": [codec.pack(list(range(20)))],
            "map": [codec.pack({chr(97 + n): [n] for n in range(20)})],
            "alarm": [make().to_bytes() for make in test_alarm.ALL],
            "finding": [make().to_bytes() for make in test_alarm.ALL],
            "alarm-request": [AskAlarms().to_bytes(), AskAlarm(bytes(32)).to_bytes()],
            "alarm-ids": [alarm_ids_answer([]), alarm_ids_answer([bytes(32)] * 3)],
            "alarm-answer": [alarm_answer(None), alarm_answer(b"an alarm")],
            "likeness-question": [question_to_bytes(one) for one in QUESTIONS],
            "candidates": [Candidates((b"a", b"b"), 1, 2).to_bytes()],
            "log-path": [
                b"checkpoint",
                b"tile/entries/x001/234.p/9",
                b"statements/00/" + b"00" * 32,
                b"statements/entries/001.p/3",
                b"statements/ff/" + b"ff" * 32 + b".gone",
            ],
            "label": [label()],
            "in-manifest": [
                codec.pack(
                    InManifest(digest_bytes(b""), 1, 3, (bytes(32),) * 2).to_field()
                ),
                codec.pack(InManifest(digest_bytes(b""), 0, 1, ()).to_field()),
            ],
            "shared-question": [
                SharedQuestion.of([digest_bytes(b"")], 4, [key().public]).to_bytes(),
                b'{"digests": []}',
            ],
            "gone": [b"", b"ab" * 32 + b"\n"],
            "ots": ots(),
            # OpenSSL made it, with a key that is nowhere any more.
            "time-stamp": read_list(CORPUS / "time-stamp.json"),
            "add-checkpoint": requests(log),
            "decision": requests(log),
            "lines": [signature.to_line(), signature.to_line() * 2],
            "size": [b"0\n", b"12\n"],
            "witness-request": [
                AskAdd(b"old 0\n\n", log.vkey).to_bytes(),
                AskLatest(log.vkey).to_bytes(),
                AskVkeys().to_bytes(),
            ],
            "added": [added(200, signature.to_line()), added(409, b"3\n")],
            "latest": [latest(None), latest(log.checkpoint)],
            "followed": [Followed(bytes(16), "a.example/1", 12, 15, 1).to_bytes()],
            "vkeys": [vkeys(log.vkey, log.vkey)],
            "tlog-proof": [
                TlogProof(3, (bytes(32),), log.checkpoint).to_bytes(),
                TlogProof(0, (), log.checkpoint, b"extra").to_bytes(),
                TlogProof(0, (), b"").to_bytes().replace(b"v1", b"v2"),
            ],
            "sealed-work": [sealed_work()],
            "settlement": [rows_to_bytes([]), rows_to_bytes(rows())],
            "body": [*bodies(), talkative().body],
            "licence": [b"MIT", b"cc-by-4.0 OR (mit AND LicenseRef-Mine)", b"apache"],
            "catalogue": CATALOGUES,
            "dublin-core": DUBLIN_CORE,
            "tile": [b"\x00" + first[:32], b"\x02" + first],
            "entry-bundle": [
                bytes([log.size - 1]) + entry_bundle(log.log),
                b"\x00\x00\x00",
            ],
            "proof": proofs(log),
            "opening": openings(),
            "cursor": [cursor(log).to_bytes(), gapless(log).to_bytes()],
            "tombstone": [Tombstone("asked by the subject", 1).to_bytes()],
            "guard": [
                Guard.start("a.example/1").to_bytes(),
                Guard("b", 9, first[:32]).to_bytes(),
            ],
            "snapshot": [
                LookupSet.build(log.strings[:count]).to_snapshot()
                for count in (0, 5, len(log.strings))
            ],
            "receipts": [receipts(log)],
            "taken-down": [taken_down(log)],
            "stats": [stats()],
            "config": [config()],
            "address-book": [
                format_entries(entries) for entries in ([], filled_book().entries[:3])
            ],
            "name-book": name_book(),
            "announcement": [
                b"peer=12D3KooWHQhpnRbWQat7UBD8tXbrxuUJUcfzjx2jQQEW5qUaz6jD\n1=" + LAN
            ],
            "dht-message": dht_messages(),
            "authored": [
                codec.pack({"author": bytes(32), "digests": [digest_bytes(b"")]})
            ],
        }
    )


def sealed_work() -> bytes:
    parts = {"nonce": bytes(32), "work": digest_bytes(b"poem")}
    seal = seal_fields(**parts, author=key().public, time=1, salt=bytes(16))
    said = {"type": "work", "about": parts["work"], "title": "Poem"}
    signed = sign_statement(seal, key())
    return SealRecord(**parts, seal=signed, path="poem", fields=said).to_bytes()


def rows() -> list[Row]:
    """Of a work that two keys share and a rival claims."""
    first, second = key(1).public, key(2).public
    half = Row(bytes(32), 7, first, 1, 2, "allowed", True, bytes(32), b"o" * 32)
    rival = replace(half, parts=2, claim=b"c" * 32, offer=None)
    return sorted([half, replace(half, member=second), rival], key=lambda r: r.place)


def name_book() -> list[bytes]:
    """A page without names, and one with a name that was checked."""
    empty = Page(key(1).public, "Mara Voss")
    step = Step("https://a.example/", 3, bytes(32), b"abc", "127.0.0.1:1")
    found = Checked(1, Finding("confirmed", "it names the key", (step,)))
    proof = NameProof("ssh", "a.example/mara")
    return [format_page(empty), format_page(empty.with_result(proof, found))]


def dht_messages() -> list[bytes]:
    """A search for peers, and an answer that names one."""
    from libp2p.kad_dht.pb.kademlia_pb2 import Message

    search = Message(type=Message.MessageType.FIND_NODE, key=bytes(32))
    answer = Message(type=Message.MessageType.GET_PROVIDERS, senderRecord=b"x")
    one = answer.providerPeers.add()
    one.id = bytes.fromhex("002408011220") + bytes(32)
    one.addrs.append(bytes.fromhex("047f000001061281"))
    return [search.SerializeToString(), answer.SerializeToString()]


def ots() -> list[bytes]:
    """Pending at a calendar, attested in a block, both."""
    attestations = (
        PendingAttestation("https://a.example"),
        BitcoinBlockHeaderAttestation(800_000),
    )
    found = []
    for some in (attestations[:1], attestations[1:], attestations):
        stamp = Timestamp(sha256(b"").digest())
        inner = stamp.ops.add(OpAppend(bytes(16))).ops.add(OpSHA256())
        inner.attestations.update(some)
        context = BytesSerializationContext()
        DetachedTimestampFile(OpSHA256(), stamp).serialize(context)
        found.append(context.getbytes())
    return found


def requests(log: MemoryLog) -> list[bytes]:
    """To a witness: of a log it knows and has not cosigned, and of one step more."""
    proof = tuple(consistency_proof(6, log.size, log.node))
    return [
        AddCheckpoint(0, (), log.checkpoint).to_bytes(),
        AddCheckpoint(6, proof, log.checkpoint).to_bytes(),
        AddCheckpoint(0, proof, log.checkpoint).to_bytes(),
        AddCheckpoint(0, (), MemoryLog(2).checkpoint).to_bytes(),
        AddCheckpoint(0, (), b"none").to_bytes(),
    ]


def bodies() -> list[bytes]:
    """Those of the envelopes among the vectors, and one for each case of a type."""
    found = []
    for case in load("statement.json")["envelopes"]:
        try:
            found.append(Statement.from_envelope(bytes.fromhex(case["envelope"])).body)
        except BylineError:
            continue
    vectors = load("statement_types.json")
    common = {"author": bytes(32), "time": 1, "salt": bytes(16)}
    for case in vectors["types"] + vectors["for_others"]:
        data = bytes.fromhex(case["fields"])
        said = codec.unpack(data, max_size=1 << 14, max_depth=6, what="fields")
        assert isinstance(said, dict)
        about = bytes.fromhex(vectors["about"])
        more = {"type": case.get("type", "work"), "about": about}
        found.append(codec.pack({**said, **common, **more}))
    return found


def talkative() -> Statement:
    """A statement that uses every field of a work."""
    about = digest_bytes(b"work")
    fields = work_fields(
        about=about,
        time=1,
        salt=bytes(16),
        made="human",
        title="A title",
        license="CC-BY-4.0",
        uses={"data_mining": "allowed", "ai_training": "constrained:ask"},
        sources=[Source(digest_bytes(b"source"), "componentOf")],
        tools=["a pen"],
        media_type="image/png",
        size=12,
        also=[b"\x13\x02ab"],
    )
    return sign_statement(fields, key())


def proofs(log: MemoryLog) -> list[bytes]:
    """An inclusion and a consistency proof: two numbers, two hashes, the proof."""
    size = log.size.to_bytes(8, "big")
    leaf = log.node(0, 3)
    inclusion = b"".join(inclusion_proof(3, log.size, log.node))
    old = Frontier.of(6, log.node).root()
    consistency = b"".join(consistency_proof(6, log.size, log.node))
    return [
        (3).to_bytes(8, "big") + size + leaf + log.root + inclusion,
        (6).to_bytes(8, "big") + size + old + log.root + consistency,
    ]


def openings() -> list[bytes]:
    """Those of the bundles among the vectors, after their count of strings."""
    found = []
    for case in load("bundle.json")["cases"]:
        data = b64decode(case["bundle"])
        try:
            bundle = Bundle.from_bytes(data)
        except BylineError:
            continue
        if len(bundle.opening) < MAX_BUNDLE:
            found.append(bundle.strings.to_bytes(8, "big") + bundle.opening)
    return found


def cursor(log: MemoryLog) -> Cursor:
    frontier = Frontier.of(log.size, log.node)
    gaps = (bytes(32), b"\xff" * 32)
    return Cursor(log.vkey, log.checkpoint, frontier, log.set_count, log.log[-1], gaps)


def gapless(log: MemoryLog) -> Cursor:
    return Cursor(log.vkey, log.checkpoint, Frontier.empty(), 0, b"", ())


def taken_down(log: MemoryLog) -> bytes:
    id_ = next(iter(log.indexes))
    gone = TakenDown(digest_bytes(b""), id_, Tombstone("legal", 1))
    return json.dumps({"taken_down": [gone.to_json()]}).encode()


def receipts(log: MemoryLog) -> bytes:
    proof = inclusion_proof(1, log.size, log.node)
    item: dict[str, Any] = {
        "id": next(iter(log.indexes)).hex(),
        "index": 1,
        "new": True,
        "proof": [b64encode(one).decode() for one in proof],
    }
    return json.dumps(
        {
            "log": {"origin": log.origin, "vkey": log.vkey},
            "checkpoint": log.checkpoint.decode(),
            "receipts": [item],
        }
    ).encode()


def stats() -> bytes:
    """What a node with one claim answers."""
    counts = dict.fromkeys(PLAIN_ANSWERS, 0) | {"human": 1}
    value = {"entries": 2, "counted": 2, "claims": counts, "withdrawn": counts}
    rows = {"by_year": {"2023": counts}, "by_medium": {"image": counts}}
    return json.dumps(value | rows).encode()


def label() -> bytes:
    """A small label.json."""
    digest = "sha256:" + "ab" * 32
    found = {
        "format": "byline-label/1",
        "use": "cawg.ai_training",
        "creator": did_key(key(1).public),
        "time": 1,
        "words": {"name": "A set", "languages": ["en"]},
        "manifest": {"file": "manifest.csv", "digest": digest},
        "log": {"size": 2},
        "files": {"items.csv": digest, "proofs/000000.byline": digest},
    }
    return json.dumps(found).encode()


def config() -> bytes:
    return (
        b'listen = ["/ip4/127.0.0.1/tcp/4737"]\n'
        b'api = "[::1]:8737"\n'
        b'api_hosts = ["archive.example"]\n'
        b'peers = ["/dns4/a.example/tcp/1/p2p/12D3KooWAb"]\n'
    )
