"""Bundles for what statements owe beyond their own word, and those that lack it.

Recovery keys, delegations, memberships, seals, trusted keys, grants, works made from a
work, and several works in one bundle.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

from bundle_cases import Case, about_string, bad, case, leaf_with, row_of
from bundle_logs import (
    CLOCK,
    Fields,
    claim,
    endorse,
    key_below,
    made_from,
    new_log,
    note,
    rotate,
    withdraw,
    work_of,
)
from naive_bundle import (
    Key,
    Said,
    digest_of,
    inclusion_of,
    say,
    sha256,
    strings_of,
    tag,
    trie,
    trie_hash,
)
from naive_prover import View, encode

NONCE = sha256(b"nonce")
DAY = 86_400_000


def about_key(key: Key, type_: str, whom: Key, **further: Any) -> Said:
    return say(key, type_, digest_of(whom.public), time=CLOCK(), **further)


def work_by(key: Key, name: str, **further: Any) -> Said:
    """A `work` statement; `for_` is written `for`."""
    if "for_" in further:
        further["for"] = further.pop("for_")
    return claim(key, name, **further)


def delegate(key: Key, whom: Key) -> Said:
    until = CLOCK() + DAY
    return about_key(key, "delegate", whom, types=["work", "withdraw"], until=until)


def seal_of(key: Key, name: str, by: Key | None = None) -> Said:
    """What `by` seals of a work that `key` will reveal."""
    about = digest_of(b"byline/seal/v1\0" + NONCE + work_of(name) + key.public)
    return say(by or key, "seal", about, time=CLOCK())


def revealed(key: Key, name: str, seal: Said, **further: Any) -> Said:
    return work_by(key, name, seal=seal.id, seal_nonce=NONCE, **further)


class Kinds:
    """A log with a work for each of them."""

    def __init__(self) -> None:
        self.log = new_log("kinds")
        self.missed: list[tuple[str, str, Said]] = []
        """Work, what a bundle lacks, and the statement that is the only sign of it."""
        batch = [
            *self._recovery(),
            *self._delegation(),
            *self._membership(),
            *self._seals(),
            *self._derived(),
        ]
        self.view = self.log.publish(batch)

    def _miss(self, name: str, what: str, said: Said) -> Said:
        self.missed.append((name, what, said))
        return said

    def _recovery(self) -> Iterator[Said]:
        robbed, spare, thief, heir = map(Key, ("robbed", "spare", "thief", "heir"))
        mine = claim(robbed, "recovered")
        yield mine
        yield about_key(robbed, "profile", robbed, name="R", recovery=spare.public)
        yield about_key(robbed, "profile", robbed, recovery=thief.public)
        yield about_key(robbed, "profile", robbed, recovery=b"no key")
        yield rotate(robbed, thief.public)
        yield about_key(thief, "rotate", robbed, successor=thief.public)
        yield self._miss(
            "recovered",
            "rotation by the recovery key",
            about_key(spare, "rotate", robbed, successor=heir.public),
        )
        yield withdraw(thief, mine)
        yield self._miss("recovered", "word of the heir", withdraw(heir, mine))
        for name, reason in (("compromised", "compromised"), ("no reason", "lost")):
            key = Key(name)
            yield claim(key, name)
            yield about_key(key, "rotate", key, reason=reason)
        own = Key("own recovery")
        yield claim(own, "own recovery")
        yield about_key(own, "profile", own, recovery=own.public)
        torn, left, right = map(Key, ("torn", "left", "right"))
        contested = claim(torn, "contested")
        yield contested
        yield rotate(torn, left.public)
        yield rotate(torn, right.public)
        yield self._miss("contested", "word of a rival", withdraw(left, contested))

    def _delegation(self) -> Iterator[Said]:
        studio, hook, other = map(Key, ("studio", "hook", "other hook"))
        given = delegate(studio, hook)
        yield self._miss("delegated", "delegation", given)
        made = work_by(hook, "delegated", for_=studio.public, delegation=given.id)
        yield made
        yield self._miss("delegated", "word of the principal", withdraw(studio, made))
        taken = delegate(studio, other)
        yield taken
        yield work_by(other, "no longer", for_=studio.public, delegation=taken.id)
        yield self._miss("no longer", "end of the delegation", withdraw(studio, taken))
        after = Key("studio's heir")
        yield self._miss("delegated", "rotation of the principal",
                         rotate(studio, after.public))  # fmt: skip
        late = delegate(after, other)
        yield self._miss("by an heir", "delegation by the heir", late)
        yield work_by(other, "by an heir", for_=studio.public, delegation=late.id)
        yield work_by(hook, "for nobody", for_=b"nobody")
        lone = claim(studio, "withdrawn by its delegate")
        yield lone
        yield say(hook, "withdraw", lone.name, time=CLOCK(), reason="mistaken",
                  **{"for": studio.public, "delegation": given.id})  # fmt: skip

    def _membership(self) -> Iterator[Said]:
        group, member, gone = map(Key, ("group", "member", "gone member"))
        every = {"cawg.ai_generative_training": {"use": "constrained"}}
        yield self._miss("of a member", "admission", about_key(group, "admit", member))
        offer = about_key(group, "offer", group, uses=every)
        yield self._miss("of a member", "offer", offer)
        yield self._miss("of a member", "end of the offer", withdraw(group, offer))
        yield work_by(member, "of a member", group=group.public)
        admitted = about_key(group, "admit", gone)
        yield admitted
        yield work_by(gone, "of one who left", group=group.public)
        yield self._miss("of one who left", "leave", about_key(gone, "leave", group))
        yield self._miss(
            "of one who left", "end of the admission", withdraw(group, admitted)
        )
        hook = Key("member's hook")
        given = delegate(member, hook)
        yield given
        yield work_by(hook, "for a member", for_=member.public, delegation=given.id,
                      group=group.public)  # fmt: skip
        alone = Key("member by itself")
        yield self._miss("for no member", "admission of who signs",
                         about_key(group, "admit", alone))  # fmt: skip
        yield work_by(alone, "for no member", for_=member.public, delegation=given.id,
                      group=group.public)  # fmt: skip

    def _seals(self) -> Iterator[Said]:
        writer, hook = Key("writer"), Key("writer's hook")
        first = seal_of(writer, "sealed")
        yield self._miss("sealed", "seal", first)
        yield revealed(writer, "sealed", first)
        second = seal_of(writer, "sealed for")
        yield second
        yield self._miss("sealed for", "delegation of the one who reveals",
                         delegate(writer, hook))  # fmt: skip
        yield revealed(hook, "sealed for", second, for_=writer.public)
        yield work_by(writer, "without nonce", seal=first.id)
        stranger = seal_of(writer, "by a stranger", Key("stranger"))
        yield stranger
        yield revealed(writer, "by a stranger", stranger)

    def _derived(self) -> Iterator[Said]:
        yield claim(Key("origin"), "origin")
        yield claim(Key("quiet"), "quiet")
        sources = made_from((work_of("origin"), "inputTo"))
        for number in range(3):
            made = claim(Key(f"maker {number}"), f"made {number}", sources=sources)
            yield self._miss("origin", f"work {number} made from it", made)
        yield self._miss("origin", "end of a work made from it",
                         withdraw(Key("maker 2"), made))  # fmt: skip
        yield endorse(Key("friend"), made)


class Crowd:
    """A work about which so much is said that a page does not show it all."""

    def __init__(self) -> None:
        log = new_log("besieged")
        self.trusted, self.author, self.grantee = self._keys()
        flood = Key("flood")
        crowded = [note(flood, work_of("flooded"), str(n)) for n in range(300)]
        self.claim = claim(self.author, "flooded")
        further = note(self.trusted, work_of("flooded"), "by a key that is trusted")
        self.word = further
        self.grant = say(
            self.author,
            "grant",
            work_of("flooded"),
            time=CLOCK(),
            grantee=self.grantee.public,
            uses=["cawg.ai_generative_training"],
        )
        quiet = claim(self.author, "quiet")
        self.view = log.publish([*crowded, self.claim, further, self.grant, quiet])

    def _keys(self) -> tuple[Key, Key, Key]:
        """The author's tag is the first, that of whom the reader trusts the last."""
        names = [Key(f"crowd {number}") for number in range(40)]
        names.sort(key=lambda key: tag(key.public))
        return names[-1], names[0], names[1]


