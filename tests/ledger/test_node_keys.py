"""One secret, four keys, no two alike (docs/spec/log.md)."""

from __future__ import annotations

from byline_ledger.crypto import SigningKey
from byline_ledger.node_keys import NodeKeys, is_replay_key, operator_of
from byline_ledger.note import COSIGNATURE, ED25519, Verifier

SECRET = bytes(range(32))


def test_no_role_and_no_log_shares_a_key_but_for_the_transport() -> None:
    one, other = NodeKeys.derive(SECRET, "a.example/1"), NodeKeys.derive(SECRET, "b/2")
    keys = [k.public for n in (one, other) for k in (n.log, n.witness, n.replay)]
    assert len({*keys, one.log.public, one.transport_seed}) == 7
    assert one.transport_seed == other.transport_seed
    assert one.transport_public == SigningKey.from_seed(one.transport_seed).public


def test_each_verifier_key_names_its_role() -> None:
    keys = NodeKeys.derive(SECRET, "a.example/1")
    log, witness, replay = map(
        Verifier.from_text, (keys.log_vkey, keys.witness_vkey, keys.replay_vkey)
    )
    assert (log.name, log.type) == ("a.example/1", ED25519)
    assert (witness.name, witness.type) == ("a.example/1/witness", COSIGNATURE)
    assert (replay.name, replay.type) == ("a.example/1/replay", COSIGNATURE)


def test_the_two_witness_keys_of_a_node_are_of_one_operator() -> None:
    keys = NodeKeys.derive(SECRET, "a.example/1")
    assert is_replay_key(keys.replay_name)
    assert not is_replay_key(keys.witness_name)
    assert operator_of(keys.witness_name) == operator_of(keys.replay_name)
    assert operator_of("somebody.example/w") == "somebody.example/w"
