"""Does a picture's file end before the picture does?  Its bytes are all there is of it:
nothing is decoded, and no library is needed.

A copy that broke off has a digest like any other file, and whoever attests or passes it
on would not notice.
"""

from __future__ import annotations

from pathlib import Path

MAX_BYTES = 256 << 20
"""Larger files are not looked at."""

JPEG, PNG = b"\xff\xd8", b"\x89PNG\r\n\x1a\n"
SCAN, END = 0xDA, b"\xff\xd9"
ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers of JPEG that have no length."""


def is_cut_short(path: Path) -> bool:
    """Whether this is a JPEG or PNG that breaks off; False for all that is not known,
    and for what cannot be read."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return False
        data = path.read_bytes()
    except OSError:
        return False
    if data.startswith(JPEG):
        return not jpeg_ends(data)
    return data.startswith(PNG) and not png_ends(data)


def jpeg_ends(data: bytes) -> bool:
    """Whether its last marker stands behind the scan: one before it is a preview's."""
    at = len(JPEG)
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return True  # no JPEG as we know it: not ours to judge
        kind = data[at + 1]
        if kind == SCAN:
            return data.find(END, at) >= 0
        if kind == 0xFF:  # filled up
            at += 1
        elif kind in ALONE:
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return data[at : at + 2] == END


def png_ends(data: bytes) -> bool:
    """Whether its chunks go on to the last one."""
    at = len(PNG)
    while at + 12 <= len(data):
        if data[at + 4 : at + 8] == b"IEND":
            return True
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    return False