class Siege:
    """A work that was claimed before a flood of claims kept that off the page."""

    def __init__(self) -> None:
        log, about = new_log("siege"), work_of("claimed first")
        self.author, heir = Key("came first"), Key("heir of who came first")
        stranger = key_below(self.author, "besieger")
        no = {"cawg.ai_generative_training": {"use": "notAllowed"}}
        self.claim = claim(self.author, "claimed first", uses=no)
        hasty = claim(self.author, "claimed first")
        self.grant = say(
            heir,
            "grant",
            about,
            time=CLOCK(),
            grantee=Key("grantee").public,
            uses=["cawg.ai_generative_training"],
        )
        self.view = log.publish(
            [
                self.claim,
                hasty,
                withdraw(self.author, hasty),
                rotate(self.author, heir.public),
                *(claim(stranger, "claimed first") for _ in range(300)),
                self.grant,
                claim(heir, "quiet"),
            ]
        )


KINDS, CROWD, SIEGE = Kinds(), Crowd(), Siege()

WORKS = {
    "recovered": "the recovery key's word decides, and its heir withdrew",
    "compromised": "nobody acts for the key from then on",
    "no reason": "a rotation without successor that does not say why is none",
    "own recovery": "a key that names itself as its recovery key",
    "contested": "one of two successors withdrew: unknown",
    "delegated": "signed by a delegate, withdrawn by the principal",
    "no longer": "the delegation was withdrawn",
    "by an heir": "the delegation is by the principal's successor",
    "for nobody": "signed for what is no key",
    "withdrawn by its delegate": "whose delegation is shown with it",
    "of a member": "admission, and the offer of the group, withdrawn",
    "of one who left": "admission withdrawn, and left",
    "for a member": "the principal is the member, and not who signs",
    "for no member": "the delegation is another's: who signs is the member",
    "sealed": "the seal is shown",
    "sealed for": "sealed by the principal, revealed by a delegate",
    "without nonce": "a seal without its nonce: nothing to look up",
    "by a stranger": "another one's seal is not looked up",
    "origin": "three works are made from it, one of them withdrawn",
    "never attested": "nothing is known, and what is made from it is not looked up",
}


