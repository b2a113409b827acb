"""Byline's domain: statements, logs, proofs.  Everything but `store/` is sans-IO.

What scripts need is here; each name is loaded from its module when first used, so that
`import byline_ledger` costs nothing and the database is loaded only with `Ledger`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from byline_ledger.answer import Answer
    from byline_ledger.content import (
        dispute_fields,
        endorse_fields,
        read_dispute,
        read_endorse,
        read_withdraw,
        read_work,
        withdraw_fields,
        work_fields,
    )
    from byline_ledger.crypto import SigningKey, random_bytes
    from byline_ledger.did import did_key, parse_did_key
    from byline_ledger.digest import (
        Multihash,
        cid_of_statement,
        digest_bytes,
        digest_stream,
        multihash,
        multihash_hex,
        parse_hash,
        parse_statement_id,
    )
    from byline_ledger.errors import (
        BadSignatureError,
        BylineError,
        CorruptStoreError,
        InconsistentLogError,
        KeyAccessError,
        MalformedError,
        NotFoundError,
        ProofError,
        ReadOnlyError,
        StoreError,
        StoreLockedError,
        UnsupportedError,
        UsageError,
        VerificationError,
    )
    from byline_ledger.log import Ledger
    from byline_ledger.policy import Policy
    from byline_ledger.statement import Source, Statement, sign_statement
    from byline_ledger.store.keystore import KeyInfo, KeyStore
    from byline_ledger.verify import Verdict, verify_bundle

_MODULES = {
    "answer": ("Answer",),
    "content": (
        "dispute_fields",
        "endorse_fields",
        "read_dispute",
        "read_endorse",
        "read_withdraw",
        "read_work",
        "withdraw_fields",
        "work_fields",
    ),
    "crypto": ("SigningKey", "random_bytes"),
    "did": ("did_key", "parse_did_key"),
    "digest": (
        "Multihash",
        "cid_of_statement",
        "digest_bytes",
        "digest_stream",
        "multihash",
        "multihash_hex",
        "parse_hash",
        "parse_statement_id",
    ),
    "errors": (
        "BadSignatureError",
        "BylineError",
        "CorruptStoreError",
        "InconsistentLogError",
        "KeyAccessError",
        "MalformedError",
        "NotFoundError",
        "ProofError",
        "ReadOnlyError",
        "StoreError",
        "StoreLockedError",
        "UnsupportedError",
        "UsageError",
        "VerificationError",
    ),
    "log": ("Ledger",),
    "policy": ("Policy",),
    "statement": ("Source", "Statement", "sign_statement"),
    "store.keystore": ("KeyInfo", "KeyStore"),
    "verify": ("Verdict", "verify_bundle"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [  # noqa: RUF022  # by module, as above
    "Answer",
    "dispute_fields",
    "endorse_fields",
    "read_dispute",
    "read_endorse",
    "read_withdraw",
    "read_work",
    "withdraw_fields",
    "work_fields",
    "SigningKey",
    "random_bytes",
    "did_key",
    "parse_did_key",
    "Multihash",
    "cid_of_statement",
    "digest_bytes",
    "digest_stream",
    "multihash",
    "multihash_hex",
    "parse_hash",
    "parse_statement_id",
    "BadSignatureError",
    "BylineError",
    "CorruptStoreError",
    "InconsistentLogError",
    "KeyAccessError",
    "MalformedError",
    "NotFoundError",
    "ProofError",
    "ReadOnlyError",
    "StoreError",
    "StoreLockedError",
    "UnsupportedError",
    "UsageError",
    "VerificationError",
    "Ledger",
    "Policy",
    "Source",
    "Statement",
    "sign_statement",
    "KeyInfo",
    "KeyStore",
    "Verdict",
    "verify_bundle",
]


def __getattr__(name: str) -> object:
    """Load a public name from its module, once."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
