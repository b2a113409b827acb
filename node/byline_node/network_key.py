"""The key of a private network: a file of 32 bytes that all its nodes share.

    /key/swarm/psk/1.0.0/
    /base16/
    <64 hexadecimal digits>

Rule: the key never comes into a log line, an error or an answer.  It decides who may
connect at all, below encryption and identity, which stay what they are without it.
Form and use: docs/spec/network.md, "Transport".
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

from byline_node.errors import ConfigError

KEY_BYTES = 32
MAX_FILE = 1_024
HEADER = b"/key/swarm/psk/1.0.0/"
FORM = "expected /key/swarm/psk/1.0.0/, /base16/ and 64 hexadecimal digits"


def read_network_key(path: Path | None) -> bytes | None:
    """The key in a file, if one is named.  ConfigError, without any of it, if bad."""
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    try:
        return parse_network_key(text)
    except ConfigError as error:
        raise ConfigError(f"{path} is not a network key: {error}") from None


def parse_network_key(text: bytes) -> bytes:
    """The key in the usual three lines; its digits may be in base 16 or 64."""
    lines = text.replace(b"\r\n", b"\n").removesuffix(b"\n").split(b"\n")
    if len(text) > MAX_FILE or len(lines) != 3 or lines[0] != HEADER:
        raise ConfigError(FORM)
    key = _decode(lines[1], lines[2])
    if len(key) != KEY_BYTES:
        raise ConfigError(f"expected {KEY_BYTES} bytes, got {len(key)}")
    return key


def _decode(encoding: bytes, digits: bytes) -> bytes:
    try:
        if encoding == b"/base16/":
            return binascii.unhexlify(digits)
        if encoding == b"/base64/":
            return base64.b64decode(digits, validate=True)
    except ValueError:
        pass  # it would show some of the digits
    raise ConfigError(FORM)
