"""docs/spec/network.md, "Discovery", and its vectors: reproducible, and what we do."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.signed import key
from tests.support.vectors import VECTORS, as_expected, cases, raw

from byline_ledger.errors import MalformedError
from byline_ledger.peer_address import (
    PeerAddress,
    Reach,
    ip_in,
    network_of_ip,
    passing,
    reach_of_ip,
)
from byline_ledger.peer_messages import (
    AskPeers,
    KnownPeers,
    judge,
    parse_peers_answer,
    parse_peers_request,
)
from byline_ledger.peer_record import MAX_RECORD, PeerRecord, sign_peer_record

PUBLIC = "/ip4/93.184.216.34/tcp/4737"


def test_the_vectors_are_what_the_naive_generator_writes() -> None:
    """The committed file is the generator's, to the byte."""
    command = [sys.executable, str(VECTORS / "generate_peers.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@cases("peers.json", "addresses")
def test_addresses(case: dict[str, Any]) -> None:
    with as_expected(case):
        address = PeerAddress.parse(case["address"])
        assert address.text == case["address"]
        assert address.reach.name.lower() == case["reach"]
        assert reach_of_ip(case["address"].split("/")[2]) is address.reach


@cases("peers.json", "records")
def test_records(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["bytes"])
    with as_expected(case):
        record = PeerRecord.from_bytes(data)
        assert record.to_bytes() == data
        record.verify()
        assert record.peer_id == case["peer_id"]
        assert [one.text for one in record.addresses] == case["addresses"]
        assert (record.time, record.expires) == (case["time"], case["expires"])


@cases("peers.json", "requests")
def test_requests(case: dict[str, Any]) -> None:
    data = raw(case["bytes"])
    with as_expected(case):
        assert parse_peers_request(data).to_bytes() == data


@cases("peers.json", "answers")
def test_answers(case: dict[str, Any]) -> None:
    data = raw(case["bytes"])
    with as_expected(case):
        assert parse_peers_answer(data).to_bytes() == data


@cases("peers.json", "judgements")
def test_judgements(case: dict[str, Any]) -> None:
    data, reach = bytes.fromhex(case["bytes"]), Reach(case["reach"])
    with as_expected(case):
        record = judge(data, now=case["now"], reach=reach, owner=case["owner"])
        assert record.to_bytes() == data


def test_a_record_signed_here_is_like_any_other() -> None:
    """And as large as it can be, it is within the limit."""
    addresses = [
        f"/ip6/2606:2800:1111:1111:1111:1111:1111:111{n}/tcp/65535/ws" for n in range(8)
    ]
    record = sign_peer_record(key(), addresses, 2**62)
    record.verify()
    assert PeerRecord.from_bytes(record.to_bytes()) == record
    assert len(record.to_bytes()) <= MAX_RECORD
    assert record.reach is Reach.PUBLIC


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("93.184.216.34", "93.184.0.0/16"),
        ("2606:2800::1", "2606:2800::/32"),
        ("10.1.2.3", "10.1.2.0/24"),
        ("fc00::1", "fc00::/64"),
        ("127.0.0.1", "127.0.0.1"),
        ("192.0.2.7", "192.0.2.7"),
        ("nobody", "nobody"),
    ],
)
def test_networks_are_what_one_owner_is_likely_to_have(ip: str, network: str) -> None:
    assert network_of_ip(ip) == network


def test_the_machine_is_read_out_of_an_address() -> None:
    """Or nothing, out of what is no address."""
    assert PeerAddress.parse(PUBLIC).ip == "93.184.216.34"
    assert PeerAddress.parse("/ip6/2606:2800::1/tcp/1/ws").ip == "2606:2800::1"
    assert [ip_in(odd) for odd in ("", "/", "/ip4", "nonsense")] == [""] * 4


@pytest.mark.parametrize(("least", "places"), list(zip(Reach, (3, 2, 1), strict=True)))
def test_addresses_pass_by_their_form_and_reach(least: Reach, places: int) -> None:
    texts = ["/ip4/127.0.0.1/tcp/1", "nonsense", "/ip4/10.0.0.1/tcp/1", PUBLIC]
    found = [one.text for one in passing(texts, least)]
    assert found == [texts[0], *texts[2:]][-places:]


def test_on_loopback_each_address_is_a_network() -> None:
    texts = ["/ip4/127.0.0.1/tcp/1", "/ip4/127.0.0.1/tcp/2", PUBLIC]
    networks = [PeerAddress.parse(text).network for text in texts]
    assert networks == [*texts[:2], "93.184.0.0/16"]


@given(own=st.lists(st.binary(max_size=40), max_size=3).map(tuple))
def test_messages_are_read_back(own: tuple[bytes, ...]) -> None:
    assert parse_peers_request(AskPeers(own).to_bytes()) == AskPeers(own)
    answer = KnownPeers(own, own)
    assert parse_peers_answer(answer.to_bytes()) == answer


@given(st.ip_addresses())
def test_an_address_has_one_spelling_and_one_reach(ip: Any) -> None:
    """What parses is written as it was read; what is nowhere does not parse."""
    reach = reach_of_ip(str(ip))
    text = f"/ip{ip.version}/{ip}/tcp/1"
    if reach is None:
        assert not accepts(text)
    else:
        assert PeerAddress.parse(text).reach is reach


def accepts(text: str) -> bool:
    try:
        PeerAddress.parse(text)
    except MalformedError:
        return False
    return True
