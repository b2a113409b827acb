"""Hypothesis strategies for statements and the values they are made of."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from byline_ledger.digest import multihash

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
scalars = st.one_of(
    st.booleans(), st.integers(0, 2**64 - 1), st.binary(max_size=300), texts
)


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Arrays and maps of inner values, past the sizes at which headers grow."""
    return st.one_of(
        st.lists(inner, max_size=18), st.dictionaries(texts, inner, max_size=18)
    )


values = st.recursive(scalars, containers, max_leaves=30)
"""Everything that canonical MessagePack can say, sometimes too deep for a statement."""

shallow = st.one_of(scalars, containers(st.one_of(scalars, containers(scalars))))
"""Values that fit into a statement, three levels deep with its map."""

digests = st.binary(min_size=32, max_size=32).map(multihash)
salts = st.binary(min_size=16, max_size=16)
kinds = st.from_regex(r"[a-z][a-z0-9.-]{0,63}", fullmatch=True)
sources = st.builds(
    lambda further, digest, relationship: {
        **further,
        "digest": digest,
        "relationship": relationship,
    },
    st.dictionaries(texts, scalars, max_size=3),
    digests,
    texts.filter(bool),
)
also = st.binary(min_size=1, max_size=32).map(
    lambda digest: bytes([0x1E, len(digest)]) + digest
)

common_fields = st.fixed_dictionaries(
    {
        "type": kinds,
        "time": st.integers(0, 2**63 - 1),
        "about": digests,
        "salt": salts,
    },
    optional={
        "also": st.lists(also, min_size=1, max_size=8),
        "sources": st.lists(sources, min_size=1, max_size=4),
    },
)
"""Fields that sign_statement accepts, without the author."""

RESERVED = {"type", "time", "about", "salt", "also", "sources", "author"}
fields = st.builds(
    lambda further, common: {
        **{name: one for name, one in further.items() if name not in RESERVED},
        **common,
    },
    st.dictionaries(texts, shallow, max_size=5),
    common_fields,
)
"""Common fields among others that no type knows."""