def kind_cases() -> Iterator[tuple[str, str, View, list[bytes], list[bytes]]]:
    """Name, reason, view, digests and keys of bundles that hold."""
    for name, why in WORKS.items():
        yield f"kinds: {name}", why, KINDS.view, [work_of(name)], []
    everything = [work_of(name) for name in WORKS]
    why = "all of them in one bundle"
    yield "kinds: many works", why, KINDS.view, everything, []
    pair = [work_of("made 0"), work_of("origin")]
    why = "a work and its source, both asked for"
    yield "kinds: a work and its source", why, KINDS.view, pair, []
    trusted, view = [CROWD.trusted.public], CROWD.view
    flooded = [work_of("flooded")]
    why = "a page of a flood, and what the claimant says beyond it"
    yield "kinds: flooded", why, view, flooded, []
    why = "what a trusted key says is shown behind any flood"
    yield "kinds: flooded, with a trusted key", why, view, flooded, trusted
    why = "a page that is complete needs no lookup by key"
    yield "kinds: quiet, with a trusted key", why, view, [work_of("quiet")], trusted
    yield from siege_cases()
    both = [*flooded, work_of("quiet")]
    keys = [trusted[0], CROWD.author.public, Key("silent").public]
    why = "two works and three keys, one of which says nothing"
    yield "kinds: two works and three keys", why, view, both, keys


def siege_cases() -> Iterator[tuple[str, str, View, list[bytes], list[bytes]]]:
    view, asked = SIEGE.view, [work_of("claimed first")]
    why = "who claimed it first is shown behind the flood, and the heir's grant"
    yield "kinds: claimed first", why, view, asked, []
    why = "who is trusted is not named again"
    keys = [SIEGE.author.public]
    yield "kinds: claimed first, and trusted", why, view, asked, keys
    why = "of several works a bundle does not say who came first"
    both = [*asked, work_of("quiet")]
    yield "kinds: claimed first, and another work", why, view, both, []


def shared(view: View, asked: Sequence[bytes], keys: Sequence[bytes] = ()) -> Fields:
    return deepcopy(view.shared(asked, 4, keys)[0])


def without(view: View, said: Said, name: str) -> Fields:
    """A bundle of a log that never saw it, under this log's checkpoint."""
    fields = shared(view, [work_of(name)])
    strings = sorted(view.log.strings - set(strings_of(said)))
    other = View(view.log, view.entries, trie(strings), len(strings))
    lacking = shared(other, [work_of(name)])
    for key in ("opening", "statements", "inclusion", "strings", "depth"):
        fields[key] = lacking[key]
    return fields


