"""Signatures, the start-up self-test and sealed secrets."""

from __future__ import annotations

import copy
import hashlib
import hmac
import importlib.util
import pickle
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.vectors import VECTORS, as_expected, cases, load

from byline_ledger import codec, crypto
from byline_ledger.crypto import SigningKey, verify_signature
from byline_ledger.errors import (
    BadSignatureError,
    KeyAccessError,
    MalformedError,
    UsageError,
    VerificationError,
)
from byline_ledger.signature_table import CASES

KEY = SigningKey.from_seed(bytes(range(32)))
Verify = Callable[[bytes, bytes, bytes], None]


def load_naive() -> ModuleType:
    """The plain Ed25519 that the vectors were made with."""
    path = VECTORS / "naive_ed25519.py"
    spec = importlib.util.spec_from_file_location("naive_ed25519", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


naive = load_naive()


@cases("ed25519.json", "cases")
def test_edge_case(case: dict[str, Any]) -> None:
    """The library decides every edge case as the rule of the specification does."""
    with as_expected(case):
        verify_signature(
            bytes.fromhex(case["public"]),
            bytes.fromhex(case["message"]),
            bytes.fromhex(case["signature"]),
        )


def test_self_test_holds_every_vector() -> None:
    """The table in the code and the published vectors are the same cases."""
    wanted = [
        (
            case["name"],
            bytes.fromhex(case["public"]),
            bytes.fromhex(case["message"]),
            bytes.fromhex(case["signature"]),
            case["expect"] == "ok",
        )
        for case in load("ed25519.json")["cases"]
    ]
    assert wanted == list(CASES)


def test_self_test_passes() -> None:
    """With the pinned library the program starts."""
    crypto.self_test()


def cofactored(public: bytes, message: bytes, signature: bytes) -> bool:
    """ZIP-215: multiplied by the cofactor, any encoding, any order."""
    s = int.from_bytes(signature[32:], "little")
    return s < naive.L and bool(naive.equation(public, message, signature)[1])


def cofactored_strict(public: bytes, message: bytes, signature: bytes) -> bool:
    """Newer libsodium: multiplied by the cofactor, but no small order."""
    small = naive.is_small(public) or naive.is_small(signature[:32])
    return (
        not small
        and naive.is_canonical(public)
        and cofactored(public, message, signature)
    )


def small_orders_allowed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Older OpenSSL: the bare equation."""
    s = int.from_bytes(signature[32:], "little")
    return s < naive.L and bool(naive.equation(public, message, signature)[0])


def any_s(public: bytes, message: bytes, signature: bytes) -> bool:
    """The first Ed25519: S is not looked at."""
    return (
        naive.is_canonical(public)
        and not naive.is_small(public)
        and not naive.is_small(signature[:32])
        and bool(naive.equation(public, message, signature)[0])
    )


def prime_order_only(public: bytes, message: bytes, signature: bytes) -> bool:
    """A stricter gate: A and R in the subgroup of the base point."""
    for data in (public, signature[:32]):
        point = naive.decode(data)
        if point is None or naive.multiply(naive.L, point) != naive.NEUTRAL:
            return False
    return bool(naive.verify(public, message, signature))


@pytest.mark.parametrize(
    "rule",
    [cofactored, cofactored_strict, small_orders_allowed, any_s, prime_order_only],
)
def test_self_test_refuses_other_rules(
    rule: Callable[[bytes, bytes, bytes], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every rule that other libraries follow is told apart by some case."""

    def verify(public: bytes, message: bytes, signature: bytes) -> None:
        if not rule(public, message, signature):
            raise BadSignatureError("by another rule")

    monkeypatch.setattr(crypto, "verify_signature", verify)
    with pytest.raises(VerificationError, match="self-test"):
        crypto.self_test()


@given(st.binary(max_size=300))
@settings(max_examples=20)
def test_signatures_are_those_of_the_naive_implementation(message: bytes) -> None:
    """Keys and signatures are RFC 8032's."""
    seed = hashlib.sha256(message).digest()
    key = SigningKey.from_seed(seed)
    assert naive.public_key(seed) == key.public
    assert naive.sign(seed, message) == key.sign(message)


@given(st.binary(max_size=100), st.integers(0, 511))
def test_one_bit_breaks_a_signature(message: bytes, bit: int) -> None:
    """A signature holds as it is and with no bit of it changed."""
    signature = KEY.sign(message)
    verify_signature(KEY.public, message, signature)
    number = int.from_bytes(signature, "big") ^ 1 << bit
    with pytest.raises(BadSignatureError):
        verify_signature(KEY.public, message, number.to_bytes(64, "big"))


@given(
    st.binary(max_size=40),
    st.binary(max_size=40),
    st.one_of(st.binary(max_size=70), st.binary(min_size=64, max_size=64)),
)
def test_any_bytes_are_a_bad_signature(
    public: bytes, message: bytes, signature: bytes
) -> None:
    """Lengths and contents of a stranger's choice raise that one error."""
    with pytest.raises(BadSignatureError):
        verify_signature(public, message, signature)


def test_a_key_does_not_show_its_secret() -> None:
    """Not in its text, and it cannot be pickled or copied into a file."""
    seed = bytes(range(32))
    assert seed.hex() not in repr(KEY) + str(KEY)
    assert KEY.public.hex() in repr(KEY)
    with pytest.raises(TypeError):
        pickle.dumps(KEY)
    with pytest.raises(TypeError):
        copy.copy(KEY)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_seed_of_another_length(size: int) -> None:
    """A seed is 32 bytes."""
    with pytest.raises(MalformedError, match="expected 32 bytes"):
        SigningKey.from_seed(bytes(size))


def test_derived_secrets() -> None:
    """HMAC-SHA256 of the label: one secret for each."""
    wanted = hmac.new(b"s" * 32, b"byline/x/v1", hashlib.sha256).digest()
    assert wanted == crypto.derive_secret(b"s" * 32, "byline/x/v1")
    assert wanted != crypto.derive_secret(b"s" * 32, "byline/y/v1")


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id at its least, so that tests are quick."""
    monkeypatch.setattr(crypto, "ARGON_MEMORY", 8192)
    monkeypatch.setattr(crypto, "ARGON_PASSES", 1)


def test_sealed_secret_opens() -> None:
    """With its own costs, under its passphrase and no other."""
    sealed = crypto.seal_secret(b"s" * 32, "correct horse")
    assert b"s" * 32 not in sealed
    assert crypto.open_secret(sealed, "correct horse") == b"s" * 32
    with pytest.raises(KeyAccessError, match="wrong passphrase"):
        crypto.open_secret(sealed, "correct mule")


@pytest.mark.usefixtures("cheap")
def test_sealing_twice_gives_different_bytes() -> None:
    """Salt and nonce are fresh each time."""
    assert crypto.seal_secret(b"s", "p") != crypto.seal_secret(b"s", "p")


@pytest.mark.usefixtures("cheap")
def test_passphrase_is_the_same_on_every_keyboard() -> None:
    """A composed letter and its decomposed form are one passphrase."""
    sealed = crypto.seal_secret(b"s", "caf\u00e9")
    assert crypto.open_secret(sealed, "cafe\u0301") == b"s"


@pytest.mark.usefixtures("cheap")
@pytest.mark.parametrize("passphrase", ["", "x" * 1025])
def test_passphrase_of_a_wrong_length(passphrase: str) -> None:
    """Empty is none; endless is a mistake."""
    with pytest.raises(UsageError, match="passphrase"):
        crypto.seal_secret(b"s", passphrase)


@pytest.mark.usefixtures("cheap")
@pytest.mark.parametrize(
    "change",
    [
        {"kdf": "argon2i"},
        {"memory": 2**40},
        {"memory": 1},
        {"passes": 0},
        {"passes": 1000},
        {"salt": b"short"},
        {"nonce": b"short"},
        {"box": b"short"},
        {"box": "text"},
        {"memory": True},
    ],
)
def test_sealed_secret_with_other_costs(change: dict[str, Any]) -> None:
    """What asks for too much, or is not as it was sealed, is malformed."""
    sealed = crypto.seal_secret(b"s", "p")
    fields: Any = codec.unpack(sealed, max_size=999, max_depth=1, what="sealed")
    with pytest.raises(MalformedError):
        crypto.open_secret(codec.pack({**fields, **change}), "p")


@pytest.mark.usefixtures("cheap")
def test_changed_box_does_not_open() -> None:
    """One bit of the box is enough."""
    sealed = crypto.seal_secret(b"s", "p")
    at = sealed.index(b"box") + 10
    changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
    with pytest.raises(KeyAccessError):
        crypto.open_secret(changed, "p")


@given(st.binary(max_size=200))
def test_any_bytes_are_no_sealed_secret(data: bytes) -> None:
    """Any bytes are malformed before a passphrase is stretched."""
    with pytest.raises(MalformedError):
        crypto.open_secret(data, "p")


def test_too_little_memory_for_a_passphrase_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A small machine is told what is missing, not shown the library's failure."""

    def fail(*_arguments: object) -> bytes:
        raise crypto.exceptions.RuntimeError("Unexpected failure in key derivation")

    monkeypatch.setattr(crypto.bindings, "crypto_pwhash_alg", fail)
    with pytest.raises(KeyAccessError, match="64 MiB of memory"):
        crypto.seal_secret(b"s", "p")


def test_random_bytes() -> None:
    """As many as asked for, and not the same twice."""
    assert len(crypto.random_bytes(16)) == 16
    assert crypto.random_bytes(16) != crypto.random_bytes(16)
