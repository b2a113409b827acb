"""Random cases of label.json, where several rules meet; see label_cases.py."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from label_cases import (
    ANN,
    BEN,
    EVE,
    STATUSES,
    TERMS,
    USES,
    WIDE,
    Said,
    answer,
    case,
    claim,
    depth,
    printed,
    remark,
    row,
    unit,
)


def random_cases(seed: int, count: int) -> Iterator[Said]:
    for number in range(count):
        yield random_case(Random(seed * 1_000 + number), number)


def random_case(dice: Random, number: int) -> Said:
    keys = [ANN, BEN, EVE]

    def remarks(type_: str) -> list[Said]:
        reasons = ("consent", "how-made", None)
        return [
            remark(
                type_,
                dice.choice(keys),
                status=dice.choice(STATUSES),
                reason=dice.choice(reasons),
            )
            for _ in range(dice.choice((0, 0, 1, 2)))
        ]

    def any_claim(index: int) -> Said:
        found = claim(
            dice.choice((*TERMS, "unknown")),
            dice.choice(keys),
            index=index,
            status=dice.choice((*STATUSES, "effective", "effective")),
            license=dice.choice((None, "MIT", "0BSD")),
            endorsements=remarks("endorse"),
            disputes=remarks("dispute"),
        )
        return found | (printed(unit("2107", WIDE)) if dice.random() < 0.3 else {})

    def any_answer() -> Said:
        claims = [
            any_claim(dice.randrange(99)) for _ in range(dice.choice((0, 1, 1, 2, 3)))
        ]
        words = ("allowed", "constrained", "notAllowed", "unknown")
        found = answer(
            *claims,
            consent={use[5:]: dice.choice(words) for use in USES},
            remarks=remarks("dispute"),
            synthetic_depth=depth(0, dice.choice((None, 0, 1, 2))),
        )
        if dice.random() < 0.2:
            found["total"] = dice.choice((None, 99))
        return found

    names = [f"r{n}" for n in range(dice.randrange(1, 9))]
    rows = [
        row(
            dice.choice(names),
            path=dice.choice((None, "a.txt", "b,c.txt")),
            bytes=dice.choice((None, 0, 9, 2**40)),
            url=dice.choice((None, "https://a.example/", "https://b.example/")),
        )
        for _ in range(dice.randrange(1, 14))
    ]
    answers = {one: any_answer() for one in names}
    return case(f"random {number}", rows, answers) | {"use": dice.choice(USES)}
