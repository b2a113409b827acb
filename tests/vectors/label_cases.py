"""The cases of label.json: one for each rule of docs/spec/label.md.

A case has `rows` and `answers` by digest; `hand` says of some figures, by their path,
what they must be.  Imports nothing of the program.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

Said = dict[str, Any]
TRAIN = "cawg.ai_generative_training"
USES = [f"cawg.{one}" for one in ("data_mining", "ai_inference", "ai_training")]
USES.append(TRAIN)
TERM = "http://cv.iptc.org/newscodes/digitalsourcetype/"
TERMS = {
    "human": TERM + "digitalCapture",
    "assisted": TERM + "compositeSynthetic",
    "generated": TERM + "trainedAlgorithmicMedia",
    "other": TERM + "algorithmicMedia",
}
STATUSES = ("effective", "unknown", "withdrawn", "late")
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def digest(name: str) -> str:
    return "sha256:" + sha256(f"work {name}".encode()).hexdigest()


def key(name: str) -> str:
    number = int.from_bytes(b"\xed\x01" + sha256(f"key {name}".encode()).digest())
    text = ""
    while number:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    return "did:key:z" + text


ANN, BEN, EVE, BOT = map(key, ("ann", "ben", "eve", "bot"))


def claim(made: str = "human", author: str = ANN, **more: Any) -> Said:
    plain = {"author": author, "index": 1, "status": "effective", "made": made}
    term = {"source_type": TERMS[made]} if made in TERMS else {}
    return {**plain, **term, **more}


def remark(type_: str, author: str = EVE, **more: Any) -> Said:
    return {"type": type_, "author": author, "status": "effective", **more}


def dispute(reason: str | None, author: str = EVE, status: str = "effective") -> Said:
    return remark("dispute", author, reason=reason, status=status)


def answer(*claims: Said, consent: Said | None = None, **more: Any) -> Said:
    """An answer of which all is shown; uses that `consent` leaves out are unknown."""
    found: Said = {"claims": list(claims), **more}
    found.setdefault("total", len(claims) + len(more.get("remarks", [])))
    short = {f"cawg.{use}": word for use, word in (consent or {}).items()}
    found["consent"] = {use: short.get(use, "unknown") for use in USES}
    return found


def depth(least: int, greatest: int | None) -> Said:
    return {"least": least, "greatest": greatest, "complete": greatest is not None}


def row(name: str, **more: Any) -> Said:
    return {"digest": digest(name), **more}


def case(name: str, rows: list[Said], answers: Said, **hand: Any) -> Said:
    """`answers` by the names of works; __ in a name of `hand` parts the steps."""
    found = {digest(one): given for one, given in answers.items()}
    wanted = {path.replace("__", "."): value for path, value in hand.items()}
    return {"name": name, "use": TRAIN, "rows": rows, "answers": found, "hand": wanted}


def one_work(name: str, found: Said, **hand: Any) -> Said:
    return case(name, [row("w", path="w.txt", bytes=5)], {"w": found}, **hand)


def unit(head: str, code: int, fill: int = 0xA5) -> str:
    raw = bytes.fromhex(head) + code.to_bytes(8, "big") + bytes([fill]) * 24
    return "ISCC:" + base64.b32encode(raw).decode().rstrip("=")


def printed(*units: str) -> Said:
    return {"fields": {"fingerprints": {"iscc": list(units)}}}


FIVE = {"items": 1, "bytes": 5}
GONE = {"reason": "legal", "index": 4}
WIDE = 0xFFFF_0000_FFFF_0000


def made_cases() -> Iterator[Said]:
    yield case("an empty set", [], {}, ingredients__human={"items": 0, "bytes": 0})
    rows = [row(one, path=f"{one}.txt", bytes=7) for one in "abc"]
    nothing = {one: answer(total=0) for one in "abc"}
    all_gone = {"items": 3, "bytes": 21}
    yield case("all unattested", rows, nothing, ingredients__unattested=all_gone)
    for word in ("human", "assisted", "generated", "other", "unknown"):
        hand = {f"ingredients__{word}": FIVE}
        yield one_work(f"made: {word}", answer(claim(word)), **hand)
    rivals = answer(claim("human"), claim("generated", BEN, index=2))
    agree = answer(claim("human"), claim("human", BEN, index=2))
    late = answer(claim("human"), claim("generated", BEN, status="late"))
    doubt = answer(claim("human"), claim("human", BEN, status="unknown"))
    gone = answer(claim("human", status="withdrawn"))
    other_gone = answer(claim("human"), claim("generated", BEN, status="withdrawn"))
    hidden = answer(claim("human"), total=2)
    for name, found, word in (
        ("rival claims", rivals, "unknown"),
        ("claims that agree", agree, "human"),
        ("a late claim does not count", late, "human"),
        ("a claim in doubt", doubt, "unknown"),
        ("a claim that was withdrawn", gone, "unattested"),
        ("of two claims one was withdrawn", other_gone, "human"),
        ("a claim, and more that is not shown", hidden, "unknown"),
        (
            "a claim, and nobody knows how many more",
            hidden | {"total": None},
            "unknown",
        ),
        ("no claim, and something that is not shown", answer(total=1), "unknown"),
        ("no claim, and something was taken down", answer(redacted=[GONE]), "unknown"),
        ("a claim that is withdrawn, and more", gone | {"total": 9}, "unknown"),
        ("a remark alone", answer(remarks=[remark("grant")]), "unattested"),
    ):
        yield one_work(f"made: {name}", found, **{f"ingredients__{word}": FIVE})


def column_cases() -> Iterator[Said]:
    same = answer(claim("human"), claim("human", BEN))
    yield one_work("a term that all name", same, source_types__total=1)
    differ = answer(claim("human"), claim("human", BEN, source_type=TERM + "print"))
    yield one_work("terms that differ", differ, source_types__total=0)
    silent = answer(claim("human"), claim("unknown", BEN))
    yield one_work("one claim without a term", silent, source_types__total=0)
    licensed = claim("human", license="MIT")
    for name, other, total in (
        ("a licence", {}, "MIT"),
        ("two licences", {"license": "0BSD"}, "differing"),
        (
            "a licence of a claim in doubt",
            {"license": "0BSD", "status": "unknown"},
            "MIT",
        ),
    ):
        found = answer(licensed, claim("human", BEN, **other))
        top = [{"name": total, **FIVE}]
        yield one_work(name, found, licences={"total": 1, "top": top})
    none = {"total": 1, "top": [{"name": "unknown", **FIVE}]}
    yield one_work("no licence", answer(claim()), licences=none)
    fields: list[Said] = [
        {"model": {"name": "m-1"}},
        {"model": {"name": "m-2", "type": 7}},
        {"model": {"name": "x" * 257}},
        {"model": {"identifier": "m-3"}},
        {"model": "m-4"},
        {"model": {"name": "m-1"}},
    ]
    named = [claim("generated", key(str(n)), fields=f) for n, f in enumerate(fields)]
    doubt = claim("generated", BEN, status="unknown", fields={"model": {"name": "m-5"}})
    yield one_work("models", answer(*named, doubt), models__total=2)
    places = [claim(index=9), claim(author=BEN, index=3, status="withdrawn")]
    yield one_work("places ascend", answer(*places), trust__withdrawn=1)
    odd = [
        row("a", path='a, "b"', bytes=1),
        row("b", path="50%25 \n\x7f %zz %", bytes=2, url="https://a.example"),
        row("c", path="caf\udce9/é.txt"),
        row("d"),
        row("e", path="=1\u202egpj\x9b"),
    ]
    no = answer(claim(), consent={"ai_generative_training": "notAllowed"})
    paths = [
        'a, "b"',
        "50%2525 %0A%7F %zz %",
        "caf%E9/é.txt",
        None,
        "%3D1%E2%80%AEgpj%C2%9B",
    ]
    first = [
        {"digest": digest(one), "path": path}
        for one, path in zip("abcde", paths, strict=True)
    ]
    said = {"items": 5, "bytes": 3, "first": first}
    yield case("paths", odd, dict.fromkeys("abcde", no), violations=said)


def trust_cases() -> Iterator[Said]:
    endorsed = remark("endorse", BEN)
    for name, one, count in (
        ("by another", endorsed, 1),
        ("by oneself", remark("endorse", ANN), 0),
        ("that was withdrawn", endorsed | {"status": "withdrawn"}, 0),
        ("in doubt", endorsed | {"status": "unknown"}, 0),
        ("by a delegate of oneself", remark("endorse", BOT, signed_for=ANN), 0),
    ):
        found = answer(claim(endorsements=[one]))
        yield one_work(f"an endorsement {name}", found, trust__endorsed=count)
    delegated = claim("generated", BOT, signed_for=ANN, endorsements=[endorsed])
    keys = {"total": 1, "top": [{"name": ANN, **FIVE}]}
    yield one_work("a delegate's claim", answer(delegated), sources__keys=keys)
    doubt = answer(claim(status="unknown", endorsements=[endorsed]))
    yield one_work("an endorsement of a claim in doubt", doubt, trust__endorsed=0)

    about = answer(claim(), remarks=[dispute("how-made")])
    yield one_work("a dispute about the work", about, trust__disputed=1)
    objection = answer(claim(), remarks=[dispute("consent")])
    objected = {"items": 1, "disputes": 1}
    yield one_work(
        "disputed by a person who is in it",
        objection,
        trust__disputed=0,
        objections=objected,
    )
    both = answer(
        claim(disputes=[dispute("consent", BEN), dispute(None)]),
        claim("human", BEN, disputes=[dispute("consent", status="unknown")]),
        claim("human", EVE, status="withdrawn", disputes=[dispute("consent")]),
        remarks=[
            dispute("consent"),
            dispute("consent", status="withdrawn"),
            remark("endorse"),
        ],
    )
    yield one_work(
        "objections to work and claims",
        both,
        objections={"items": 1, "disputes": 3},
        trust__disputed=1,
    )
    void = answer(claim(disputes=[dispute("how-made", status="no-effect")]))
    yield one_work("a dispute without effect", void, trust__disputed=0)

    for name, profile, count in (
        ("a name", {"fields": {"name": "Ann"}}, 1),
        ("a name, in doubt", {"fields": {"name": "Ann"}, "status": "unknown"}, 1),
        ("no name", {"fields": {"note": "x"}}, 0),
        ("a name that is too long", {"fields": {"name": "x" * 129}}, 0),
        (
            "a profile that was withdrawn",
            {"fields": {"name": "Ann"}, "status": "withdrawn"},
            0,
        ),
        ("another statement", {"fields": {"name": "Ann"}, "type": "rotate"}, 0),
    ):
        said = remark("profile", ANN) | profile
        found = answer(claim(), keys=[{"author": ANN, "statements": [said]}])
        yield one_work(f"a key with {name}", found, trust__named=count)
    profiles = [
        {"author": BEN, "statements": [remark("profile", fields={"name": "B"})]}
    ]
    strange = answer(claim(), claim("human", BEN, status="late"), keys=profiles)
    yield one_work(
        "a name of a key whose claim does not count", strange, trust__named=0
    )
    signed = answer(claim(status="unknown"), keys=profiles)
    yield one_work(
        "only a claim in doubt", signed, trust__signed=0, sources__keys__total=1
    )


def consent_cases() -> Iterator[Said]:
    words = ("allowed", "constrained", "notAllowed", "unknown")
    rows = [
        row(one, bytes=size) for one, size in zip("abcd", (1, 2, 4, 8), strict=True)
    ]
    mixed = {
        name: answer(
            claim(),
            consent={
                use[5:]: words[(at + shift) % 4] for shift, use in enumerate(USES)
            },
        )
        for at, name in enumerate("abcd")
    }
    yield case(
        "each verdict on each use",
        rows,
        mixed,
        violations={
            "items": 1,
            "bytes": 8,
            "first": [{"digest": digest("d"), "path": None}],
        },
    )
    for use in USES:
        yield case(f"a label for {use}", rows, mixed) | {"use": use}
    many = [row(f"v{n}", path=f"{n}.txt", bytes=n) for n in range(25)]
    no = answer(claim(), consent={"ai_generative_training": "notAllowed"})
    yield case(
        "violations beyond the first twenty",
        many,
        {f"v{n}": no for n in range(25)},
        violations__items=25,
        violations__bytes=300,
    )
    silent = answer(total=0, consent={"ai_generative_training": "notAllowed"})
    yield one_work("unattested, and a violation", silent, violations__items=1)


def depth_cases() -> Iterator[Said]:
    found = [(0, 0), (0, 1), (1, 7), (2, 8), (3, 30), (0, None), (2, None)]
    rows = [row(f"d{n}", bytes=1) for n in range(len(found) + 1)]
    answers = {
        f"d{n}": answer(claim(), synthetic_depth=depth(*one))
        for n, one in enumerate(found)
    }
    answers[f"d{len(found)}"] = answer(claim(), synthetic_depth=None)
    hand = {"0": 1, "1": 1, "7": 1, "8 or more": 2, "open": 3}
    yield case("depths", rows, answers, synthetic_depth=hand)


URLS = {
    "https://a.example/x": "a.example",
    "HTTPS://WWW.A.Example": "a.example",
    "http://www./": "www.",
    "http://www.www.example": "www.example",
    "http://user:se@cret@b.example:80/": "b.example",
    "http://c.example:/": "c.example",
    "http://c.example?x=//@d.example": "c.example",
    "http://127.0.0.1:8080#a": "127.0.0.1",
    "git+ssh://e_1.example/": "e_1.example",
    "http://f.example:80:80/": None,
    "http://[::1]/": None,
    "http://b\u00fccher.example/": None,
    "http://a b/": None,
    "http:///x": None,
    "//a.example": None,
    "1http://a.example": None,
    "a.example": None,
    "http://\u212a.example/": None,
    "http://" + "x" * 253 + "/": "x" * 253,
    "http://" + "x" * 254 + "/": None,
}


def list_cases() -> Iterator[Said]:
    rows = [row(f"u{n}", bytes=1, url=url) for n, url in enumerate(URLS)]
    found = {f"u{n}": answer(claim()) for n in range(len(URLS))}
    yield case("domains", rows, found, sources__domains__total=8)
    names = [f"m-{n:02}" for n in range(12)]
    rows, found = [row("all", bytes=100)], {}
    claims = [
        claim("generated", key(name), fields={"model": {"name": name}})
        for name in ["b", "a", *names]
    ]
    found["all"] = answer(*claims)
    for n, name in enumerate(
        ["b", "b", "m-07", "M", "Z", "\u00e9", "\U0001f600", "\uffee"]
    ):
        rows.append(row(f"l{n}", bytes=n))
        fields = {"model": {"name": name}}
        found[f"l{n}"] = answer(claim("generated", fields=fields))
    yield case("lists: ten, most first, then by name", rows, found, models__total=19)


def size_cases() -> Iterator[Said]:
    big = 2**53 - 1
    rows = [row(one, bytes=big) for one in "abc"]
    found = dict.fromkeys("abc", answer(claim()))
    human = {"items": 3, "bytes": 3 * big}
    yield case("bytes beyond 2^53", rows, found, ingredients__human=human)
    found = {"a": answer(claim()), "b": answer(claim("generated"))}
    rows = [row("a", bytes=2**62), row("b", bytes=2**62 - 1), row("a")]
    human = {"items": 2, "bytes": 2**62}
    yield case("a size that is not said", rows, found, ingredients__human=human)
    rows = [row("a", path="x", bytes=3), row("b", bytes=9), row("a", path="y", bytes=4)]
    found["a"] |= printed(unit("2107", WIDE))
    found["a"]["claims"] = [claim(**printed(unit("2107", WIDE)))]
    human = {"items": 2, "bytes": 7}
    yield case(
        "one digest in several files",
        rows,
        found,
        ingredients__human=human,
        near_duplicates__items=2,
        licences__top=[{"name": "unknown", "items": 3, "bytes": 16}],
    )


def near_cases() -> Iterator[Said]:
    def of(*codes: str) -> tuple[list[Said], Said]:
        names = [f"n{n}" for n in range(len(codes))]
        found = {
            n: answer(claim(**printed(c))) for n, c in zip(names, codes, strict=True)
        }
        return [row(one, bytes=1) for one in names], found

    def image(code: int, fill: int = 0xA5) -> str:
        return unit("2107", code, fill)

    twelve, thirteen = WIDE ^ 0xFFF, WIDE ^ 0x1FFF
    for name, codes, hand in (
        ("12 bits", (image(WIDE), image(twelve)), (2, 1, 2, 2)),
        ("13 bits", (image(WIDE), image(thirteen)), (2, 0, 0, 0)),
        (
            "a chain",
            (image(WIDE), image(WIDE ^ 0xFFF), image(WIDE ^ 0xFFFFFF)),
            (3, 1, 3, 3),
        ),
        ("two kinds", (image(WIDE), unit("2007", WIDE)), (2, 0, 0, 0)),
        ("texts", (unit("2007", WIDE), unit("2007", WIDE, 0)), (2, 1, 2, 2)),
        ("other kinds of code", (unit("3007", WIDE), unit("4007", WIDE)), (0, 0, 0, 0)),
        ("7 ones", (image(0x7F), image(0x7F)), (0, 0, 0, 0)),
        ("8 ones", (image(0xFF), image(0xFF)), (2, 1, 2, 2)),
        ("nothing but ones", (image(2**64 - 1), image(2**64 - 1)), (2, 1, 2, 2)),
        (
            "two groups",
            (image(0xFF), image(WIDE), image(0xFF), image(WIDE), image(WIDE ^ 1)),
            (5, 2, 5, 3),
        ),
    ):
        wanted = dict(
            zip(("compared", "clusters", "items", "largest"), hand, strict=True)
        )
        rows, found = of(*codes)
        yield case(f"near: {name}", rows, found, near_duplicates={"bits": 12, **wanted})
    rows, found = of(image(WIDE))
    plain = claim(**printed(image(1), unit("3007", 7), unit("2007", WIDE), image(WIDE)))
    late = claim(status="late", **printed(image(WIDE)))
    odd = claim(**printed("ISCC:AAAA"))
    found["n1"] = answer(late, odd, plain, claim(**printed(image(WIDE))))
    rows.append(row("n1", bytes=1))
    yield case(
        "near: the first code that is none of a plain surface",
        rows,
        found,
        near_duplicates__clusters=0,
        near_duplicates__compared=2,
    )
