"""Cases of log_tiles.json."""

from __future__ import annotations

from log_cases import Case, bad, ok
from naive_bundle import sha256, tree_root


def index_text(index: int) -> str:
    digits = str(index)
    while len(digits) % 3:
        digits = "0" + digits
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    return "".join(f"x{group}/" for group in groups[:-1]) + groups[-1]


def path_of(level: int | None, index: int, width: int) -> str:
    kind = "entries" if level is None else str(level)
    return f"tile/{kind}/{index_text(index)}" + (f".p/{width}" if width < 256 else "")


def tile_vectors() -> dict[str, list[Case]]:
    return {
        "paths": [*good_paths(), *bad_paths()],
        "sizes": [size_case(size) for size in (0, 1, 255, 256, 257, 65_536, 70_000)],
        "contents": [content_case(size) for size in (1, 255, 256, 300)],
        "bundles": bundle_cases(),
    }


def good_paths() -> list[Case]:
    names = [
        *((0, 0, 256), (0, 0, 1), (0, 999, 255), (1, 1000, 256), (5, 1_234_067, 17)),
        *((63, 0, 256), (None, 0, 256), (None, 273, 112), (9, 2**63 - 1, 256)),
    ]
    return [
        ok(
            path_of(*name),
            path=path_of(*name),
            level=name[0],
            index=name[1],
            width=name[2],
        )
        for name in names
    ]


def bad_paths() -> list[Case]:
    paths = {
        "no prefix": "0/000",
        "other prefix": "tiles/0/000",
        "absolute": "/tile/0/000",
        "level 64": "tile/64/000",
        "level with a zero in front": "tile/00/000",
        "level of three digits": "tile/100/000",
        "level with a sign": "tile/+1/000",
        "level in another script": "tile/\u0663/000",
        "index not padded": "tile/0/67",
        "index with an empty group in front": "tile/0/x000/067",
        "last group prefixed": "tile/0/x000",
        "first group not prefixed": "tile/0/001/000",
        "index with an underscore": "tile/0/0_1",
        "index with a blank": "tile/0/ 01",
        "index in another script": "tile/0/\u0660\u0660\u0661",
        "index of 2^63": path_of(0, 2**63, 256),
        "width missing": "tile/0/067.p/",
        "width and slash missing": "tile/0/067.p",
        "width 0": "tile/0/067.p/0",
        "width 256": "tile/0/067.p/256",
        "width 257": "tile/0/067.p/257",
        "entries, width 999": "tile/entries/067.p/999",
        "width with a zero in front": "tile/0/067.p/01",
        "width in another script": "tile/0/067.p/\u0663",
        "trailing slash": "tile/0/067/",
        "trailing newline": "tile/0/067\n",
        "parent folder": "tile/0/../000",
        "unknown kind": "tile/data/000",
        "very long": "tile/0/" + "x001/" * 200 + "001",
    }
    return [bad(name, path=path) for name, path in paths.items()]


def size_case(size: int) -> Case:
    widths = []
    level = 0
    while size >> 8 * level:
        widths.append([(size >> 8 * level) // 256, (size >> 8 * level) % 256])
        level += 1
    paths = [
        path_of(level, index, 256)
        for level, (full, _) in enumerate(widths)
        for index in range(full)
        if full < 3
    ]
    last = [
        path_of(level, full, width)
        for level, (full, width) in enumerate(widths)
        if width
    ]
    return ok(f"size {size}", size=size, widths=widths, few_full=paths, partial=last)


def content_case(size: int) -> Case:
    entries = tuple(n.to_bytes(2, "big") for n in range(size))
    level_0 = [sha256(b"\0" + entry) for entry in entries]
    level_1 = [
        tree_root(entries[256 * n : 256 * (n + 1)]) for n in range(len(entries) // 256)
    ]
    tiles = {}
    for level, hashes in enumerate((level_0, level_1)):
        for start in range(0, len(hashes), 256):
            part = hashes[start : start + 256]
            tiles[path_of(level, start // 256, len(part))] = sha256(
                b"".join(part)
            ).hex()
    for start in range(0, len(entries), 256):
        part = entries[start : start + 256]
        data = b"".join(len(entry).to_bytes(2, "big") + entry for entry in part)
        tiles[path_of(None, start // 256, len(part))] = sha256(data).hex()
    root = tree_root(entries).hex()
    return ok(
        f"{size} entries, each its number as u16", size=size, root=root, sha256=tiles
    )


def bundle_cases() -> list[Case]:
    def framed(entry: bytes) -> bytes:
        return len(entry).to_bytes(2, "big") + entry

    two = framed(b"ab") + framed(b"")
    return [
        ok("two entries", width=2, data=two.hex(), entries=["6162", ""]),
        bad("an entry too few", width=3, data=two.hex()),
        bad("an entry too many", width=1, data=two.hex()),
        bad("cut in an entry", width=1, data=framed(b"abc")[:-1].hex()),
        bad("cut in a length", width=1, data="00"),
        bad("empty", width=1, data=""),
    ]
