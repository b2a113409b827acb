"""Reads and writes C2PA manifests, over c2pa-python: the extra `c2pa`.

Rule (docs/spec/content-credentials.md): nothing here reaches the network; no manifest
is fetched, no revocation asked for, no thumbnail made.  The engine checks no
vocabulary, so what it hands out is a stranger's word for word.  The only file that
imports c2pa.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any, BinaryIO

from byline_ledger.errors import MalformedError, UsageError

MAX_MANIFEST = 16 << 20
"""Bytes of a manifest store that is read or written."""
MAX_REPORT = 64 << 20
"""Characters of the engine's report about one."""
MAX_WORDS = 200
UNTRUSTED = "signingCredential.untrusted"
ANY_TYPE = "application/octet-stream"
OFFLINE: dict[str, dict[str, Any]] = {
    "builder": {"thumbnail": {"enabled": False}},
    "core": {"allowed_network_hosts": []},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
}


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs a manifest: a chain in PEM, leaf first, and its Ed25519 key."""

    chain: str
    sign: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Report:
    """What the engine says of a manifest store and of the bytes that it is about.

    `state` is Trusted, Valid or Invalid; `store` and `detail` are its two readings,
    `failures` the codes of what does not hold.
    """

    state: str
    embedded: bool
    active: str
    """Label of the manifest that speaks of these bytes; others are of its sources."""
    store: dict[str, Any]
    detail: dict[str, Any]
    failures: tuple[str, ...]
    manifest: bytes
    """The store's own bytes."""


def missing_extra() -> UsageError:
    """What is raised where c2pa-python is not installed."""
    return UsageError(
        "Content Credentials need an extra that is not installed",
        hint='install it with: pip install "byline-ledger[c2pa]"',
    )


@cache
def engine() -> Any:
    """The package, loaded only when somebody needs it: it has 23 MB."""
    try:
        import c2pa
    except ModuleNotFoundError:
        raise missing_extra() from None
    return c2pa


def version() -> str:
    """Name and version of what validates, for the record."""
    return f"c2pa-python {engine().__version__}"


@cache
def writable() -> frozenset[str]:
    """Media types into which a manifest can be written."""
    return frozenset(engine().Builder.get_supported_mime_types())


@cache
def readable() -> frozenset[str]:
    """Media types out of which one can be read."""
    return frozenset(engine().Reader.get_supported_mime_types())


def write(
    definition: dict[str, Any],
    work: BinaryIO,
    media_type: str,
    signer: Signer,
    *,
    into: BinaryIO | None,
    parent: dict[str, Any] | None = None,
) -> bytes:
    """Signs a manifest about the work; returns the bytes of its store.

    `into` gets the work with the manifest in it; None for one that is kept beside it.
    `parent` makes the work itself, with the manifest it has, the ingredient of that
    description.
    Raises UsageError for what the engine cannot do with these bytes.
    """
    c2pa = engine()
    with engine_errors(f"a manifest for {media_type}"):
        context = c2pa.Context.from_dict(OFFLINE)
        builder = c2pa.Builder(json.dumps(definition), context)
        if parent is not None:
            builder.add_ingredient(json.dumps(parent), media_type, work)
            work.seek(0)
        if into is None:
            builder.set_no_embed()
        signed = c2pa.Signer.from_callback(
            signer.sign, c2pa.C2paSigningAlg.ED25519, signer.chain
        )
        # Beside a work the hash is that of its bytes, whatever they are: for PDF the
        # engine hashes what the file would be with a manifest in it.
        kind = ANY_TYPE if into is None else media_type
        made: bytes = builder.sign(signed, kind, work, into or BytesIO())
    return made


def read(
    work: BinaryIO,
    media_type: str,
    *,
    manifest: bytes | None = None,
    anchors: str | None = None,
) -> Report | None:
    """The report about a work's embedded manifest, or about one that came beside it.

    `anchors` are certificates in PEM that the reader trusts.  None if there is none;
    MalformedError for what is no manifest.
    """
    c2pa = engine()
    if manifest is None and media_type not in readable():
        return None
    settings: dict[str, Any] = dict(OFFLINE)
    if anchors:
        settings["trust"] = {"trust_anchors": anchors}
        settings["verify"] = {**OFFLINE["verify"], "verify_trust": True}
    with engine_errors("a C2PA manifest", MalformedError):
        context = c2pa.Context.from_dict(settings)
        reader = c2pa.Reader.try_create(media_type, work, manifest, context=context)
        if reader is None:
            return None
        with reader:
            store, detail = reader.json(), reader.detailed_json()
            embedded = bool(reader.is_embedded())
            if len(store) + len(detail) > MAX_REPORT:
                raise MalformedError("expected a smaller C2PA manifest")
            short, long = json.loads(store), json.loads(detail)
            active = str(short.get("active_manifest"))
            found = BytesIO()
            reader.resource_to_stream(f"self#jumbf=/c2pa/{active}", found)
    return report(short, long, embedded, active, found.getvalue())


def report(
    short: dict[str, Any],
    long: dict[str, Any],
    embedded: bool,
    active: str,
    manifest: bytes,
) -> Report:
    """The engine's readings of one store as a report."""
    if len(manifest) > MAX_MANIFEST:
        raise MalformedError(f"expected a C2PA manifest of {MAX_MANIFEST} bytes")
    results = short.get("validation_results") or {}
    failed = (results.get("activeManifest") or {}).get("failure") or []
    codes = [words(str(one.get("code", ""))) for one in failed]
    # What the state says already, of everybody who is not on the reader's list.
    codes = [one for one in codes if one != UNTRUSTED]
    return Report(
        state=str(short.get("validation_state", "Invalid")),
        embedded=embedded,
        active=active,
        store=short,
        detail=long,
        failures=tuple(dict.fromkeys(codes)),
        manifest=manifest,
    )


def has_manifest(work: BinaryIO, media_type: str) -> bool:
    """Whether there is one in these bytes, whether it holds or not."""
    try:
        return read(work, media_type) is not None
    except MalformedError:
        return True
    finally:
        work.seek(0)


@contextmanager
def engine_errors(
    what: str, kind: type[MalformedError] | type[UsageError] = UsageError
) -> Iterator[None]:
    """Errors of the engine as ours, in one line."""
    try:
        yield
    except engine().C2paError as error:
        raise kind(f"{what}: {words(str(error))}") from None
    except ValueError as error:  # JSON of strangers, and streams that break
        raise kind(f"{what}: {words(str(error))}") from None


def words(text: str) -> str:
    """The engine's text in one line, without what it says of our files."""
    line = re.sub(r"\s+", " ", text).strip()[:MAX_WORDS]
    return "".join(c if c.isprintable() else "?" for c in line)
