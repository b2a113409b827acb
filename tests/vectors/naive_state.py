"""What statements amount to, worked out slowly from docs/spec/state.md alone.

Statements are maps as in state.json: keys, works and statements go by their names
("alice", "work w", "statement c").  Nothing is remembered: each question is answered
from the whole list.  Imports nothing of the program.
"""

from __future__ import annotations

from typing import Any

Said = dict[str, Any]
YES, NO, UNKNOWN = "yes", "no", "unknown"
RESTRICT = ("withdraw", "rotate", "dispute", "leave")
PERMIT = ("grant", "admit", "delegate", "offer")
STRICT = ("notAllowed", "constrained", "unknown", "allowed")


def least_sure(answers: list[str]) -> str:
    return NO if NO in answers else UNKNOWN if UNKNOWN in answers else YES


def most_sure(answers: list[str]) -> str:
    return YES if YES in answers else UNKNOWN if UNKNOWN in answers else NO


def is_key(value: object) -> bool:
    return isinstance(value, str)


class World:
    """The statements of a case, with what is missing and a point in time."""

    def __init__(self, case: dict[str, Any]) -> None:
        as_of = case.get("as_of", {})
        self.index = as_of.get("index")
        self.time = as_of.get("time")
        self.moment = self.time if self.time is not None else as_of.get("now")
        self.missing = [tuple(one) for one in case.get("missing", [])]
        self.gone = case.get("gone", [])
        ordered = sorted(case["statements"], key=lambda one: one["index"])
        self.ever = [
            one for one in ordered if self.index is None or one["index"] <= self.index
        ]
        self.all = [one for one in self.ever if self.is_there(one)]

    # Words and time

    def moments(self, said: Said) -> tuple[int, int, int]:
        """The earlier and the later of e and t, and e where it is known."""
        claimed, seen = said["time"], said.get("existed_by")
        if seen is None:
            return claimed, claimed, claimed
        return min(claimed, seen * 1000), max(claimed, seen * 1000), seen * 1000

    def is_there(self, said: Said) -> bool:
        if self.time is None:
            return True
        earlier, later, seen = self.moments(said)
        if said["type"] in (*RESTRICT, "work"):
            return earlier <= self.time
        return (later if said["type"] in PERMIT else seen) <= self.time

    def is_shown(self, about: str, key: str | None) -> bool:
        """`missing` names a place, or (with None) everything said about it."""
        hidden = (about, None) in self.missing or about in self.gone
        return not hidden and (key is None or (about, key) not in self.missing)

    def of(self, type_: str, about: str) -> list[Said]:
        return [s for s in self.all if s["type"] == type_ and s["about"] == about]

    def named(self, name: object) -> Said | None:
        return next((one for one in self.all if one["id"] == name), None)

    def in_term(self, said: Said) -> str:
        if "from" not in said and "until" not in said:
            return YES
        if self.moment is None:
            return UNKNOWN
        late = "until" in said and self.moment >= said["until"]
        return NO if late or self.moment < said.get("from", 0) else YES

    # Keys

    def is_rotation(self, said: Said) -> bool:
        is_named = is_key(said.get("successor")) and (
            said["about"] != f"key {said['successor']}"
        )
        return said["type"] == "rotate" and (
            is_named or said.get("reason") == "compromised"
        )

    def next_of(self, rotation: Said) -> str | None:
        name = rotation.get("successor")
        return name if is_key(name) and rotation["about"] != f"key {name}" else None

    def recovery(self, key: str) -> str | None:
        own = [
            s for s in self.ever if s["about"] == f"key {key}" and s["author"] == key
        ]
        ends = [s["index"] for s in own if self.is_rotation(s)]
        for said in own:
            if ends and said["index"] > ends[0]:
                return None
            name = said.get("recovery")
            if said["type"] == "profile" and is_key(name) and name != key:
                return name
        return None

    def rotations(self, key: str) -> list[Said]:
        about = self.of("rotate", f"key {key}")
        found = [one for one in about if self.is_rotation(one)]
        recovery = self.recovery(key)
        by_recovery = [one for one in found if one["author"] == recovery]
        if by_recovery:
            return by_recovery
        own = [one for one in found if one["author"] == key]
        closed = [one["index"] for one in own if self.next_of(one) is None]
        return [
            one
            for one in own
            if self.next_of(one) is None or not closed or one["index"] < closed[0]
        ]

    def key(self, key: str) -> dict[str, Any]:
        counting, recovery = self.rotations(key), self.recovery(key)
        named = {self.next_of(one) for one in counting} - {None}
        about = f"key {key}"
        settled = self.is_shown(about, key) and (
            recovery is None or self.is_shown(about, recovery)
        )
        settled = settled and not any(map(self.is_early, counting))
        return {
            "recovery": recovery,
            "ends": counting[0]["index"] if counting else None,
            "named": sorted(named),
            "settled": settled,
            "successor": min(named) if settled and len(named) == 1 else None,
        }

    def succession(self, key: str) -> tuple[list[str], bool]:
        keys = [key]
        for _ in range(9):
            state = self.key(keys[-1])
            if not state["settled"]:
                return keys, False
            if state["successor"] is None or state["successor"] in keys:
                return keys, True
            if len(keys) == 9:
                return keys, False
            keys.append(state["successor"])
        raise AssertionError

    def is_late(self, key: str, index: int) -> str:
        state = self.key(key)
        if not state["settled"]:
            return UNKNOWN
        if state["ends"] is None or index <= state["ends"]:
            return NO
        return YES if len(state["named"]) < 2 else UNKNOWN

    def is_early(self, said: Said) -> bool:
        return self.time is not None and self.moments(said)[1] > self.time

    def within(self, name: str, key: str) -> str:
        """Whether a key is in the succession of `key`."""
        keys, settled = self.succession(key)
        if name in keys:
            return YES
        rivals = {one for k in keys for one in self.key(k)["named"]}
        return UNKNOWN if name in rivals or not settled else NO

    def speaks(self, name: str, index: int, key: str) -> str:
        """Whether a key's own word at a place acts for `key`."""
        found = self.within(name, key)
        if name not in self.succession(key)[0]:
            return found
        return {YES: NO, NO: YES, UNKNOWN: UNKNOWN}[self.is_late(name, index)]

    # Delegation

    def delegation(self, said: Said) -> tuple[str, str] | None:
        """Validity, and for whom."""
        key, name = said.get("for"), said.get("delegation")
        if not is_key(key) or not is_key(name):
            return None
        wrong, unsure = self.objections(said, key, name)
        return ("invalid" if wrong else "unknown" if unsure else "valid"), key

    def objections(self, said: Said, key: str, name: str) -> tuple[bool, bool]:
        wrong = said["type"] in ("rotate", "profile", "delegate")
        given = self.named(name)
        if given is None:
            is_shown = self.all_said(f"key {said['author']}", key)
            return wrong or is_shown, not is_shown
        sound = isinstance(given.get("until"), int) and bool(given.get("types"))
        if (
            wrong
            or given["type"] != "delegate"
            or not sound
            or given["about"] != f"key {said['author']}"
            or given["index"] >= said["index"]
            or said["type"] not in given["types"]
            or not given.get("from", 0) <= said["time"] < given["until"]
        ):
            return True, False
        about = f"statement {name}"
        giver = given["author"]
        givers, settled = self.succession(giver)
        keys, _ = self.succession(key)
        back = [
            least_sure(
                [
                    self.speaks(one["author"], one["index"], giver),
                    UNKNOWN if self.is_early(one) else YES,
                ]
            )
            for one in self.of("withdraw", about)
            if one["index"] < said["index"]
        ]
        answers = [
            self.speaks(given["author"], given["index"], key),
            {YES: NO, NO: YES, UNKNOWN: UNKNOWN}[self.is_late(keys[-1], said["index"])],
            {YES: NO, NO: YES, UNKNOWN: UNKNOWN}[most_sure(back)],
        ]
        if not settled or not all(self.is_shown(about, one) for one in givers):
            answers.append(UNKNOWN)
        if said.get("existed_by") is not None:
            seen = said["existed_by"] * 1000
            answers.append(NO if seen < given.get("from", 0) else YES)
            answers.append(UNKNOWN if seen >= given["until"] else YES)
        if "uses" in given and not set(said.get("uses", [])) <= set(given["uses"]):
            answers.append(NO)
        if "manifests" in given and said.get("proven-in") not in given["manifests"]:
            answers.append(NO)
        if "count" in given:
            answers.append(self.numbered(said, given["count"]))
        return NO in answers, UNKNOWN in answers

    def numbered(self, said: Said, count: int) -> str:
        number = said.get("number")
        if not isinstance(number, int) or not 1 <= number <= count:
            return NO
        same = [
            one
            for one in self.all
            if one["author"] == said["author"]
            and one.get("delegation") == said["delegation"]
            and is_key(one.get("for"))
            and one.get("number") == number
        ]
        return YES if len(same) == 1 else UNKNOWN

    def principal(self, said: Said) -> str:
        found = self.delegation(said)
        return found[1] if found and found[0] == "valid" else said["author"]

    def acts(self, said: Said, key: str) -> str:
        late = self.is_late(said["author"], said["index"])
        if late == YES:
            return NO
        answers = [self.speaks(said["author"], said["index"], key)]
        found = self.delegation(said)
        if found and found[0] != "invalid":
            through = self.within(found[1], key)
            is_weaker = through == YES and found[0] == "unknown"
            answers.append(UNKNOWN if is_weaker else through)
        sure = UNKNOWN if late == UNKNOWN or self.is_early(said) else YES
        return least_sure([most_sure(answers), sure])

    # Status

    def acts_on(self, withdrawal: Said, said: Said) -> str:
        keys = {said["author"], self.principal(said)}
        return most_sure([self.acts(withdrawal, key) for key in keys])

    def is_own_word_shown(self, said: Said) -> bool:
        about = f"statement {said['id']}"
        for key in {said["author"], self.principal(said)}:
            keys, settled = self.succession(key)
            if not settled or not all(self.is_shown(about, one) for one in keys):
                return False
        return about not in self.gone

    def withdrawn_by(self, said: Said) -> str | None:
        if said["type"] in ("withdraw", "rotate"):
            return None
        for one in self.of("withdraw", f"statement {said['id']}"):
            if self.acts_on(one, said) == YES:
                return str(one["id"])
        return None

    def status(self, said: Said) -> str:
        if said["type"] == "withdraw":
            return self.status_of_withdrawal(said)
        if said["type"] == "rotate":
            return self.status_of_rotation(said)
        if self.withdrawn_by(said):
            return "withdrawn"
        late = self.is_late(said["author"], said["index"])
        if late == YES:
            return "late"
        withdrawals = self.of("withdraw", f"statement {said['id']}")
        found = self.delegation(said)
        doubts = [
            late == UNKNOWN,
            found is not None and found[0] == "unknown",
            UNKNOWN in [self.acts_on(one, said) for one in withdrawals],
            not self.is_own_word_shown(said),
        ]
        if said["type"] == "work":
            doubts.append(said["about"] in self.gone)
            doubts.append(self.is_early(said))
        return "unknown" if any(doubts) else "effective"

    def status_of_withdrawal(self, said: Said) -> str:
        kind, _, name = said["about"].partition(" ")
        target = self.named(name) if kind == "statement" else None
        if target is None:
            return "unknown"
        acts = self.acts_on(said, target)
        if acts == NO and self.is_own_word_shown(target):
            return "no-effect"
        return "effective" if acts == YES else "unknown"

    def status_of_rotation(self, said: Said) -> str:
        kind, _, name = said["about"].partition(" ")
        if kind != "key" or name not in {one["author"] for one in self.ever}:
            return "unknown"
        state = self.key(name)
        if len(state["named"]) > 1 or not state["settled"]:
            return "unknown"
        return "effective" if said in self.rotations(name) else "no-effect"

    def counts(self, said: Said) -> bool:
        return self.status(said) in ("effective", "unknown")

    def is_disputed(self, said: Said) -> bool:
        disputes = self.of("dispute", f"statement {said['id']}")
        disputes += self.of("dispute", said["about"])
        return any(self.counts(one) for one in disputes)

    # Seals and order

    def seal_of(self, said: Said) -> Said | None:
        if "seal" not in said or "seal-nonce" not in said:
            return None
        seal = self.named(said["seal"])
        work = said["about"].partition(" ")[2]
        fits = seal is not None and (
            seal["type"] == "seal"
            and seal["index"] < said["index"]
            and seal["about"] == f"seal {said['seal-nonce']} {work} {seal['author']}"
            and self.within(self.principal(said), self.principal(seal)) == YES
        )
        return seal if fits else None

    def order(self, work: str) -> list[str]:
        def evidence(said: Said) -> tuple[bool, int, int]:
            by = self.seal_of(said) or said
            seen = by.get("existed_by")
            return seen is None, seen or 0, by["index"]

        found = sorted(self.of("work", f"work {work}"), key=evidence)
        return [one["id"] for one in found]

    # Membership

    def all_said(self, about: str, key: str) -> bool:
        keys, settled = self.succession(key)
        return settled and all(self.is_shown(about, one) for one in keys)

    def membership(self, member: str, group: str) -> tuple[str, str | None]:
        """The answer, and the admission that gives it."""
        admits = self.of("admit", f"key {member}")
        found = [(self.admits(one, member, group), one["id"]) for one in admits]
        for wanted in (YES, UNKNOWN):
            for answer, name in found:
                if answer == wanted:
                    return wanted, name
        is_shown = self.all_said(f"key {member}", group)
        return (NO if is_shown else UNKNOWN), None

    def admits(self, admit: Said, member: str, group: str) -> str:
        if not self.counts(admit):
            return NO
        left = [
            self.acts(one, member)
            for one in self.of("leave", f"key {group}")
            if one["index"] > admit["index"]
        ]
        stayed = {YES: NO, NO: YES, UNKNOWN: UNKNOWN}[most_sure(left)]
        if stayed == YES and not self.all_said(f"key {group}", member):
            stayed = UNKNOWN
        sure = YES if self.status(admit) == "effective" else UNKNOWN
        return least_sure([self.acts(admit, group), self.in_term(admit), stayed, sure])
