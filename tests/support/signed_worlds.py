"""Worlds of the state vectors, signed and logged, and what bundles show of them."""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.support.state_vectors import IDS, KEYS, nonce, work

from byline_ledger.answer import Answer
from byline_ledger.bundle import build_bundle
from byline_ledger.crypto import SigningKey
from byline_ledger.digest import SHA256_PREFIX, digest_bytes, multihash
from byline_ledger.facts import AsOf, Record
from byline_ledger.log import Ledger
from byline_ledger.statement import Statement, sign_statement
from byline_ledger.verify import verify_bundle

VECTORS = Path(__file__).parent.parent / "vectors"
sys.path.insert(0, str(VECTORS))

from generate_state import fields as written  # noqa: E402

USE = "cawg.ai_generative_training"


def signer(name: str) -> SigningKey:
    return SigningKey.from_seed(sha256(f"key {name}".encode()).digest())


class Signed:
    """The statements of a case, as they would be published."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.made: dict[str, Statement] = {}
        for said in case["statements"]:
            self.made[said["id"]] = self._sign(written(said))
        places = {said["id"]: said["index"] for said in case["statements"]}
        names = sorted(self.made, key=places.__getitem__)
        self.in_order = [self.made[name] for name in names]

    def _sign(self, said: dict[str, Any]) -> Statement:
        own = ("id", "index", "existed_by", "author")
        fields = {
            name: self._value(name, v) for name, v in said.items() if name not in own
        }
        fields["salt"] = sha256(said["id"].encode()).digest()[:16]
        return sign_statement(fields, signer(said["author"]))

    def _value(self, name: str, found: Any) -> Any:
        if isinstance(found, dict):
            return {inner: self._value(inner, one) for inner, one in found.items()}
        if isinstance(found, list):
            return [self._value(name, one) for one in found]
        if name in KEYS:
            return signer(found).public
        if name in IDS:
            return self.made[found].id
        if name == "seal-nonce":
            return nonce(found)
        return self._about(found) if name in ("about", "digest") else found

    def _about(self, text: str) -> bytes:
        kind, _, name = text.partition(" ")
        if kind == "key":
            return digest_bytes(signer(name).public)
        if kind == "statement":
            made = self.made.get(name)
            return multihash(made.id) if made else work(name)
        if kind == "work":
            return work(name)
        secret, sealed, author = name.split(" ")
        sealing = nonce(secret) + work(sealed) + signer(author).public
        return SHA256_PREFIX + sha256(b"byline/seal/v1\x00" + sealing).digest()


def logged(statements: list[Statement]) -> tuple[list[Record], dict[str, bytes]]:
    """Their places in a log, and the bundles about each work."""
    with TemporaryDirectory() as folder:
        ledger = Ledger.init(Path(folder) / "node")
        try:
            ledger.append(statements)
            view = ledger.view
            records = []
            for one in statements:
                index = view.index_of(one.id)
                assert index is not None
                records.append(Record(one, index))
            bundles = {name: build_bundle(view, work(name)) for name in ("u", "v", "w")}
        finally:
            ledger.close()
    return records, bundles


def answer_of(bundle: bytes, name: str, as_of: AsOf) -> Answer:
    verdict = verify_bundle(bundle, digest=work(name), now=as_of.now, as_of=as_of)
    assert verdict.answer is not None
    verdict.answer.to_json()
    return verdict.answer
