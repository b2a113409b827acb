"""What `collection`, `label` and `settlement` statements say about data sets.

All three are about a manifest (multihash).  Field by field: docs/spec/statement.md,
"Types".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from byline_ledger import vocabulary as words
from byline_ledger.field_maker import FieldMaker, Fields, made_of
from byline_ledger.field_reader import MAX_NOTE, MAX_TITLE, MAX_URL, FieldReader
from byline_ledger.statement import Statement

MAX_VERSION = 64
MAX_ORIGIN = 256


@dataclass(frozen=True, slots=True)
class CollectionContent:
    """What a `collection` says of its manifest."""

    count: int | None
    """Rows of the manifest."""
    size: int | None
    """Bytes of all works together (the field `bytes`)."""
    root: bytes | None
    """RFC 6962 tree hash over the rows' multihashes, 32 bytes."""
    title: str | None
    description: str | None
    version: str | None
    license: str | None
    url: str | None
    uses: tuple[str, ...]
    """CAWG entries: what it is meant for."""
    sound: bool
    """Whether it says anything: count, bytes and root are there."""
    problems: tuple[str, ...]

    def agrees(self, count: int, size: int, root: bytes) -> bool:
        """Whether these are the figures that it gives of its manifest."""
        return self.sound and (self.count, self.size, self.root) == (count, size, root)


@dataclass(frozen=True, slots=True)
class LabelContent:
    """What a `label` says of a manifest: the figures of its nutrition label."""

    label: bytes | None
    """Multihash of label.json."""
    use: str | None
    """CAWG entry that the label is for."""
    count: int | None
    size: int | None
    """Bytes of all works together (the field `bytes`)."""
    items: Mapping[str, int]
    """Plain answer, or `unattested`, to how many works."""
    violations: int | None
    disputed: int | None
    withdrawn: int | None
    origin: str | None
    """Of the log that it was computed from, at this size and with this set root."""
    log_size: int | None
    set_root: bytes | None
    sound: bool
    """Whether it says anything: all that it needs is there."""
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SettlementContent:
    """What a `settlement` says that a data set used of a cooperative's works."""

    group: bytes | None
    """The cooperative's key, 32 bytes."""
    use: str | None
    """CAWG entry."""
    rows: bytes | None
    """Multihash of the CSV file."""
    members: int | None
    items: int | None
    root: bytes | None
    """RFC 6962 tree hash over the rows, 32 bytes."""
    sound: bool
    """Whether it says anything: all of these are there."""
    problems: tuple[str, ...]


def collection_fields(
    *,
    manifest: bytes,
    count: int,
    size: int,
    root: bytes,
    title: str | None = None,
    description: str | None = None,
    version: str | None = None,
    license: str | None = None,  # the field's name
    url: str | None = None,
    uses: Sequence[str] = (),
    time: int,
    salt: bytes,
) -> Fields:
    """The fields of a `collection`; `size` is the field `bytes`."""
    maker = made_of("collection", manifest, time, salt)
    maker.number("count", count)
    maker.number("bytes", size)
    maker.hash("root", root)
    maker.text("title", title, MAX_TITLE)
    maker.text("description", description, MAX_NOTE)
    maker.text("version", version, MAX_VERSION)
    maker.licence(license)
    maker.text("url", url, MAX_URL)
    maker.uses_list(uses)
    return maker.fields


def label_fields(
    *,
    manifest: bytes,
    label: bytes,
    use: str,
    count: int,
    size: int,
    items: Mapping[str, int] | None = None,
    violations: int,
    disputed: int | None = None,
    withdrawn: int | None = None,
    origin: str | None = None,
    log_size: int | None = None,
    set_root: bytes | None = None,
    time: int,
    salt: bytes,
) -> Fields:
    """The fields of a `label`; `label` is the multihash of label.json, `size` the field
    `bytes`, `items` maps words of LABEL_ITEMS to counts."""
    maker = made_of("label", manifest, time, salt)
    maker.digest("label", label)
    maker.fields["use"] = words.use_key(use)
    maker.number("count", count)
    maker.number("bytes", size)
    if items:
        maker.fields["items"] = _item_fields(items)
    maker.number("violations", violations)
    maker.number("disputed", disputed)
    maker.number("withdrawn", withdrawn)
    maker.text("origin", origin, MAX_ORIGIN)
    maker.number("log-size", log_size)
    maker.hash("set-root", set_root)
    return maker.fields


def settlement_fields(
    *,
    manifest: bytes,
    group: bytes,
    use: str,
    rows: bytes,
    members: int,
    items: int,
    root: bytes,
    time: int,
    salt: bytes,
) -> Fields:
    """The fields of a `settlement`; `rows` is the multihash of the CSV file."""
    maker = made_of("settlement", manifest, time, salt)
    maker.key("group", group)
    maker.fields["use"] = words.use_key(use)
    maker.digest("rows", rows)
    maker.number("members", members)
    maker.number("items", items)
    maker.hash("root", root)
    return maker.fields


def read_collection(statement: Statement) -> CollectionContent:
    """What a `collection` says."""
    reader = FieldReader(statement.fields, needed=("count", "bytes", "root"))
    return CollectionContent(
        count=reader.number("count"),
        size=reader.number("bytes"),
        root=reader.hash("root"),
        title=reader.text("title", MAX_TITLE),
        description=reader.text("description", MAX_NOTE),
        version=reader.text("version", MAX_VERSION),
        license=reader.licence(),
        url=reader.text("url", MAX_URL),
        uses=reader.uses_list(),
        sound=reader.sound,
        problems=tuple(reader.problems),
    )


def read_label(statement: Statement) -> LabelContent:
    """What a `label` says."""
    needed = ("label", "use", "count", "bytes", "violations")
    reader = FieldReader(statement.fields, needed=needed)
    return LabelContent(
        label=reader.digest("label"),
        use=reader.word("use", words.USES),
        count=reader.number("count"),
        size=reader.number("bytes"),
        items=_read_items(reader),
        violations=reader.number("violations"),
        disputed=reader.number("disputed"),
        withdrawn=reader.number("withdrawn"),
        origin=reader.text("origin", MAX_ORIGIN),
        log_size=reader.number("log-size"),
        set_root=reader.hash("set-root"),
        sound=reader.sound,
        problems=tuple(reader.problems),
    )


def read_settlement(statement: Statement) -> SettlementContent:
    """What a `settlement` says."""
    needed = ("group", "use", "rows", "members", "items", "root")
    reader = FieldReader(statement.fields, needed=needed)
    return SettlementContent(
        group=reader.key("group"),
        use=reader.word("use", words.USES),
        rows=reader.digest("rows"),
        members=reader.number("members"),
        items=reader.number("items"),
        root=reader.hash("root"),
        sound=reader.sound,
        problems=tuple(reader.problems),
    )


def _item_fields(items: Mapping[str, int]) -> Fields:
    maker = FieldMaker()
    for name, count in items.items():
        maker.number(words.check_word("items", name, words.LABEL_ITEMS), count)
    return maker.fields


def _read_items(reader: FieldReader) -> dict[str, int]:
    inner = reader.inner("items")
    if inner is None:
        return {}
    found = {name: inner.number(name) for name in words.LABEL_ITEMS}
    if set(inner.fields) - set(words.LABEL_ITEMS):
        reader.problem("items", "only " + ", ".join(words.LABEL_ITEMS))
    reader.take_problems(inner)
    return {name: count for name, count in found.items() if count is not None}
