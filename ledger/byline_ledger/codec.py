"""Canonical MessagePack: one value, one encoding (docs/spec/statement.md, "Encoding").

Rule: a decoder accepts bytes only if re-encoding what they say gives the same bytes.
Map keys are strings sorted by their UTF-8 bytes; integers are non-negative and in the
shortest form of the uint family; no floats, extension types or nil.

The only file that imports msgpack.  Its C decoder does the work; what it is too lenient
about (order, duplicates, long forms, types, depth) is caught by a walk over the decoded
value and by packing it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import msgpack

from byline_ledger.errors import MalformedError, UsageError

Value: TypeAlias = "bool | int | str | bytes | Sequence[Value] | Mapping[str, Value]"

MAX_INTEGER = 2**64 - 1
# Deeper values than this are nobody's: it keeps our own recursion bounded.
MAX_PACK_DEPTH = 64
SMALL = 1 << 16
"""Bytes that cannot become much: up to here containers are counted afterwards."""

_PLAIN = frozenset({str, bytes, bool})
_ALLOWED = "booleans, non-negative integers, strings, bytes, arrays and maps"
# All that msgpack can raise on bad bytes: ValueError is the base of FormatError,
# StackError, ExtraData and UnicodeDecodeError.
_BAD_BYTES = (ValueError, msgpack.OutOfData, msgpack.UnpackException)


def pack(value: Value) -> bytes:
    """The canonical encoding of `value`; UsageError if it has none."""
    try:
        data: bytes = msgpack.packb(_ordered(value, MAX_PACK_DEPTH))
    except UnicodeEncodeError as error:
        raise UsageError(f"expected text that is valid Unicode: {error}") from error
    return data


def unpack(
    data: bytes,
    *,
    max_size: int,
    max_depth: int,
    what: str,
    max_containers: int | None = None,
) -> Value:
    """Decode exactly one canonical value of at most `max_size` bytes.

    `max_depth` counts nested containers: a map of scalars has depth 1.  `what` names
    the thing in the message of the MalformedError.  A byte can become an empty map of
    75 bytes in memory: where `max_depth` is 2 or more, keep `max_size` small, name the
    most maps and arrays that there may be, or cut with split_array and split_map.
    """
    _check_size(data, max_size, what)
    _check_complete(data, what)
    if max_depth == 0 and _is_container(data):
        raise MalformedError(f"{what}: expected at most 0 nested levels")
    most = max_containers if max_depth > 1 else max_depth
    try:
        value = _decode(data, most, what)
    except _BAD_BYTES as error:
        raise _not_messagepack(what, error) from error
    containers = _check(value, max_depth, max_depth, what)
    if most is not None and containers > most:
        raise _too_many(what, most)
    if msgpack.packb(value) != data:
        raise MalformedError(f"{what}: expected the shortest form of every element")
    return value  # type: ignore[no-any-return]  # what _check let through


def split_array(
    data: bytes, *, max_size: int, max_items: int, what: str = "array"
) -> list[bytes]:
    """The bytes of each element of one MessagePack array, kept as received.

    The array's own header is checked to be canonical, and nothing may follow it; the
    elements are well-formed MessagePack, but their canonical form is the reader's
    business.
    """
    _check_size(data, max_size, what)
    unpacker = msgpack.Unpacker(max_buffer_size=max(len(data), 1))
    try:
        unpacker.feed(data)
        count = unpacker.read_array_header()
        header = unpacker.tell()
        if count > max_items:
            raise MalformedError(
                f"{what}: expected at most {max_items} elements, got {count}"
            )
        ends = [header]
        for _ in range(count):
            unpacker.skip()
            ends.append(unpacker.tell())
    except _BAD_BYTES as error:
        raise _not_messagepack(what, error) from error
    if ends[-1] != len(data):
        raise MalformedError(f"{what}: bytes follow the end of the array")
    if header != _array_header_size(count):
        raise MalformedError(f"{what}: expected the shortest form of the array header")
    return [data[start:end] for start, end in pairwise(ends)]


def split_map(
    data: bytes, *, max_size: int, max_items: int, what: str = "map"
) -> dict[str, bytes]:
    """The bytes of each value of one MessagePack map, by key, kept as received.

    As `split_array`: header and keys are checked to be canonical, the values are not.
    For large maps from strangers: decoding 32 MiB of empty arrays takes gigabytes.
    """
    _check_size(data, max_size, what)
    unpacker = msgpack.Unpacker(max_buffer_size=max(len(data), 1))
    try:
        unpacker.feed(data)
        count = unpacker.read_map_header()
        if count > max_items:
            raise MalformedError(
                f"{what}: expected at most {max_items} keys, got {count}"
            )
        if unpacker.tell() != _array_header_size(count):
            raise MalformedError(f"{what}: expected the shortest form of the header")
        values: dict[str, bytes] = {}
        for _ in range(count):
            start = unpacker.tell()
            unpacker.skip()
            middle = unpacker.tell()
            unpacker.skip()
            key = unpack(data[start:middle], max_size=256, max_depth=0, what=what)
            if type(key) is not str or (values and key <= next(reversed(values))):
                raise MalformedError(f"{what}: expected string keys in ascending order")
            values[key] = data[middle : unpacker.tell()]
    except _BAD_BYTES as error:
        raise _not_messagepack(what, error) from error
    if unpacker.tell() != len(data):
        raise MalformedError(f"{what}: bytes follow the end of the map")
    return values


def join_array(elements: Sequence[bytes]) -> bytes:
    """The array of elements that are encoded already: the inverse of split_array."""
    header: bytes = msgpack.Packer().pack_array_header(len(elements))
    return header + b"".join(elements)


def _array_header_size(count: int) -> int:
    return 1 if count < 16 else 3 if count < 1 << 16 else 5


def _check_size(data: bytes, max_size: int, what: str) -> None:
    if len(data) > max_size:
        raise MalformedError(
            f"{what}: expected at most {max_size} bytes, got {len(data)}"
        )


def _check_complete(data: bytes, what: str) -> None:
    """Refuse bytes that announce more than they hold, before anything is allocated.

    Without this pass a few kilobytes of nested array headers make the decoder set
    aside gigabytes (78 MB for 13 kB, measured).
    """
    unpacker = msgpack.Unpacker(max_buffer_size=max(len(data), 1))
    try:
        unpacker.feed(data)
        unpacker.skip()
    except _BAD_BYTES as error:
        raise _not_messagepack(what, error) from error
    if unpacker.tell() != len(data):
        raise MalformedError(f"{what}: bytes follow the end of the value")


def _decode(data: bytes, most: int | None, what: str) -> Any:
    """The value; of large bytes, only as long as there are at most `most` containers:
    8 MB of empty ones take 600 MB (measured)."""
    if most is None or len(data) <= SMALL:
        return msgpack.unpackb(data)
    room = most

    def counted(container: Any) -> Any:
        nonlocal room
        room -= 1
        if room < 0:
            raise _too_many(what, most)
        return container

    return msgpack.unpackb(data, list_hook=counted, object_hook=counted)


def _too_many(what: str, most: int) -> MalformedError:
    return MalformedError(f"{what}: expected at most {most} maps and arrays")


def _is_container(data: bytes) -> bool:
    """Whether the first byte is that of an array or a map, in whatever form."""
    return 0x80 <= data[0] <= 0x9F or 0xDC <= data[0] <= 0xDF


def _check(value: Any, room: int, max_depth: int, what: str) -> int:
    """Walk a decoded value: allowed types, key order and depth.  Counts containers.

    Every statement of every peer comes through here, hence the flat form.
    """
    items: Iterable[Any]
    containers = 1
    if type(value) is dict:
        _check_keys(value, what)
        items = value.values()
    elif type(value) is list:
        items = value
    else:
        items, room, containers = (value,), room + 1, 0
    if room == 0:
        raise MalformedError(f"{what}: expected at most {max_depth} nested levels")
    for item in items:
        kind = type(item)
        if kind in _PLAIN:
            continue
        if kind is int:
            if item < 0:
                raise MalformedError(f"{what}: expected no negative integer")
        elif kind is dict or kind is list:
            containers += _check(item, room - 1, max_depth, what)
        else:
            raise MalformedError(f"{what}: expected {_ALLOWED}, got {_name_of(kind)}")
    return containers


def _check_keys(value: dict[object, object], what: str) -> None:
    # The decoder let through only str and bytes, which cannot be sorted together.
    # Code point order is the order of the UTF-8 bytes.  Duplicates are caught later:
    # packing a dict that swallowed one gives fewer bytes.
    keys = list(value)
    try:
        ascending = keys == sorted(keys)  # type: ignore[type-var]  # see above
    except TypeError:
        ascending = False
    if not ascending or (keys and type(keys[0]) is not str):
        raise MalformedError(
            f"{what}: expected strings as map keys, in the order of their bytes"
        )


def _ordered(value: Value, room: int) -> Value:
    """`value` with maps in key order, after checking that it has an encoding."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is int:
        if 0 <= value <= MAX_INTEGER:  # type: ignore[operator]  # an int
            return value
        raise UsageError(f"expected an integer from 0 to 2^64-1, got {value!r}")
    if room == 0:
        raise UsageError(f"expected at most {MAX_PACK_DEPTH} nested levels")
    if isinstance(value, Mapping):
        _check_own_keys(value)
        return {key: _ordered(value[key], room - 1) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [_ordered(item, room - 1) for item in value]
    raise UsageError(f"expected {_ALLOWED}, got {_name_of(kind)}")


def _check_own_keys(value: Mapping[str, Value]) -> None:
    for key in value:
        if type(key) is not str:
            raise UsageError(f"expected strings as map keys, got {_name_of(type(key))}")


def _name_of(kind: type) -> str:
    return "nil" if kind is type(None) else kind.__name__


def _not_messagepack(what: str, error: Exception) -> MalformedError:
    # The decoder's own text may quote bytes of a stranger: name only its class.
    reason = _REASONS.get(type(error), "malformed")
    return MalformedError(f"{what}: expected canonical MessagePack, got {reason} bytes")


_REASONS: dict[type[Exception], str] = {
    msgpack.OutOfData: "truncated",
    msgpack.StackError: "too deeply nested",
    UnicodeDecodeError: "invalid UTF-8 among the",
}
