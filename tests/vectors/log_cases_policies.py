"""Cases of log_policy.json."""

from __future__ import annotations

from log_cases import LOG_KEY, ORIGIN, Case, b64, bad, ok
from naive_bundle import Key, sha256, vkey


def policy_vectors() -> dict[str, list[Case]]:
    return {"parse": [*good_policies(), *bad_policies()]}


def witness_key(name: str) -> str:
    return vkey(f"witness.example/{name}", Key(f"witness {name}"), 4)


LOG_LINE = f"log {vkey(ORIGIN, LOG_KEY)}\n"
LINES = "".join(f"witness {name} {witness_key(name)}\n" for name in "ABCD")


def octets(text: str) -> str:
    """A policy in hex; lone surrogates stand for octets that are not UTF-8."""
    return text.encode("utf-8", "surrogateescape").hex()


def good(name: str, text: str, yes: str | list[str], no: str | list[str] = "") -> Case:
    """`yes` and `no`: sets of witnesses that make the quorum and that do not.

    Names with commas between them are one set, "-" is the empty one.
    """

    def sets(groups: str | list[str]) -> list[list[str]]:
        words = groups.split() if isinstance(groups, str) else groups
        return [[] if word == "-" else word.split(",") for word in words]

    return ok(name, policy=octets(text), satisfied=sets(yes), unsatisfied=sets(no))


def good_policies() -> list[Case]:
    urls = LOG_LINE[:-1] + " https://log.example/\n"
    urls += LINES.split("\n")[0] + " https://w.example/\n"
    comment = "# a\u2028quorum A\u0085quorum B\n"
    blanks = " \t\n# a comment\n \t# quorum A\n" + LINES.replace(" ", " \t ")
    two_levels = "group AB any A B\ngroup CD 2 C D\ngroup both all AB CD\n"
    odd = f"witness all {witness_key('A')}\nwitness 2 {witness_key('B')}\n"
    high = f"witness \udcff {witness_key('A')}\nwitness \u212a {witness_key('B')}\n"
    many = "".join(f"witness w{n} {witness_key(f'w{n}')}\n" for n in range(40))
    names = [f"w{n}" for n in range(40)]
    most = f"group g 27 {' '.join(names)}\nquorum g\n"
    two = LINES + "group g 2 A B C\nquorum g\n"
    return [
        good("no witness asked", LOG_LINE + "quorum none\n", "- A"),
        good("quorum alone", "quorum none\n", "-"),
        good("one witness", LINES + "quorum B\n", "B A,B", "- A b"),
        good("two of three", two, "A,C A,B,C", "A A,D g A,g"),
        good("all", LINES + "group g all A B\nquorum g\n", "A,B", "A B"),
        good("any", LINES + "group g any A B\nquorum g\n", "A B", "- C"),
        good("two levels", LINES + two_levels + "quorum both\n", "A,C,D", "A,B,C C,D"),
        good("blanks and comments", blanks + "\tquorum  none \t\n", "-"),
        good("quorum before the log", LINES + "quorum A\n" + LOG_LINE, "A", "-"),
        good("a comment that others take for three", comment + "quorum none\n", "-"),
        good("urls", urls + "quorum A\n", "A", "-"),
        good("names like keywords", odd + "group any all all 2\nquorum any\n", "all,2"),
        good("names are octets", high + "quorum \u212a\n", ["\u212a"], ["K", "\udcff"]),
        good("40 witnesses", many + most, ",".join(names[:27]), ",".join(names[:26])),
    ]


