"""Cases for state.json about consent.  See state_cases.py."""

from __future__ import annotations

from typing import Any

from naive_state import Said
from state_cases import (
    IF_NAMED,
    MAY_TRAIN,
    MINE,
    NO_TRAIN,
    TRAIN,
    Case,
    back,
    case,
    claim,
    delegate,
    rotate,
    s,
)


def consent_cases() -> list[Case]:
    no, yes = claim("c", 1, "a", uses=NO_TRAIN), claim("c", 1, "a", uses=MAY_TRAIN)
    if_ = claim("c", 1, "a", uses=IF_NAMED)
    silent = claim("c", 1, "a")
    grant = s("g", 3, "grant", "a", "work w", grantee="z", uses=[TRAIN])
    use, for_z = f"consent.w {TRAIN} -", f"consent.w {TRAIN} z"

    def verdict(name: str, found: str, *statements: Said, **more: Any) -> Case:
        return case(name, *statements, expect={use: found}, **more)

    def lifted(name: str, found: str, *statements: Said, **more: Any) -> Case:
        return case(name, *statements, expect={for_z: found}, **more)

    return [
        verdict("allowed", "allowed", yes),
        verdict("not allowed", "notAllowed", no),
        verdict("on conditions", "constrained", if_),
        verdict(
            "conditions that nobody names",
            "notAllowed",
            claim("c", 1, "a", uses={TRAIN: {"use": "constrained"}}),
        ),
        verdict("silent", "unknown", silent),
        verdict(
            "nobody claims it",
            "unknown",
            s("d", 1, "offer", "a", "work w", uses=MAY_TRAIN),
        ),
        verdict(
            "an entry that is not understood",
            "unknown",
            claim("c", 1, "a", uses={TRAIN: {"use": "perhaps"}}),
            claim("c2", 2, "a", uses=MAY_TRAIN),
        ),
        verdict("uses that are no map", "unknown", claim("c", 1, "a", uses="none")),
        verdict(
            "most restrictive of one author",
            "notAllowed",
            yes,
            claim("c2", 2, "a", uses=NO_TRAIN),
            claim("c3", 3, "a", uses=IF_NAMED),
        ),
        verdict(
            "conditions before allowed",
            "constrained",
            yes,
            claim("c2", 2, "a", uses=IF_NAMED),
        ),
        verdict(
            "silent beside the same author's word",
            "allowed",
            silent,
            claim("c2", 2, "a", uses=MAY_TRAIN),
        ),
        verdict(
            "silent beside its successor's word",
            "allowed",
            silent,
            rotate("r", 2, "a", "a", "b"),
            claim("c2", 3, "b", uses=MAY_TRAIN),
        ),
        verdict(
            "silent beside the word of a key that names it",
            "unknown",
            silent,
            claim("c2", 2, "m", uses=MAY_TRAIN),
            rotate("r", 5, "m", "m", "a"),
        ),
        verdict(
            "two authors allow", "allowed", yes, claim("c2", 2, "b", uses=MAY_TRAIN)
        ),
        verdict("one forbids", "notAllowed", yes, claim("c2", 2, "b", uses=NO_TRAIN)),
        verdict("one is silent", "unknown", yes, claim("c2", 2, "b")),
        verdict(
            "one is silent, one has conditions",
            "constrained",
            silent,
            claim("c2", 2, "b", uses=IF_NAMED),
        ),
        verdict(
            "withdrawn: nobody says anything", "unknown", yes, back("x", 3, "a", "c")
        ),
        verdict(
            "a withdrawn no",
            "allowed",
            no,
            back("x", 3, "a", "c"),
            claim("c2", 4, "a", uses=MAY_TRAIN),
        ),
        verdict(
            "a late no",
            "allowed",
            yes,
            rotate("r", 2, "a", "a", "b"),
            claim("c2", 4, "a", uses=NO_TRAIN),
        ),
        verdict(
            "a no in doubt counts", "notAllowed", no, missing=[["statement c", "a"]]
        ),
        verdict(
            "a yes in doubt is unknown", "unknown", yes, missing=[["statement c", "a"]]
        ),
        verdict(
            "conditions in doubt are unknown",
            "unknown",
            if_,
            missing=[["statement c", "a"]],
        ),
        verdict(
            "more claims than are shown", "unknown", yes, missing=[["work w", None]]
        ),
        verdict(
            "forbidden, and more than is shown",
            "notAllowed",
            no,
            missing=[["work w", None]],
        ),
        verdict(
            "conditions, and more than is shown",
            "constrained",
            if_,
            missing=[["work w", None]],
        ),
        verdict(
            "something about the work was taken down", "unknown", yes, gone=["work w"]
        ),
        lifted("a grant", "allowed", no, grant),
        verdict("a grant to another", "notAllowed", no, grant),
        lifted("a grant of another use", "notAllowed", no, {**grant, "uses": [MINE]}),
        lifted(
            "a grant with terms", "constrained", no, {**grant, "constraint-info": "pay"}
        ),
        lifted(
            "the better of two grants",
            "allowed",
            no,
            {**grant, "constraint-info": "pay"},
            {**grant, "id": "g2", "index": 4},
        ),
        lifted(
            "a grant with terms takes nothing away",
            "allowed",
            yes,
            {**grant, "constraint-info": "pay"},
        ),
        lifted(
            "a grant with terms in place of others",
            "constrained",
            if_,
            {**grant, "constraint-info": "pay"},
        ),
        lifted("a grant by a stranger", "notAllowed", no, {**grant, "author": "b"}),
        lifted(
            "a grant by a successor",
            "allowed",
            no,
            rotate("r", 2, "a", "a", "b"),
            {**grant, "author": "b"},
        ),
        lifted(
            "a grant by the key before",
            "notAllowed",
            rotate("r", 4, "b", "b", "a"),
            {**no, "index": 6},
            {**grant, "author": "b"},
        ),
        lifted(
            "a grant by a delegate",
            "allowed",
            no,
            delegate("d1", 2, "a", "d", types=["grant"]),
            {**grant, "author": "d", "for": "a", "delegation": "d1"},
        ),
        lifted(
            "a grant by a delegate for works only",
            "notAllowed",
            no,
            delegate("d1", 2, "a", "d"),
            {**grant, "author": "d", "for": "a", "delegation": "d1"},
        ),
        lifted("a withdrawn grant", "notAllowed", no, grant, back("x", 4, "a", "g")),
        lifted(
            "a grant that may be withdrawn",
            "notAllowed",
            no,
            grant,
            missing=[["statement g", "a"]],
        ),
        lifted("a late grant", "notAllowed", no, rotate("r", 2, "a", "a", "b"), grant),
        lifted("a grant for what nobody spoke of", "allowed", silent, grant),
        lifted(
            "a grant on a claim in doubt",
            "unknown",
            no,
            grant,
            missing=[["statement c", "a"]],
        ),
        lifted(
            "one author grants, another forbids",
            "notAllowed",
            no,
            grant,
            claim("c2", 2, "b", uses=NO_TRAIN),
        ),
        lifted(
            "one author grants, another is silent",
            "unknown",
            no,
            grant,
            claim("c2", 2, "b"),
        ),
        *group_cases(),
        *offer_cases(),
    ]