def bad_kind_cases() -> Iterator[Case]:
    def lacks(name: str, why: str, fields: Fields, work: str, **ask: Any) -> Case:
        return bad("completeness", name, why, fields, digest=work_of(work), **ask)

    view = KINDS.view
    for work, what, said in KINDS.missed:
        name, asked = f"kinds: {work} without its {what}", [work_of(work)]
        why = "the opening is that of a log which never saw it"
        yield lacks(f"{name}, in the set", why, without(view, said, work), work)
        fields = shared(view, asked)
        fields["statements"].remove(row_of(fields, said))
        places = {row[0] for row in fields["statements"]}
        fields["inclusion"] = b"".join(inclusion_of(places, view.entries))
        why = "its string is shown, the statement is not"
        yield lacks(name, why, fields, work)
    for work, what, said in (KINDS.missed[0], KINDS.missed[3], KINDS.missed[-1]):
        fields = shared(view, [work_of(work)])
        leaf = leaf_with(fields, about_string(said))
        leaf[:] = ["closed", trie_hash(leaf)]
        why = "the leaf that lists it is closed"
        yield lacks(f"kinds: {work}, leaf of {what} closed", why, fields, work)
    yield from bad_crowd_cases(lacks)
    yield from bad_siege_cases(lacks)
    yield from bad_shared_cases()


def bad_crowd_cases(lacks: Any) -> Iterator[Case]:
    flooded, keys = [work_of("flooded")], [CROWD.trusted.public]
    fields = shared(CROWD.view, flooded, keys)
    fields["keys"] = []
    why = "it shows what a key says that the question does not name"
    yield lacks("trusted key left out", why, fields, "flooded")
    fields = shared(CROWD.view, flooded)
    fields["keys"] = keys
    why = "it lacks what a key says that it names"
    yield lacks("trusted key not looked up", why, fields, "flooded")
    fields = shared(CROWD.view, flooded)
    why = "the reader named a key, the bundle names none"
    yield bad("asked", "trusted key not asked for", why, fields,
              digest=flooded[0], keys=[keys[0].hex()])  # fmt: skip
    fields = shared(CROWD.view, flooded)
    fields["statements"].remove(row_of(fields, CROWD.grant))
    why = "a grant behind the flood is not shown"
    yield lacks("grant dropped", why, fields, "flooded")


def bad_siege_cases(lacks: Any) -> Iterator[Case]:
    name, view = "claimed first", SIEGE.view
    fields = shared(view, [work_of(name)])
    fields["first"] = fields["first"][1:]
    why = "it shows what a key says that it does not name"
    yield lacks("who came first left out", why, fields, name)
    fields = deepcopy(view.shared([work_of(name)], 4, first=[])[0])
    fields["first"] = [SIEGE.author.public]
    why = "it lacks what a key says that it names"
    yield lacks("who came first not looked up", why, fields, name)
    for what, said in (("claim", SIEGE.claim), ("grant", SIEGE.grant)):
        fields = shared(view, [work_of(name)])
        fields["statements"].remove(row_of(fields, said))
        why = "it lacks what who came first says, or an heir"
        yield lacks(f"who came first without the {what}", why, fields, name)


def bad_shared_cases() -> Iterator[Case]:
    pair = sorted([work_of("delegated"), work_of("origin")])
    other = work_of("of a member")
    for name, why, asked in (
        ("one work less", "it shows more than it says it was asked for", pair[:1]),
        ("one work more", "it lacks a work", sorted([*pair, other])),
        ("another work", "it lacks a work and shows another", sorted([pair[0], other])),
    ):
        fields = shared(KINDS.view, pair) | {"asked": asked}
        listed = [one.hex() for one in asked]
        yield bad("completeness", f"many works: {name}", why, fields,
                  digest=pair[0], digests=listed)  # fmt: skip
    fields = shared(KINDS.view, pair)
    why = "the reader asked for three"
    listed = [one.hex() for one in (*pair, other)]
    yield bad("asked", "many works: not all that were asked", why, fields,
              digest=pair[0], digests=listed)  # fmt: skip
    why = "the file at hand is another of the works"
    yield bad("asked", "many works: another file", why, fields, digest=pair[0],
              work=pair[1].hex())  # fmt: skip


def good_case(
    name: str, why: str, fields: Fields, answer: Fields, asked: Sequence[bytes]
) -> Case:
    ask = {"digest": min(asked).hex(), "digests": [one.hex() for one in asked],
           "depth": 4, "keys": [one.hex() for one in fields["keys"]]}  # fmt: skip
    return case(name, why, encode(fields), {"level": "ok", "answer": answer}, ask)
