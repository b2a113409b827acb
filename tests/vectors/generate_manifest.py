"""Writes manifest.json: manifests, what is read of them, and trees over entries.

Imports nothing of ours.  Each case says what comes of every line by hand; `lines` null
means that the file is no manifest.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
HEX = hashlib.sha256(b"a photo").hexdigest()
OTHER = hashlib.sha256(b"its negative").hexdigest()


def row(line: int, digest: str = HEX, **more: object) -> dict[str, Any]:
    names = ("path", "bytes", "media-type", "license", "url")
    values = {name: more.get(name.replace("-", "_")) for name in names}
    return {"line": line, "digest": "1220" + digest, **values}


def bad(line: int) -> dict[str, Any]:
    return {"line": line, "bad": True}


FILES: list[tuple[str, bytes, list[dict[str, Any]] | None]] = [
    ("empty", b"", []),
    ("a header alone", b"digest,path\n", []),
    (
        "all columns",
        f"digest,path,bytes,media-type,license,url\n{HEX},a/b.txt,7,text/plain,mit,https://a.example/\n".encode(),
        [
            row(
                2,
                path="a/b.txt",
                bytes=7,
                media_type="text/plain",
                license="MIT",
                url="https://a.example/",
            )
        ],
    ),
    (
        "byte order mark, CR LF, a quoted path, no line feed at the end",
        b"\xef\xbb\xbf" + f'path,digest\r\n"a, ""b""",{HEX}\r\n,{OTHER}'.encode(),
        [row(2, path='a, "b"'), row(3, OTHER)],
    ),
    (
        "other names of columns, and one that is not known",
        f"File_Name,Size,SHA256,colour\nx,08,{HEX},red\n".encode(),
        [row(2, path="x", bytes=8)],
    ),
    (
        "percent coding in paths",
        f"digest,path\n{HEX},%0A%25%\n{HEX},%ff\n".encode(),
        [row(2, path="\n%%"), row(3, path="\udcff")],
    ),
    (
        "values that are not sound are unknown",
        f"digest,bytes,media-type,license\n{HEX},-7,text,Mine\n{HEX},9223372036854775808,,\n".encode(),
        [row(2), row(3)],
    ),
    (
        "addresses that are not sound are unknown",
        (f"digest,url\n{HEX},{'u' * 2048}\n{HEX},{'u' * 2049}\n{HEX},a\tb\n").encode()
        + f"{HEX},caf".encode()
        + b"\xe9\n",
        [row(2, url="u" * 2048), row(3), row(4), row(5)],
    ),
    (
        "a path that is too long is unknown",
        (
            f"digest,path\n{HEX},{'a' * 4096}\n{HEX},{'a' * 4097}\n"
            f"{HEX},{'%01' * 4096}\n"
        ).encode(),
        [row(2, path="a" * 4096), row(3), row(4, path="\x01" * 4096)],
    ),
    (
        "bad lines, and the rest goes on",
        f'digest,path\n{HEX},a\nnonsense,b\n{HEX}\n{HEX},c,d\n"{HEX}\n\n{OTHER},e\n'.encode(),
        [row(2, path="a"), bad(3), bad(4), bad(5), bad(6), row(8, OTHER, path="e")],
    ),
    (
        "output of sha256sum",
        f"{HEX}  a.txt\n{OTHER} *b c.bin\n\\{HEX}  x\\ny\\\\\n".encode(),
        [row(1, path="a.txt"), row(2, OTHER, path="b c.bin"), row(3, path="x\ny\\")],
    ),
    (
        "BSD lines, bare hashes, remarks, other hashes",
        (
            f"# remark\n\nSHA256 (a) = {HEX}\nsha256:{OTHER}\n1220{HEX}\n"
            f"{'ab' * 16}  md5\n"
        ).encode(),
        [row(3, path="a"), row(4, OTHER), row(5), bad(6)],
    ),
    (
        "a name of sha256sum that is too long",
        f"{HEX}  {'a' * 4097}\n".encode(),
        [row(1)],
    ),
    ("a table without digests", b"path,bytes\na,1\n", None),
    ("two columns of one meaning", f"digest,sha256\n{HEX},{HEX}\n".encode(), None),
    ("binary", b"\x89PNG\r\n\x1a\n\x00\x00", None),
]


def leaf(number: int) -> bytes:
    digest = b"\x12\x20" + hashlib.sha256(str(number).encode()).digest()
    return hashlib.sha256(b"\x00" + digest).digest()


def root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    both = root(leaves[:half]) + root(leaves[half:])
    return hashlib.sha256(b"\x01" + both).digest()


def proof(leaves: list[bytes], index: int) -> list[bytes]:
    if len(leaves) == 1:
        return []
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    if index < half:
        return [*proof(leaves[:half], index), root(leaves[half:])]
    return [*proof(leaves[half:], index - half), root(leaves[:half])]


def tree(count: int) -> dict[str, Any]:
    leaves = [leaf(number) for number in range(count)]
    places = sorted({0, count // 2, count - 1}) if count else []
    return {
        "count": count,
        "root": root(leaves).hex(),
        "proofs": [
            {"index": place, "proof": [one.hex() for one in proof(leaves, place)]}
            for place in places
        ],
    }


def main() -> None:
    """Entry i of a tree is the digest of the decimal digits of i."""
    cases = {
        "files": [
            {"desc": desc, "file": data.hex(), "lines": lines}
            for desc, data, lines in FILES
        ],
        "trees": [tree(count) for count in (0, 1, 2, 3, 7, 8, 100, 1_500)],
    }
    text = json.dumps(cases, indent=1, ensure_ascii=True) + "\n"
    (HERE / "manifest.json").write_text(text, "utf-8")
    print(f"manifest.json: {len(FILES)} files, {len(cases['trees'])} trees")


if __name__ == "__main__":
    main()