def group_cases() -> list[Case]:
    c = claim("c", 5, "a", group="g")
    admit = s("m", 1, "admit", "g", "key a")
    offer = s("o", 2, "offer", "g", "key g", uses=MAY_TRAIN)
    use, for_z = f"consent.w {TRAIN} -", f"consent.w {TRAIN} z"

    def verdict(name: str, found: str, *statements: Said, **more: Any) -> Case:
        return case(name, *statements, expect={use: found}, **more)

    price = {"amount": 5, "currency": "EUR", "per": "item"}
    special = {**offer, "id": "o2", "index": 3, "grantee": "z"}
    forbidding = {**offer, "uses": NO_TRAIN}
    return [
        verdict("a cooperative's offer", "allowed", c, admit, offer),
        verdict(
            "an offer with a price", "constrained", c, admit, {**offer, "price": price}
        ),
        verdict(
            "an offer with terms",
            "constrained",
            c,
            admit,
            {**offer, "terms-url": "https://example.org/terms"},
        ),
        verdict("an offer that forbids", "notAllowed", c, admit, forbidding),
        verdict(
            "an offer that forbids at any price",
            "notAllowed",
            c,
            admit,
            {**forbidding, "price": price},
        ),
        verdict("an offer for another", "unknown", c, admit, special),
        case("an offer for this one", c, admit, special, expect={for_z: "allowed"}),
        case(
            "an offer for this one beats that for all",
            c,
            admit,
            forbidding,
            special,
            expect={for_z: "allowed", use: "notAllowed"},
        ),
        case(
            "unless it says nothing on the use",
            c,
            admit,
            forbidding,
            {**special, "uses": {MINE: {"use": "allowed"}}},
            expect={for_z: "notAllowed"},
        ),
        case(
            "unless it may be withdrawn",
            c,
            admit,
            forbidding,
            special,
            missing=[["statement o2", "g"]],
            expect={for_z: "notAllowed"},
        ),
        verdict(
            "the most restrictive of two offers",
            "constrained",
            c,
            admit,
            offer,
            {**offer, "id": "o2", "index": 3, "price": price},
        ),
        verdict(
            "the claim's own word first",
            "notAllowed",
            {**c, "uses": NO_TRAIN},
            admit,
            offer,
        ),
        verdict("not a member", "unknown", c, offer),
        verdict(
            "not a member, but another claim allows",
            "allowed",
            c,
            offer,
            claim("c2", 6, "a", uses=MAY_TRAIN),
        ),
        verdict(
            "perhaps a member",
            "unknown",
            c,
            {**admit, "until": 9},
            offer,
            claim("c2", 6, "a", uses=MAY_TRAIN),
        ),
        verdict(
            "perhaps a member, and nothing shown of it",
            "unknown",
            c,
            offer,
            missing=[["key a", "g"]],
        ),
        verdict(
            "a member who names no cooperative",
            "unknown",
            claim("c", 5, "a"),
            admit,
            offer,
        ),
        verdict(
            "an offer by a stranger", "unknown", c, admit, {**offer, "author": "z"}
        ),
        verdict(
            "an offer about another key",
            "unknown",
            c,
            admit,
            {**offer, "about": "key g2"},
        ),
        verdict(
            "a withdrawn offer", "unknown", c, admit, offer, back("x", 3, "g", "o")
        ),
        verdict(
            "an offer that may be withdrawn",
            "unknown",
            c,
            admit,
            offer,
            missing=[["statement o", "g"]],
        ),
        verdict(
            "a no that may be withdrawn",
            "notAllowed",
            c,
            admit,
            forbidding,
            missing=[["statement o", "g"]],
        ),
        verdict(
            "offers may be missing",
            "unknown",
            c,
            admit,
            offer,
            missing=[["key g", "g"]],
        ),
        verdict(
            "offers of the cooperative's successor may be missing",
            "unknown",
            rotate("r", 0, "g", "g", "g2"),
            c,
            {**admit, "author": "g2"},
            {**offer, "author": "g2"},
            missing=[["key g", "g2"]],
        ),
        verdict(
            "an offer whose term is over",
            "unknown",
            c,
            admit,
            {**offer, "until": 9},
            as_of={"now": 9},
        ),
        verdict(
            "an offer with a term, and no clock",
            "unknown",
            c,
            admit,
            {**offer, "until": 9},
        ),
        verdict("no offer at all", "unknown", c, admit),
        verdict(
            "no offer, and another claim allows",
            "allowed",
            c,
            admit,
            claim("c2", 6, "a", uses=MAY_TRAIN),
        ),
        verdict(
            "an entry of an offer that is not understood",
            "unknown",
            c,
            admit,
            offer,
            {
                **offer,
                "id": "o2",
                "index": 3,
                "uses": {TRAIN: {"use": "perhaps"}, MINE: {"use": "allowed"}},
            },
        ),
    ]


def offer_cases() -> list[Case]:
    c = claim("c", 1, "a", uses=NO_TRAIN)
    offer = s("o", 2, "offer", "a", "work w", uses=IF_NAMED)

    def open_(name: str, found: list[str], *statements: Said, **more: Any) -> Case:
        expect = {f"offers.w {TRAIN} -": found}
        return case(name, c, *statements, expect=expect, **more)

    return [
        open_("an author's offer is named", ["o"], offer),
        open_("and lifts nothing", ["o"], offer, as_of={"now": 5})
        | {"hand": {f"consent.w {TRAIN} -": "notAllowed"}},
        open_("a stranger's is not", [], {**offer, "author": "b"}),
        open_("nor one for another", [], {**offer, "grantee": "z"}),
        open_("nor one that is withdrawn", [], offer, back("x", 3, "a", "o")),
        open_("nor one that is over", [], {**offer, "until": 5}, as_of={"now": 5}),
    ]