def bad_policies() -> list[Case]:
    a, b = witness_key("A"), witness_key("B")
    same_key = vkey("another.example/name", Key("witness A"), 4)
    log_as_witness = vkey("witness.example/log", LOG_KEY, 4)
    own_name = vkey(ORIGIN, Key("witness A"), 4)
    reserved, plain = vkey("cosignature/v1", LOG_KEY), vkey("w", Key("w"))
    twice = f"witness A {a}\nwitness B {same_key}\n"
    second_key = vkey(ORIGIN, Key("other"))
    ml_dsa = (
        sha256(b"w\n\x06" + bytes(1312))[:4].hex() + "+" + b64(b"\x06" + bytes(1312))
    )
    texts = {
        "empty": "",
        "no quorum": LINES,
        "two quorums": LINES + "quorum A\nquorum A\n",
        "no final newline": "quorum none",
        "unknown line": "quorum none\nanchor A\n",
        "upper-case keyword": "Quorum none\n",
        "comment behind a line": "quorum none # for now\n",
        "comment behind a log": LOG_LINE[:-1]
        + " https://log.example # ours\nquorum none\n",
        "comment behind a witness": LINES.split("\n")[0] + " # ours\nquorum A\n",
        "comment behind a group": LINES + "group g any A B # C\nquorum g\n",
        "lines cut by U+2028": LINES.replace("\n", "\u2028", 1) + "quorum A\n",
        "lines cut by U+0085": LINES.replace("\n", "\u0085", 1) + "quorum A\n",
        "lines cut by 0b": LINES.replace("\n", "\x0b", 1) + "quorum A\n",
        "lines cut by 1e": LINES.replace("\n", "\x1e", 1) + "quorum A\n",
        "no-break space": "quorum\u00a0none\n",
        "form feed": "quorum\x0cnone\n",
        "CR LF": "quorum none\r\n",
        "NUL": "quorum none\0\n",
        "DEL": "# \x7f\nquorum none\n",
        "log without a key": "log\nquorum none\n",
        "log with a broken key": LOG_LINE.replace("+", "-", 1) + "quorum none\n",
        "log with a cosigner's key": f"log {vkey(ORIGIN, LOG_KEY, 4)}\nquorum none\n",
        "log called cosignature/v1": f"log {reserved}\nquorum none\n",
        "log twice": LOG_LINE * 2 + "quorum none\n",
        "log's key under another name": LOG_LINE
        + f"log {vkey('other', LOG_KEY)}\nquorum none\n",
        "log's name with another key": LOG_LINE + f"log {second_key}\nquorum none\n",
        "witness with a log's key type": f"witness A {plain}\nquorum A\n",
        "witness without a key": "witness A\nquorum none\n",
        "witness key not UTF-8": f"witness A \udcff{a}\nquorum none\n",
        "witness called none": f"witness none {a}\nquorum none\n",
        "witness name twice": f"witness A {a}\nwitness A {b}\nquorum A\n",
        "witness key twice": f"witness A {a}\nwitness B {a}\nquorum A\n",
        "witness key twice under two names": twice + "quorum A\n",
        "witness with the log's key": LOG_LINE
        + f"witness A {log_as_witness}\nquorum A\n",
        "witness with the log's name": LOG_LINE + f"witness A {own_name}\nquorum A\n",
        "log with a witness's name": f"witness A {own_name}\n"
        + LOG_LINE
        + "quorum A\n",
        "quorum undefined": LINES + "quorum E\n",
        "quorum before its witness": "quorum A\n" + LINES,
        "quorum of two": LINES + "quorum A B\n",
        "group without members": LINES + "group g all\nquorum g\n",
        "group before its member": "group g any A\n" + LINES + "quorum g\n",
        "group in itself": LINES + "group g any g\nquorum g\n",
        "group with none": LINES + "group g any none\nquorum g\n",
        "group with the name of a witness": LINES + "group A any B\nquorum A\n",
        "group called none": LINES + "group none any A\nquorum none\n",
        "member twice": LINES + "group g 2 A A\nquorum g\n",
        "member of two groups": LINES + "group g any A B\ngroup h any A C\nquorum h\n",
        "threshold 0": LINES + "group g 0 A B\nquorum g\n",
        "threshold above the members": LINES + "group g 3 A B\nquorum g\n",
        "threshold with a zero in front": LINES + "group g 01 A B\nquorum g\n",
        "threshold with an underscore": LINES + "group g 1_0 A B\nquorum g\n",
        "threshold with a sign": LINES + "group g +1 A B\nquorum g\n",
        "threshold in another script": LINES + "group g \u0661 A B\nquorum g\n",
        "threshold a word": LINES + "group g most A B\nquorum g\n",
    }
    return [
        *(bad(why, policy=octets(text)) for why, text in texts.items()),
        bad(
            "a witness key of another type",
            "unsupported",
            policy=f"witness w w+{ml_dsa}\nquorum w\n".encode().hex(),
        ),
    ]
