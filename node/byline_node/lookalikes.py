"""Names that look like another, or like what they are not.

Rule (docs/spec/names.md, "Showing names"): a name is marked, never changed or refused:
if its letters are from several scripts, if it holds what nobody sees, or if its
skeleton (Unicode UTS 39) is that of another key's name.  The only file that imports
confusable_homoglyphs, whose tables are those of the Unicode consortium.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Final

SEVERAL_SCRIPTS: Final = "mixes scripts"
INVISIBLE: Final = "has invisible characters"

# Scripts that are written together, with Latin among them (UTS 39, "highly
# restrictive").
_TOGETHER: Final = (
    frozenset({"LATIN", "HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "HAN", "BOPOMOFO"}),
    frozenset({"LATIN", "HAN", "HANGUL"}),
)
_NO_SCRIPT: Final = frozenset({"COMMON", "INHERITED", "Unknown"})
_JOINERS: Final = "\u200c\u200d"
_FILLERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
_ROUNDS: Final = 4
"""Where one of a pair stands for the other, it may not be the one that further
characters are led to; a second round leads all to the same."""
_MARK: Final = "\u200e"
"""Stands around right-to-left characters in the tables, and is no part of them."""


def doubts(name: str) -> tuple[str, ...]:
    """What is to be said of a name, whoever else is called how."""
    found: list[str] = []
    scripts = scripts_of(name)
    if len(scripts) > 1 and not any(scripts <= one for one in _TOGETHER):
        listed = " and ".join(sorted(one.capitalize() for one in scripts))
        found.append(f"{SEVERAL_SCRIPTS}: {listed}")
    if _has_invisible(name):
        found.append(INVISIBLE)
    return tuple(found)


def scripts_of(name: str) -> frozenset[str]:
    """The scripts of its letters, in capitals; digits and signs have none."""
    if name.isascii():
        return frozenset({"LATIN"} if any(map(str.isalpha, name)) else ())
    from confusable_homoglyphs import categories

    return frozenset(map(categories.alias, name)) - _NO_SCRIPT


def alike(names: Mapping[bytes, str]) -> dict[bytes, tuple[bytes, ...]]:
    """By key: the other keys whose names look the same, in the order given.

    `names` maps keys to the names that they go by.
    """
    groups: dict[str, list[bytes]] = {}
    for key, name in names.items():
        for skeleton in set(skeletons(name)):
            groups.setdefault(skeleton, []).append(key)
    found: dict[bytes, set[bytes]] = {}
    for keys in groups.values():
        for key in keys if len(keys) > 1 else ():
            found.setdefault(key, set()).update(keys)
    return {
        key: tuple(one for one in names if one in like and one != key)
        for key, like in found.items()
    }


def skeletons(name: str) -> tuple[str, ...]:
    """What names have in common that look the same, with capitals folded after (`0`
    and `o`) and before (`I` and `i`).  Empty texts are left out: names of nothing
    visible are not alike."""
    both = skeleton(skeleton(name).casefold()), skeleton(name.casefold())
    return tuple(one for one in both if one)


def skeleton(name: str) -> str:
    """UTS 39: each character as the one that stands for all that look like it."""
    text = "".join(one for one in name if not _hidden(one))
    table = _prototypes()
    for _ in range(_ROUNDS):
        decomposed = unicodedata.normalize("NFD", text)
        mapped = "".join(table.get(one, one) for one in decomposed)
        text, before = " ".join(mapped.split()), text
        if text == before:
            break
    return text


@cache
def _prototypes() -> Mapping[str, str]:
    """Character to what stands for it.  The tables name for each what it looks like:
    for one character of a group the others, for those that one."""
    from confusable_homoglyphs.confusables import confusables_data

    like: dict[str, set[str]] = {}
    for text, others in confusables_data.items():
        found = {one["c"].strip(_MARK) for one in others}
        like.setdefault(text.strip(_MARK), set()).update(found)
    return {
        one: _prototype(one, others, like)
        for one, others in like.items()
        if len(one) == 1
    }


def _prototype(
    one: str, others: Collection[str], like: Mapping[str, Collection[str]]
) -> str:
    if len(others) > 1:
        return one
    (other,) = others
    is_pair = len(like.get(other, ())) <= 1
    return min(one, other, key=_rank) if is_pair else other


def _rank(text: str) -> tuple[int, str]:
    """Of a pair, several characters stand for one, else the first for the other."""
    return -len(text), text


def _has_invisible(name: str) -> bool:
    seen = [one for one in name if one not in _JOINERS]
    joined = len(seen) < len(name) and "".join(seen).isascii()
    return joined or any(map(_hidden, seen))


def _hidden(one: str) -> bool:
    if one.isascii():
        return not one.isprintable()
    is_selector = "\ufe00" <= one <= "\ufe0e" or "\U000e0100" <= one <= "\U000e01ef"
    return is_selector or one in _FILLERS or unicodedata.category(one) in _UNSEEN


_UNSEEN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


def describe(others: Iterable[str]) -> str:
    """What is said of a name that looks like these."""
    return "looks like " + ", ".join(others)
