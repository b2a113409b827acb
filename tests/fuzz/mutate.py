"""A seeded mutator in plain Python: the fuzzing that every test run does.

It knows nothing of formats and follows no coverage; atheris does (`make fuzz`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

ODD = (
    b"\x00",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\n",
    b"\n\n",
    b"\r",
    b" ",
    b"+",
    b"-",
    b"0",
    b"00",
    b"_",
    b"=",
    b"\xc2\x85",
    b"\xe2\x80\x94 ",
    b"\xe2\x80\xa8",
    b"\xed\xa0\x80",
    b"\xdc\xff\xff",
    b"\xdf\xff\xff\xff\xff",
    b"\x7f" + b"\xff" * 7,
    b"\xff" * 8,
    b"9223372036854775808",
    b"[" * 200,
    b"\x91" * 200,
)


def mutants(seeds: Sequence[bytes], count: int, random: Random) -> Iterator[bytes]:
    """`count` inputs, each a seed with one to four changes."""
    for _ in range(count):
        data = random.choice(seeds)
        for _ in range(random.randint(1, 4)):
            data = changed(data, random.choice(seeds), random)
        yield data


def changed(data: bytes, other: bytes, random: Random) -> bytes:
    """One change: half of them keep the length, on which many formats hang."""
    start, end = sorted(random.randint(0, len(data)) for _ in range(2))
    end = min(end, start + random.choice((0, 1, 2, 8, 32, len(data))))
    middle = data[start:end]
    odd = random.choice(ODD)
    if random.random() < 0.5:
        return kept_in_length(data, start, random.choice((b"", odd, middle)), random)
    other = other[random.randint(0, len(other)) :]
    after = data[end:]
    middle, after = random.choice(
        ((b"", after), (middle * 2, after), (odd, after), (b"", other))
    )
    return data[:start] + middle + after


def kept_in_length(data: bytes, at: int, new: bytes, random: Random) -> bytes:
    """`new` written over what is at `at`; without it one bit flipped."""
    if not new and data:
        at = random.randrange(len(data))
        new = bytes([data[at] ^ 1 << random.randrange(8)])
    return (data[:at] + new + data[at + len(new) :])[: len(data)]
