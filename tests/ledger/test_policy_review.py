"""What is said of policies that are weaker than they look."""

from __future__ import annotations

import pytest

from byline_ledger.checkpoint import log_vkey
from byline_ledger.cosignature import cosigner_vkey
from byline_ledger.crypto import SigningKey
from byline_ledger.policy import Policy
from byline_ledger.policy_review import policy_warnings, safe_threshold


def key(text: str) -> bytes:
    return SigningKey.from_seed(text.encode().ljust(32, b".")).public


LOG = f"log {log_vkey('log.example/1', key('log'))}\n"


def policy(
    count: int,
    threshold: int | str,
    *,
    names: dict[int, str] | None = None,
    url: str = "",
) -> Policy:
    """So many witnesses in one group."""
    lines = [LOG]
    for number in range(count):
        name = (names or {}).get(number, f"w{number}.example/w")
        lines.append(
            f"witness w{number} {cosigner_vkey(name, key(str(number)))} {url}\n"
        )
    members = " ".join(f"w{number}" for number in range(count))
    lines.append(f"group g {threshold} {members}\nquorum g\n")
    return Policy.from_bytes("".join(lines).encode())


@pytest.mark.parametrize(
    ("members", "needed"), [(2, 2), (3, 3), (4, 3), (5, 4), (7, 5)]
)
def test_more_than_two_thirds_are_safe(members: int, needed: int) -> None:
    assert safe_threshold(members) == needed
    assert policy_warnings(policy(members, needed)) == []


@pytest.mark.parametrize(("count", "threshold"), [(2, 1), (4, 2), (5, 2), (3, "any")])
def test_half_or_less_can_be_split(count: int, threshold: int | str) -> None:
    (said,) = policy_warnings(policy(count, threshold))
    assert "can be split" in said


def test_a_bare_majority_is_said_to_withstand_little() -> None:
    (said,) = policy_warnings(policy(7, 4))
    assert "1 dishonest witness of 7 could split the view; 5 would" in said


def test_one_operator_under_two_names_is_seen() -> None:
    names = {0: "node.example/1/witness", 1: "node.example/1/replay"}
    (said,) = policy_warnings(policy(4, 3, names=names))
    assert said == "2 of the witnesses are one operator, node.example/1"


def test_the_keys_of_one_operator_may_stand_together() -> None:
    """Any of them will do, and all of them count as one."""
    base = policy(4, 3, names={0: "n.example/1/witness", 1: "n.example/1/replay"})
    lines = [LOG] + [
        f"witness {one.name} {one.verifier.to_text()}\n" for one in base.witnesses
    ]
    lines += ["group n any w0 w1\n", "group all 3 n w2 w3\n", "quorum all\n"]
    assert policy_warnings(Policy.from_bytes("".join(lines).encode())) == []


def test_two_witnesses_at_one_place_are_seen() -> None:
    (said,) = policy_warnings(policy(3, 3, url="https://w.example:8443/x"))
    assert said == "3 of the witnesses are at one place, w.example"


def test_witnesses_at_places_of_their_own_are_no_matter() -> None:
    text = "".join(
        f"witness w{n} {cosigner_vkey(f'w{n}.example/w', key(str(n)))} https://w{n}/\n"
        for n in range(3)
    )
    rules = Policy.from_bytes(f"{LOG}{text}group g all w0 w1 w2\nquorum g\n".encode())
    assert policy_warnings(rules) == []


def test_a_log_that_witnesses_itself_is_seen() -> None:
    (said,) = policy_warnings(policy(3, 3, names={2: "log.example/1/witness"}))
    assert "its own operator" in said


def test_no_log_no_quorum_and_one_witness_are_seen() -> None:
    nothing = Policy.from_bytes(b"quorum none\n")
    assert [line.partition(":")[0] for line in policy_warnings(nothing)] == [
        "it names no log, so it accepts none",
        "it asks for no witness",
    ]
    alone = f"{LOG}witness w {cosigner_vkey('w.example/w', key('w'))}\nquorum w\n"
    (said,) = policy_warnings(Policy.from_bytes(alone.encode()))
    assert said.startswith("one witness alone, w.example/w, decides")


def test_a_group_of_one_operator_is_one_witness() -> None:
    """With one key, with both of a node, beside a witness that does not count."""
    (said,) = policy_warnings(policy(1, 1))
    assert said.startswith("one witness alone, w0.example/w, decides")
    names = {0: "n.example/1/witness", 1: "n.example/1/replay"}
    (said,) = policy_warnings(policy(2, "any", names=names))
    assert said.startswith("one witness alone, n.example/1, decides")
    base = policy(2, 1)
    lines = [LOG] + [
        f"witness {one.name} {one.verifier.to_text()}\n" for one in base.witnesses
    ]
    lines += ["group g all w1\n", "group all all g\n", "quorum all\n"]
    (said,) = policy_warnings(Policy.from_bytes("".join(lines).encode()))
    assert said.startswith("one witness alone, w1.example/w, decides")
