"""Writes names.json, the vectors of docs/spec/names.md, from that page alone.

    python tests/vectors/generate_names.py            write the file
    python tests/vectors/generate_names.py --check    compare it with what is there

`forms`: a method, a name, and whether it is looked up.  `signatures`: the bytes of
an SSHSIG, and the key that it should be for.  `checks`: an entry of a profile, what the
world answers (to a URL or `TXT NAME`: bytes in hex, long ones as pieces of hex and how
often each is repeated, null for nothing there, 0 for no answer) and the outcome.
Imports nothing of the program.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from naive_bundle import Key

Case = dict[str, Any]

ALICE, MALLORY, SSH = Key("alice"), Key("mallory"), Key("ssh key of alice")
SYMBOLS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
DOMAIN = "studio.example"
PLC = "did:plc:abcdefghijklmnopqrstuvwx"
PLC_URL = f"https://plc.directory/{PLC}"
NO_ANSWER = 0

# `printf %s KEY | ssh-keygen -Y sign -n byline-key`, KEY being the example's author in
# statement.md, by OpenSSH: not written here, so that somebody else's program is in it.
BY_OPENSSH = (
    "U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgZqy55mkyLlSBj0sJA+1IvP/Jv7TggPjV"
    "mXd6ME1V9jQAAAAKYnlsaW5lLWtleQAAAAAAAAAGc2hhNTEyAAAAUwAAAAtzc2gtZWQyNTUxOQAA"
    "AEANKtDQQhJcLEgkZEMR5Uh/uqUXC+J5aNyckDsi0yW0hZNxTYlhdP5AIro0LRjjiVvQiDvfCkPf"
    "R/z4EG7b73wG"
)
EXAMPLE_KEY = "3a8b6643ab0e58651b295fd55edd30d5c5cfdac702b582ddb10c0ed1f7f56115"


def did_key(key: Key) -> str:
    number = int.from_bytes(b"\xed\x01" + key.public, "big")
    text = ""
    while number:
        number, value = divmod(number, 58)
        text = SYMBOLS[value] + text
    return "did:key:z" + text


KEY = did_key(ALICE)
OTHER = did_key(MALLORY)


# Forms


def form_cases() -> list[Case]:
    good = {
        "domain-file": [DOMAIN, "a.b", "xn--bcher-kva.example", "1.a", f"{'a' * 63}.b"],
        "dns-txt": [DOMAIN, ".".join(["a" * 63] * 3 + ["b" * 61])],
        "did-web": [
            *(f"did:web:{DOMAIN}", f"did:web:{DOMAIN}:u:Alice_1.x-y"),
            *(f"did:web:{DOMAIN}%3A8443", f"did:web:{DOMAIN}%3A65535:a"),
        ],
        "atproto": ["alice.studio.example"],
        "ssh": ["github.com/alice", "git.studio.example/-A_1.b", f"a.b/{'x' * 64}"],
    }
    wrong = {
        "domain-file": [
            *("", "example", ".a.b", "a.b.", "a..b", "A.b", "a-.b", "-a.b", "a.b/c"),
            *("bücher.example", f"{'a' * 64}.b", "127.0.0.1", "a.1", "[::1]", "a b.c"),
            *(
                "a.local",
                "a.localhost",
                "a.internal",
                "a.onion",
                "1.0.127.in-addr.arpa",
            ),
            *("a.invalid", "a.alt", ".".join(["a" * 63] * 3 + ["b" * 62]), "a.b:443"),
            *("a.b@c.d", "a_b.c", "a.b\n"),
        ],
        "dns-txt": ["_byline.studio.example", "localhost"],
        "did-web": [
            *(
                DOMAIN,
                "did:web:",
                "did:web:localhost",
                "did:web:a.b:",
                "did:web:a.b:c:",
            ),
            *(
                "did:web:a.b%3A",
                "did:web:a.b%3A0",
                "did:web:a.b%3A65536",
                "did:web:a.b%3a1",
            ),
            *(
                "did:web:a.b%3A080",
                "did:web:a.b:..",
                "did:web:a.b:.",
                "did:web:a.b:c/d",
            ),
            *("did:web:a.b:c%2Fd", "did:web:a.b:c?d", "did:plc:a.b", "DID:web:a.b"),
            "did:web:a.b:" + "c" * 242,
        ],
        "atproto": ["@alice.studio.example", "alice", "at://alice.studio.example"],
        "ssh": [
            *("github.com", "github.com/", "github.com/a/b", "/alice", "alice@a.b"),
            *(
                "github.com/.a",
                "localhost/alice",
                f"a.b/{'x' * 65}",
                "a.b/ü",
                "a.b/x.y?",
            ),
            "https://github.com/alice",
        ],
        "facebook": [DOMAIN],
    }
    return [
        {"name": f"{method} {name[:40]!a} {len(name)}", "expect": expect} | form
        for expect, table in (("ok", good), ("usage", wrong))
        for method, names in table.items()
        for name in names
        for form in [{"method": method, "text": name}]
    ]


# SSH signatures


def string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def sshsig(
    key: Key = SSH,
    of: str = KEY,
    *,
    over: str = "byline-key",
    namespace: str = "byline-key",
    hashed: str = "sha512",
    reserved: bytes = b"",
    kind: bytes = b"ssh-ed25519",
    signed_kind: bytes = b"ssh-ed25519",
    version: int = 1,
    tail: bytes = b"",
    cut: int = 0,
    flip: int = 0,
    size: int = 64,
) -> bytes:
    """A signature by `key` over `of`, with one thing as a case wants it."""
    digest = hashlib.new(hashed if hashed != "md5" else "sha256", of.encode()).digest()
    parts = over.encode(), b"", hashed.encode(), digest
    signature = key.sign(b"SSHSIG" + b"".join(map(string, parts)))
    signature = bytes([signature[0] ^ flip]) + signature[1:size]
    blob = b"SSHSIG" + version.to_bytes(4, "big")
    blob += string(string(kind) + string(key.public))
    blob += string(namespace.encode()) + string(reserved) + string(hashed.encode())
    blob += string(string(signed_kind) + string(signature)) + tail
    return blob[: len(blob) - cut]


def signature_cases() -> list[Case]:
    def case(
        name: str, expect: str, blob: bytes, key: str = ALICE.public.hex()
    ) -> Case:
        return {"name": name, "expect": expect, "bytes": blob.hex(), "key": key}

    rsa = string(string(b"ssh-rsa") + string(b"\x01\x00\x01") + string(b"\x7f" * 256))
    bad = "malformed"
    return [
        case("sha512", "ok", sshsig()),
        case("sha256", "ok", sshsig(hashed="sha256")),
        case("by OpenSSH", "ok", base64.b64decode(BY_OPENSSH), EXAMPLE_KEY),
        case("for another key", "bad-signature", sshsig(of=OTHER)),
        case("with a line's end", "bad-signature", sshsig(of=KEY + "\n")),
        case("for file", "bad-signature", sshsig(over="file", namespace="file")),
        case("made for file, said for us", "bad-signature", sshsig(over="file")),
        case("one bit", "bad-signature", sshsig(flip=1)),
        case("empty", bad, b""),
        case("another magic", bad, b"SSHSIH" + sshsig()[6:]),
        case("version 2", bad, sshsig(version=2)),
        case("md5", bad, sshsig(hashed="md5")),
        case("reserved", bad, sshsig(reserved=b"x")),
        case("a tail", bad, sshsig(tail=b"\x00")),
        case("cut in the signature", bad, sshsig(cut=1)),
        case("cut in the head", bad, sshsig()[:12]),
        case("another type", bad, sshsig(kind=b"ssh-ed448")),
        case("another type signed", bad, sshsig(signed_kind=b"ssh-rsa")),
        case("signature of 63", bad, sshsig(size=63)),
        case("RSA", bad, b"SSHSIG\x00\x00\x00\x01" + rsa + sshsig()[61:]),
    ]


# Checks


def txt(*records: str) -> bytes:
    return "".join(f"{one}\n" for one in records).encode()


def doc(did: str, **members: Any) -> bytes:
    return json.dumps({"id": did} | members).encode()


def multikey(key: str = KEY, **members: Any) -> dict[str, Any]:
    shown = key.removeprefix("did:key:")
    return {"id": "#b", "type": "Multikey", "publicKeyMultibase": shown} | members


def jwk(x: str, **members: Any) -> dict[str, Any]:
    return {"publicKeyJwk": {"kty": "OKP", "crv": "Ed25519", "x": x} | members}


def pieces(data: bytes) -> Any:
    """Hex; long runs of one byte as pieces of hex and how often each is repeated."""
    if len(data) < 10_000:
        return data.hex()
    runs = [(one, len(list(many))) for one, many in groupby(data)]
    return [[f"{one:02x}", times] for one, times in runs]


def check(
    name: str, expect: str, method: str, of: str, world: dict[str, Any], **more: Any
) -> Case:
    shown = {
        asked: pieces(said) if isinstance(said, bytes) else said
        for asked, said in world.items()
    }
    case = {"name": f"{method}: {name}", "expect": expect, "method": method, "of": of}
    return case | {"key": ALICE.public.hex(), "world": shown} | more


def file_checks() -> list[Case]:
    url = f"https://{DOMAIN}/.well-known/byline.json"

    def one(name: str, expect: str, said: Any) -> Case:
        data = json.dumps(said).encode() if isinstance(said, dict | list) else said
        return check(name, expect, "domain-file", DOMAIN, {url: data})

    ok, no = "confirmed", "refuted"
    raw = KEY.encode()
    deep = b'{"keys":["%s"],"x":%s1%s}'
    return [
        one("one key", ok, {"keys": [KEY]}),
        one("among 64", ok, {"keys": [OTHER] * 63 + [KEY], "more": {"a": 1.5}}),
        one("16 levels", ok, deep % (raw, b"[" * 15, b"]" * 15)),
        one("17 levels", no, deep % (raw, b"[" * 16, b"]" * 16)),
        one("a deep well", no, b"[" * 60_000),
        one("another key", no, {"keys": [OTHER]}),
        one("65 keys", no, {"keys": [KEY] * 65}),
        one("no keys", no, {"keys": []}),
        one("keys that are no list", no, {"keys": KEY}),
        one("a key that is no text", no, {"keys": [KEY, 1]}),
        one("in another member", no, {"key": [KEY]}),
        one("a list", no, [KEY]),
        one("a member twice", no, b'{"keys":["%s"],"keys":["%s"]}' % (raw, raw)),
        one("NaN", no, b'{"keys":["%s"],"x":NaN}' % raw),
        one("no UTF-8", no, b'{"keys":["%s"],"x":"\xff"}' % raw),
        one("no JSON", no, raw),
        one("capitals", no, {"keys": [KEY.upper()]}),
        one("nothing there", no, None),
        one("no answer", "unreachable", NO_ANSWER),
        check("a name of one network", no, "domain-file", "studio.local", {}),
        check("an unknown method", no, "facebook", DOMAIN, {}),
    ]


def txt_checks() -> list[Case]:
    asked = f"TXT _byline.{DOMAIN}"

    def one(name: str, expect: str, said: Any) -> Case:
        return check(name, expect, "dns-txt", DOMAIN, {asked: said})

    return [
        one("one record", "confirmed", txt(f"byline-key={KEY}")),
        one("among others", "confirmed", txt("v=spf1 -all", f"byline-key={KEY}")),
        one(
            "of two keys", "confirmed", txt(f"byline-key={OTHER}", f"byline-key={KEY}")
        ),
        one("another key", "refuted", txt(f"byline-key={OTHER}")),
        one("a blank before it", "refuted", txt(f" byline-key={KEY}")),
        one("a word behind it", "refuted", txt(f"byline-key={KEY} x")),
        one("without the word", "refuted", txt(KEY)),
        one("bytes", "refuted", b"byline-key=\xff\n"),
        one("no record", "refuted", None),
        one("no answer", "unreachable", NO_ANSWER),
    ]


def did_checks() -> list[Case]:
    did = f"did:web:{DOMAIN}"
    url = f"https://{DOMAIN}/.well-known/did.json"
    x = base64.urlsafe_b64encode(ALICE.public).rstrip(b"=").decode()
    loose = x[:-1] + chr(ord(x[-1]) + 1)

    def one(name: str, expect: str, said: Any, of: str = did, at: str = url) -> Case:
        return check(name, expect, "did-web", of, {at: said})

    def method(name: str, expect: str, *methods: Any) -> Case:
        return one(name, expect, doc(did, verificationMethod=list(methods)))

    deep, port = f"{did}:u:alice", f"{did}%3A8443"
    ok, no = "confirmed", "refuted"
    return [
        method("multibase", ok, multikey()),
        method("controlled by itself", ok, multikey(controller=did)),
        method("the second method", ok, multikey(OTHER), multikey()),
        method("jwk", ok, jwk(x)),
        one("known as", ok, doc(did, alsoKnownAs=["https://a.b", KEY])),
        one(
            "in a folder",
            ok,
            doc(deep, alsoKnownAs=[KEY]),
            deep,
            f"https://{DOMAIN}/u/alice/did.json",
        ),
        one(
            "on a port",
            ok,
            doc(port, alsoKnownAs=[KEY]),
            port,
            f"https://{DOMAIN}:8443/.well-known/did.json",
        ),
        method("another key", no, multikey(OTHER)),
        method("of another controller", no, multikey(controller="did:web:a.b")),
        method("jwk of another curve", no, jwk(x, crv="X25519")),
        method("jwk of another type", no, jwk(x, kty="EC")),
        method("jwk with loose bits", no, jwk(loose)),
        method("jwk that is padded", no, jwk(x + "=")),
        method("jwk of 31 bytes", no, jwk(x[:-2])),
        method("jwk of another alphabet", no, jwk("ü" * 43)),
        method("jwk without x", no, {"publicKeyJwk": {"kty": "OKP", "crv": "Ed25519"}}),
        method("jwk that is a text", no, {"publicKeyJwk": x}),
        method("base58 of old", no, {"publicKeyBase58": KEY[9:]}),
        method("methods that are texts", no, KEY),
        method("65 methods", no, *[multikey()] * 65),
        one("methods that are no list", no, doc(did, verificationMethod=multikey())),
        one("names that are no texts", no, doc(did, alsoKnownAs=[KEY, 1])),
        one("another id", no, doc(f"{did}:x", alsoKnownAs=[KEY])),
        one("no id", no, json.dumps({"alsoKnownAs": [KEY]}).encode()),
        one("an id of no length", no, doc("", alsoKnownAs=[KEY])),
        one("too large", no, doc(did, alsoKnownAs=[KEY]).ljust(65_537)),
        one("as large as may be", ok, doc(did, alsoKnownAs=[KEY]).ljust(65_536)),
        one("nothing there", no, None),
        one("no answer", "unreachable", NO_ANSWER),
    ]


def handle_checks() -> list[Case]:
    handle = f"alice.{DOMAIN}"
    asked = f"TXT _atproto.{handle}"
    file = f"https://{handle}/.well-known/atproto-did"
    at = f"at://{handle}"
    sound = doc(PLC, alsoKnownAs=[at, KEY])
    by_txt = {asked: txt(f"did={PLC}")}

    def one(name: str, expect: str, world: dict[str, Any]) -> Case:
        return check(name, expect, "atproto", handle, world)

    ok, no, off = "confirmed", "refuted", "unreachable"
    web = f"did:web:{handle}"
    return [
        one("by TXT", ok, by_txt | {PLC_URL: sound}),
        one("the DID twice", ok, {asked: txt(*[f"did={PLC}"] * 2), PLC_URL: sound}),
        one("by file", ok, {asked: None, file: f" {PLC}\r\n".encode(), PLC_URL: sound}),
        one(
            "by file, no DNS",
            ok,
            {asked: NO_ANSWER, file: PLC.encode(), PLC_URL: sound},
        ),
        one(
            "did:web",
            ok,
            {
                asked: txt("x=y", f"did={web}"),
                f"https://{handle}/.well-known/did.json": doc(
                    web,
                    alsoKnownAs=["https://a.b", at],
                    verificationMethod=[multikey()],
                ),
            },
        ),
        one(
            "first among handles",
            ok,
            by_txt | {PLC_URL: doc(PLC, alsoKnownAs=[KEY, at, "at://mallory.example"])},
        ),
        one(
            "the handle second",
            no,
            by_txt | {PLC_URL: doc(PLC, alsoKnownAs=["at://mallory.example", at, KEY])},
        ),
        one("no handle", no, by_txt | {PLC_URL: doc(PLC, alsoKnownAs=[KEY])}),
        one(
            "with a path", no, by_txt | {PLC_URL: doc(PLC, alsoKnownAs=[at + "/", KEY])}
        ),
        one("without the key", no, by_txt | {PLC_URL: doc(PLC, alsoKnownAs=[at])}),
        one(
            "document of another",
            no,
            by_txt | {PLC_URL: doc(PLC[:-1] + "y", alsoKnownAs=[at, KEY])},
        ),
        one("two DIDs", no, {asked: txt(f"did={PLC}", f"did={PLC[:-1]}y")}),
        one("neither TXT nor file", no, {asked: None, file: None}),
        one("no DNS, no file", off, {asked: NO_ANSWER, file: None}),
        one("no TXT, no answer", off, {asked: None, file: NO_ANSWER}),
        one("no document", no, by_txt | {PLC_URL: None}),
        one("no directory", off, by_txt | {PLC_URL: NO_ANSWER}),
        one("a file of something else", no, {asked: None, file: b"<html>"}),
        one("a file of bytes", no, {asked: None, file: b"did:\xff"}),
        one("a long DID", no, {asked: None, file: b"did:plc:" + b"a" * 2048}),
        one("a DID in two lines", no, {asked: None, file: PLC.encode() + b"\nx"}),
        one("did:key", no, {asked: txt(f"did={KEY}")}),
        one("did:web with a folder", no, {asked: txt(f"did={web}:a")}),
        one("did:web of this machine", no, {asked: txt("did=did:web:localhost")}),
        one("did:plc that is short", no, {asked: txt(f"did={PLC[:-1]}")}),
    ]


def ssh_checks() -> list[Case]:
    name, url = "github.com/alice", "https://github.com/alice.keys"
    blob = base64.b64encode(string(b"ssh-ed25519") + string(SSH.public))
    line = b"ssh-ed25519 " + blob
    rsa = b"ssh-rsa " + base64.b64encode(string(b"ssh-rsa") + string(b"\x7f" * 256))

    def one(title: str, expect: str, said: Any, signature: bytes | None = None) -> Case:
        made = sshsig() if signature is None else signature
        return check(title, expect, "ssh", name, {url: said}, signature=made.hex())

    ok, no = "confirmed", "refuted"
    short = base64.b64encode(string(b"ssh-ed25519") + string(SSH.public[:31]))
    return [
        one("one key", ok, line),
        one(
            "with a comment, among others",
            ok,
            rsa + b"\n\n" + line + b" alice@home\r\n",
        ),
        one("in line 256", ok, b"\n" * 255 + line),
        one("in line 257", no, b"\n" * 256 + line),
        one("another key", no, line.replace(blob, blob[:-4] + b"AAAA")),
        one("no key", no, b"\n"),
        one("no base64", no, b"ssh-ed25519 !!!!"),
        one("a key of 31 bytes", no, b"ssh-ed25519 " + short),
        one("called RSA", no, b"ssh-rsa " + blob),
        one("without its type", no, blob),
        one("too large", no, line.ljust(65_537)),
        one("signed for another", no, line, sshsig(of=OTHER)),
        one("signed for git", no, line, sshsig(over="git", namespace="git")),
        one("signed by another", no, line, sshsig(MALLORY)),
        one("not signed", no, line, b""),
        one("nothing there", no, None),
        one("no answer", "unreachable", NO_ANSWER),
    ]


def vectors() -> dict[str, Any]:
    checks = [file_checks(), txt_checks(), did_checks(), handle_checks(), ssh_checks()]
    lines = base64.encodebytes(base64.b64decode(BY_OPENSSH)).decode()
    armour = f"-----BEGIN SSH SIGNATURE-----\n{lines}-----END SSH SIGNATURE-----\n"
    return {
        "armour": armour,
        "checks": [one for group in checks for one in group],
        "forms": form_cases(),
        "signatures": signature_cases(),
    }


def main() -> None:
    path = Path(__file__).with_name("names.json")
    text = json.dumps(vectors(), indent=1, sort_keys=True) + "\n"
    if "--check" not in sys.argv[1:]:
        path.write_text(text, "ascii")
        print(f"{path.name}: {len(text)} bytes")
    elif path.read_text("ascii") != text:
        sys.exit(f"{path.name} is not what {Path(__file__).name} writes")


if __name__ == "__main__":
    main()
