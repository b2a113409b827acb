"""Settlements, worked out slowly from docs/spec/settlement.md alone.

Statements are maps as in state.json; what they amount to is asked of naive_state.py.
Imports nothing of the program.
"""

from __future__ import annotations

import base64
from fractions import Fraction
from hashlib import sha256
from typing import Any

from naive_state import YES, Said, World
from naive_state_works import consent

Row = dict[str, Any]
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
PERS = ("item", "megabyte", "set", "year")


def rows_of(world: World, sizes: dict[str, int], group: str, use: str) -> list[Row]:
    """All rows, in their order."""
    offer = offered(world, group, use)
    found = []
    for work, size in sizes.items():
        claims = counted(world, work, group)
        contested = len(claims) > 1 or any(is_disputed(world, one) for one in claims)
        word = consent(world, work, use, None)["verdict"]
        for claim in claims:
            shares = shares_of(world, claim)
            for member, parts in shares.items():
                found.append(
                    {
                        "work": work,
                        "bytes": size,
                        "member": member,
                        "parts": parts,
                        "of": sum(shares.values()),
                        "word": word,
                        "contested": contested,
                        "claim": claim["id"],
                        "offer": offer and offer["id"],
                    }
                )
    found.sort(key=lambda one: (hashed("work", one["work"]), place(one)))
    return found


def place(row: Row) -> tuple[bytes, bytes]:
    return hashed("statement", row["claim"]), hashed("key", row["member"])


def counted(world: World, work: str, group: str) -> list[Said]:
    """The first claim of each class of linked keys."""
    ends: set[str] = set()
    found = []
    for name in world.order(work):
        claim = world.named(name)
        assert claim is not None
        principal = world.principal(claim)
        end = world.succession(principal)[0][-1]
        if (
            world.status(claim) == "effective"
            and claim.get("group") == group
            and world.membership(principal, group)[0] == YES
            and end not in ends
        ):
            ends.add(end)
            found.append(claim)
    return found


def shares_of(world: World, claim: Said) -> dict[str, int]:
    given = claim.get("shares")
    shares: dict[str, int] = {}
    is_sound = isinstance(given, list) and 1 <= len(given) <= 32
    for one in given if isinstance(given, list) else []:
        parts = one.get("parts")
        if type(parts) is not int or not 1 <= parts <= 1_000_000:
            is_sound = False
        shares[one["key"]] = parts
    if is_sound and isinstance(given, list) and len(shares) == len(given):
        return shares
    return {world.principal(claim): 1}


def is_disputed(world: World, claim: Said) -> bool:
    disputes = world.of("dispute", claim["about"])
    disputes += world.of("dispute", f"statement {claim['id']}")
    return any(
        one.get("reason") == "authorship" and world.status(one) == "effective"
        for one in disputes
    )


def price_of(offer: Said) -> Said | None:
    price = offer.get("price")
    if not isinstance(price, dict) or type(price.get("amount")) is not int:
        return None
    currency = str(price.get("currency"))
    is_code = len(currency) == 3 and currency.isascii() and currency.isupper()
    return price if is_code and price.get("per") in PERS else None


def offered(world: World, group: str, use: str) -> Said | None:
    for one in world.of("offer", f"key {group}"):
        if (
            price_of(one)
            and "grantee" not in one
            and use in one.get("uses", {})
            and world.in_term(one) == YES
            and world.acts(one, group) == YES
            and world.status(one) == "effective"
        ):
            return one
    return None


# Totals


def members_of(rows: list[Row], prices: dict[str, Said]) -> list[list[Any]]:
    """Lines of members.csv, the member by its name."""
    lines = []
    names = sorted({one["member"] for one in rows}, key=lambda one: hashed("key", one))
    for name in names:
        mine = [one for one in rows if one["member"] == name]
        plain = [one for one in mine if not one["contested"]]
        works = {one["work"]: one["bytes"] for one in plain}
        contested = {one["work"] for one in mine if one["contested"]}
        share = sum((Fraction(one["parts"], one["of"]) for one in plain), Fraction(0))
        head = [name, len(works), len(contested), sum(works.values()), decimal(share)]
        owed = {}
        for offer in {one["offer"] for one in plain if one["offer"]}:
            under = [one for one in rows if not one["contested"]]
            under = [one for one in under if one["offer"] == offer]
            owed[prices[offer]["currency"]] = divided(prices[offer], under)[name]
        for currency, units in sorted(owed.items()) or [("", 0)]:
            lines.append([*head, units, currency])
    return lines


def divided(price: Said, rows: list[Row]) -> dict[str, int]:
    sizes = {one["work"]: one["bytes"] for one in rows}
    amount, per = price["amount"], price["per"]
    total = {
        "item": amount * len(sizes),
        "megabyte": amount * sum(sizes.values()) // 1_000_000,
        "set": amount,
        "year": amount,
    }[per]
    weights: dict[str, Fraction] = {}
    for one in rows:
        weight = Fraction(one["parts"], one["of"])
        weight *= one["bytes"] if per == "megabyte" else 1
        weights[one["member"]] = weights.get(one["member"], Fraction(0)) + weight
    whole = sum(weights.values(), Fraction(0))
    if whole == 0:
        return dict.fromkeys(weights, 0)
    parts = {key: total * weight / whole for key, weight in weights.items()}
    given = {key: int(part) for key, part in parts.items()}
    while sum(given.values()) < total:
        most = max(parts[key] - given[key] for key in given if given[key] <= parts[key])
        next_ = [key for key in given if parts[key] - given[key] == most]
        given[min(next_, key=lambda one: hashed("key", one))] += 1
    return given


def decimal(value: Fraction) -> str:
    millionths = value.numerator * 1_000_000 // value.denominator
    return f"{millionths // 1_000_000}.{millionths % 1_000_000:06d}"


# As bytes


def hashed(kind: str, name: str) -> bytes:
    return sha256(f"{kind} {name}".encode()).digest()


def did(name: str) -> str:
    number = int.from_bytes(b"\xed\x01" + hashed("key", name), "big")
    text = ""
    while number:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    return "did:key:z" + text


def cid(name: str) -> str:
    raw = b"\x01\x81\x04\x12\x20" + hashed("statement", name)
    return "b" + base64.b32encode(raw).decode().lower().rstrip("=")


def rows_csv(rows: list[Row]) -> str:
    lines = ["work,bytes,member,parts,of,word,contested,claim,offer"]
    lines += [
        ",".join(
            [
                hashed("work", one["work"]).hex(),
                str(one["bytes"]),
                did(one["member"]),
                str(one["parts"]),
                str(one["of"]),
                one["word"],
                "yes" if one["contested"] else "no",
                cid(one["claim"]),
                cid(one["offer"]) if one["offer"] else "",
            ]
        )
        for one in rows
    ]
    return "".join(f"{line}\n" for line in lines)


def members_csv(lines: list[list[Any]]) -> str:
    text = "member,works,contested,bytes,share,due_minor_units,currency\n"
    for name, *values in lines:
        text += ",".join([did(name), *map(str, values)]) + "\n"
    return text


def root(csv: str) -> str:
    leaves = [
        sha256(b"\x00" + line.encode()).digest() for line in csv.split("\n")[1:-1]
    ]
    return tree(leaves).hex()


def tree(leaves: list[bytes]) -> bytes:
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\x01" + tree(leaves[:half]) + tree(leaves[half:])).digest()
