"""Consent and synthetic depth, worked out slowly from docs/spec/state.md alone.

See naive_state.py.  Imports nothing of the program.
"""

from __future__ import annotations

from typing import Any

from naive_state import NO, STRICT, UNKNOWN, YES, Said, World, least_sure

Word = tuple[str, frozenset[str]]
"""A word, and the statements that make it so."""


def strictest(words: list[Word]) -> Word:
    value = next(one for one in STRICT if one in [word for word, _ in words])
    by = [ids for word, ids in words if word == value]
    return value, frozenset().union(*by)


def entry(said: Said, use: str) -> str | None:
    """The word that a statement itself says; None if it is silent."""
    uses = said.get("uses", {})
    if not isinstance(uses, dict):
        return "unknown"
    if use not in uses:
        return None
    value = uses[use]
    word = value.get("use") if isinstance(value, dict) else None
    if word not in ("allowed", "notAllowed", "constrained"):
        return "unknown"
    if word == "constrained" and "constraint-info" not in value:
        return "notAllowed"
    return str(word)


def in_doubt(word: Word) -> Word:
    return word if word[0] == "notAllowed" else ("unknown", word[1])


def consent(world: World, work: str, use: str, grantee: str | None) -> dict[str, Any]:
    about = f"work {work}"
    claims = [one for one in world.of("work", about) if world.counts(one)]
    words = [word_of(world, one, claims, use, grantee) for one in claims]
    verdict, by = strictest(words) if words else ("unknown", frozenset())
    complete = world.is_shown(about, None)
    if verdict == "allowed" and not complete:
        verdict = "unknown"
    return {
        "verdict": verdict,
        "deciding": sorted(by),
        "offers": sorted(open_offers(world, about, claims, grantee)),
        "complete": complete,
    }


def word_of(
    world: World, claim: Said, claims: list[Said], use: str, grantee: str | None
) -> Word:
    principal = world.principal(claim)
    own = frozenset([claim["id"]])
    word: Word | None = None
    said = entry(claim, use)
    if said is not None:
        word = said, own
    if word is None:
        word = of_group(world, claim, principal, use, grantee)
    if word is None:
        word = of_others(world, principal, claims, use)
    word = word[0], word[1] | own
    if world.status(claim) == "unknown":
        word = in_doubt(word)
    grants = grants_to(world, claim["about"], use, grantee, principal)
    if not grants or word[0] == "allowed":
        return word
    free = [one["id"] for one in grants if "constraint-info" not in one]
    ids = frozenset(one["id"] for one in grants)
    if world.status(claim) == "unknown":
        return "unknown", own | ids
    if free:
        return "allowed", own | frozenset(free)
    return "constrained", own | ids


def of_others(world: World, principal: str, claims: list[Said], use: str) -> Word:
    keys, _ = world.succession(principal)
    words = [
        (said, frozenset([one["id"]]))
        for one in claims
        if world.status(one) == "effective"
        and world.principal(one) in keys
        and (said := entry(one, use)) is not None
    ]
    return strictest(words) if words else ("unknown", frozenset())


def of_group(
    world: World, claim: Said, member: str, use: str, grantee: str | None
) -> Word | None:
    group = claim.get("group")
    if group is None:
        return None
    status, admit = world.membership(member, group)
    if status == NO:
        return None
    ids = frozenset([admit] if admit else [])
    if status == UNKNOWN:
        return "unknown", ids
    word = offered(world, group, use, grantee)
    return None if word is None else (word[0], word[1] | ids)


def offered(world: World, group: str, use: str, grantee: str | None) -> Word | None:
    named: list[tuple[str, Word]] = []
    general: list[tuple[str, Word]] = []
    for one in world.of("offer", f"key {group}"):
        said = entry(one, use)
        if said is None or not world.counts(one):
            continue
        if {"price", "terms", "terms-url"} & set(one) and (
            one["uses"][use]["use"] in ("allowed", "constrained")
        ):
            said = "constrained"
        sure = YES if world.status(one) == "effective" else UNKNOWN
        stands = least_sure([world.acts(one, group), world.in_term(one), sure])
        word: Word = (str(said), frozenset([one["id"]]))
        row = stands, word if stands == YES else in_doubt(word)
        if stands == NO:
            continue
        if one.get("grantee") is None:
            general.append(row)
        elif one["grantee"] == grantee:
            named.append(row)
    if YES not in [stands for stands, _ in named]:
        named += general
    words = [word for _, word in named]
    if world.all_said(f"key {group}", group):
        return strictest(words) if words else None
    return in_doubt(strictest(words)) if words else ("unknown", frozenset())


def grants_to(
    world: World, about: str, use: str, grantee: str | None, principal: str
) -> list[Said]:
    return [
        one
        for one in world.of("grant", about)
        if grantee is not None
        and one.get("grantee") == grantee
        and use in one["uses"]
        and world.in_term(one) == YES
        and world.status(one) == "effective"
        and world.acts(one, principal) == YES
    ]


def open_offers(
    world: World, about: str, claims: list[Said], grantee: str | None
) -> set[str]:
    found = set()
    groups = {one["group"] for one in claims if "group" in one}
    places = [(about, world.principal(one)) for one in claims]
    places += [(f"key {group}", group) for group in groups]
    for place, key in places:
        for one in world.of("offer", place):
            if (
                one.get("grantee") in (None, grantee)
                and world.status(one) == "effective"
                and world.in_term(one) == YES
                and world.acts(one, key) == YES
            ):
                found.add(one["id"])
    return found


# Synthetic depth


def depths(world: World, works: list[str]) -> dict[str, tuple[int, int | None]]:
    ways = {one: alternatives(world, one) for one in works}
    return {one: depth(one, ways) for one in works}


def alternatives(world: World, work: str) -> list[tuple[int, list[str], bool]]:
    """For each: own, sources, whether it is a gap."""
    claims = world.of("work", f"work {work}")
    effective = [one for one in claims if world.status(one) == "effective"]
    unknown = [one for one in claims if world.status(one) == "unknown"]
    found = []
    for one in effective:
        made, sources = one.get("made", "unknown"), one.get("from-works", [])
        gap = made == "unknown" or (made == "generated" and not sources)
        found.append((int(made in ("assisted", "generated")), sources, gap))
    if not effective or unknown or not world.is_shown(f"work {work}", None):
        found.append((0, [], True))
    return found


def reaches(start: str, end: str, ways: dict[str, Any]) -> bool:
    """Whether `end` is among the sources of `start`, through whatever steps."""
    seen: set[str] = set()
    todo = [start]
    while todo:
        for _, sources, _ in ways.get(todo.pop(), []):
            todo += [one for one in sources if one not in seen]
            seen.update(sources)
    return end in seen


def depth(work: str, ways: dict[str, Any]) -> tuple[int, int | None]:
    found = []
    for own, sources, gap in ways[work]:
        below = [
            (0, None)
            if one not in ways or reaches(one, work, ways) or one == work
            else depth(one, ways)
            for one in sources
        ] or [(0, 0)]
        most = (
            None if gap or None in [m for _, m in below] else max(m for _, m in below)
        )
        found.append(
            (own + min(few for few, _ in below), None if most is None else own + most)
        )
    most = None if None in [m for _, m in found] else max(m for _, m in found)
    return min(few for few, _ in found), most
