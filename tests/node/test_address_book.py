"""The address book: what a flood of hearsay can do to it, in any order."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from byline_ledger.crypto import SigningKey
from byline_ledger.errors import MalformedError
from byline_ledger.peer_address import PeerAddress, Reach
from byline_ledger.peer_record import PeerRecord, sign_peer_record
from byline_node import address_book
from byline_node.address_book import (
    FIRST_PAUSE,
    MAX_FAILURES,
    MAX_HEARD,
    MAX_HEARD_OF_NETWORK,
    MAX_HINTS,
    MAX_MET,
    MAX_MET_OF_NETWORK,
    MAX_PAUSE,
    MAX_PAUSES,
    MET_AT_ALL,
    MET_LATELY,
    AddressBook,
    Entry,
    Found,
)
from byline_node.address_file import (
    format_entries,
    parse_entries,
    read_book,
    write_book,
)

NOW = 1_790_000_000.0
ANYBODY = Found.EXCHANGE


def key(number: int) -> SigningKey:
    return SigningKey.from_seed(number.to_bytes(32, "big"))


def record(number: int, *addresses: str, at: float = NOW) -> PeerRecord:
    """Of a peer of this number, at an address of its own unless others are named."""
    return sign_peer_record(key(number), addresses or [place(number)], int(at * 1000))


def place(number: int, network: int | None = None) -> str:
    """An address in a network of its own, or in the one named."""
    high = number if network is None else network
    return f"/ip4/{20 + high // 256}.{high % 256}.1.1/tcp/{1 + number}"


def peer(number: int) -> str:
    return record(number).peer_id


def new_book(seed: int = 0) -> AddressBook:
    return AddressBook("me", Random(seed))


def anyone(_entry: Entry, _address: PeerAddress) -> bool:
    return True


# Hearing


def test_the_newer_record_of_a_peer_counts() -> None:
    book = new_book()
    old, new = record(1, at=NOW), record(1, place(2), at=NOW + 1)
    assert book.hear(old, ANYBODY, "a", NOW)
    assert book.hear(new, Found.DHT, "b", NOW)
    assert not book.hear(old, ANYBODY, "a", NOW)
    assert not book.hear(new, ANYBODY, "a", NOW)
    (entry,) = book.entries
    assert [one.text for one in entry.addresses()] == [place(2)]
    assert (entry.found, entry.source) == (ANYBODY, "a")


def test_a_peer_has_a_record_for_each_reach() -> None:
    book = new_book()
    for address in ("/ip4/127.0.0.1/tcp/1", "/ip4/10.0.0.1/tcp/1", place(1)):
        assert book.hear(record(1, address), ANYBODY, "a", NOW)
    assert len(book) == 1
    assert len(book.entries[0].addresses()) == 3


def test_a_node_is_not_in_its_own_book() -> None:
    book = AddressBook(peer(1), Random(0))
    assert not book.hear(record(1), ANYBODY, "a", NOW)
    assert not book.hint(peer(1), [PeerAddress.parse(place(1))], ANYBODY, "a", NOW)
    book.succeed(peer(1), place(1), NOW, ANYBODY, "a")
    assert len(book) == 0


def test_hints_are_few_and_only_what_is_new() -> None:
    book = new_book()
    places = [PeerAddress.parse(place(number)) for number in range(10)]
    assert book.hint("peer", places[:1], Found.MDNS, "mdns", NOW)
    assert not book.hint("peer", places[:1], Found.MDNS, "mdns", NOW)
    assert not book.hint("other", [], Found.MDNS, "mdns", NOW)
    assert book.hint("peer", places, Found.MDNS, "mdns", NOW)
    (entry,) = book.entries
    assert len(entry.addresses()) == MAX_HINTS


@settings(deadline=None, max_examples=12)
@given(
    sources=st.integers(1, 6),
    honest=st.integers(1, 100),
    flood=st.integers(1, 1_500),
    seed=st.integers(),
)
def test_a_flood_pushes_out_its_own(
    sources: int, honest: int, flood: int, seed: int
) -> None:
    """Whoever has no more than its share keeps all of it, whatever one source tells."""
    book, hints = new_book(seed), Random(seed)
    for number in range(honest):
        source = f"honest {number % sources}"
        where = [PeerAddress.parse(place(number))]
        book.hint(f"good {number}", where, ANYBODY, source, NOW)
    for number in range(flood):
        where = [PeerAddress.parse(place(hints.randrange(20_000)))]
        book.hint(f"bad {number}", where, ANYBODY, "liar", NOW)
    assert len(book) <= MAX_HEARD
    kept = sum(entry.source != "liar" for entry in book.entries)
    assert kept == honest


def test_one_network_is_not_all_of_the_book() -> None:
    book = new_book()
    for number in range(500):
        where = [PeerAddress.parse(place(number, network=7))]
        book.hint(f"{number}", where, ANYBODY, f"source {number}", NOW)
    assert len(book) == MAX_HEARD_OF_NETWORK


def test_a_later_record_is_counted_where_it_says() -> None:
    """Also by its last address: who names many networks is counted in each."""
    book, crowd = new_book(), range(2 * MAX_HEARD_OF_NETWORK)
    for number in crowd:
        book.hear(record(number), ANYBODY, f"source {number}", NOW)
    assert len(book) == len(crowd)
    for number in crowd:
        later = record(number, place(number), place(number, network=999), at=NOW + 1)
        book.hear(later, ANYBODY, f"source {number}", NOW)
    assert len(book) == MAX_HEARD_OF_NETWORK


def test_who_was_met_counts_where_it_was_reached() -> None:
    """Whatever else it claims; by all of that only after a dial by a name."""
    book = new_book()
    for number in range(40):
        says = record(number, place(number, network=999), place(number))
        book.hear(says, ANYBODY, "a", NOW)
        book.succeed(peer(number), place(number), NOW, ANYBODY, "a")
    assert len(book) == 40
    for number in range(40):
        book.succeed(peer(number), "/dns4/example.com/tcp/1", NOW, ANYBODY, "a")
    assert len(book) == MAX_MET_OF_NETWORK


def test_who_was_met_is_not_pushed_out_by_hearsay() -> None:
    book = new_book()
    for number in range(50):
        book.hear(record(number), ANYBODY, "a", NOW)
        book.succeed(peer(number), place(number), NOW, ANYBODY, "a")
    for number in range(1_500):
        where = [PeerAddress.parse(place(100 + number))]
        book.hint(f"{number}", where, ANYBODY, f"{number}", NOW)
    assert all(book.get(peer(number)) for number in range(50))
    assert len(book) == MAX_HEARD + 50


def test_the_met_are_bounded_too() -> None:
    """Of the source with most, the one that was met longest ago goes first."""
    book = new_book()
    for number in range(MAX_MET + 10):
        source = "a" if number < 20 else "b"
        book.hint(str(number), [PeerAddress.parse(place(number))], ANYBODY, source, NOW)
        book.succeed(str(number), place(number), NOW + number, ANYBODY, source)
    assert len(book) == MAX_MET
    assert all(book.get(str(number)) for number in range(20))
    assert not any(book.get(str(number)) for number in range(20, 30))


def test_the_met_are_of_many_networks() -> None:
    book = new_book()
    for number in range(40):
        where = place(number, network=3)
        book.hint(str(number), [PeerAddress.parse(where)], ANYBODY, "a", NOW)
        book.succeed(str(number), where, NOW, ANYBODY, "a")
    assert len(book) == MAX_MET_OF_NETWORK


# Trying


def test_an_address_that_fails_is_tried_ever_more_seldom() -> None:
    book = new_book()
    book.hear(record(1), ANYBODY, "a", NOW)
    book.succeed(peer(1), place(1), NOW, ANYBODY, "a")
    now, pauses = NOW, []
    for _ in range(12):
        book.fail(peer(1), place(1), now)
        before = now
        while book.pick(now, anyone) is None:
            now += 1
        pauses.append(now - before)
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert max(pauses) == MAX_PAUSE
    book.succeed(peer(1), place(1), now, ANYBODY, "a")
    assert book.pick(now, anyone)


def test_a_pause_belongs_to_the_address_whoever_claims_it() -> None:
    """A thousand names for one victim do not make a thousand dials."""
    book, victim = new_book(), place(5)
    for number in range(50):
        book.hear(record(number, victim), ANYBODY, f"{number}", NOW)
    now, dials = NOW, 0
    while now < NOW + 3600:
        pick = book.pick(now, anyone)
        if pick is None:
            now += 1
            continue
        dials += 1
        book.fail(pick.peer, pick.address, now)
    assert dials <= 10


def test_a_pause_belongs_to_a_machine_in_the_world_whatever_port_is_claimed() -> None:
    assert dials_in_an_hour("/ip4/93.184.216.34/tcp/{}") <= 10
    assert dials_in_an_hour("/ip6/2606:2800:220:1::1/tcp/{}/ws") <= 10
    assert dials_in_an_hour("/ip4/10.0.0.1/tcp/{}") > 100
    assert dials_in_an_hour("/ip4/127.0.0.1/tcp/{}") > 100


def dials_in_an_hour(form: str) -> int:
    """With fifty peers that are all nowhere; a second for each dial."""
    book, dials = new_book(), 0
    for number in range(50):
        where = form.format(1 + number)
        book.hear(record(number, where), ANYBODY, f"{number}", NOW)
    for now in range(int(NOW), int(NOW) + 3600):
        if pick := book.pick(now, anyone):
            dials += 1
            book.fail(pick.peer, pick.address, now)
    return dials


def test_a_machine_that_answers_is_not_waited_for() -> None:
    book, other = new_book(), "/ip4/20.1.1.1/tcp/9"
    book.hear(record(1), ANYBODY, "a", NOW)
    book.fail("liar", other, NOW)
    assert book.pick(NOW, anyone) is None
    book.succeed("honest", other, NOW, ANYBODY, "a")
    assert book.pick(NOW, anyone)


def test_strangers_who_name_its_other_ports_do_not_keep_a_met_peer_away() -> None:
    book, where = new_book(), "/ip4/93.184.216.34/tcp/4737"
    book.hear(record(1, where), ANYBODY, "a", NOW)
    met = book.entries[0].peer
    book.succeed(met, where, NOW, ANYBODY, "a")
    for port in range(1, 9):
        book.fail("liar", f"/ip4/93.184.216.34/tcp/{port}", NOW)
    pick = book.pick(NOW, anyone)
    assert pick is not None
    assert (pick.peer, pick.address) == (met, where)
    book.fail(met, where, NOW)
    assert book.pick(NOW, anyone) is None


@pytest.mark.parametrize(
    "odd", ["", "/", "nonsense", "/dns4/example.com/tcp/1", "/ip4//tcp/1"]
)
def test_what_is_no_address_has_a_pause_of_its_own(odd: str) -> None:
    book = new_book()
    book.hear(record(1), ANYBODY, "a", NOW)
    book.fail("somebody", odd, NOW)
    assert len(book.pauses) == 1
    assert book.pick(NOW, anyone)
    book.succeed(peer(1), odd, NOW, ANYBODY, "a")
    assert len(book.pauses) == 0
    assert book.entries[0].networks == {"20.1.0.0/16"}


def test_who_was_never_met_is_forgotten_after_some_failures() -> None:
    book = new_book()
    book.hear(record(1), ANYBODY, "a", NOW)
    for _ in range(MAX_FAILURES):
        assert book.get(peer(1))
        book.fail(peer(1), place(1), NOW)
    assert book.get(peer(1)) is None
    book.fail("nobody", place(1), NOW)


def test_pauses_are_bounded() -> None:
    book = new_book()
    for number in range(MAX_PAUSES + 100):
        book.fail("x", place(number), NOW)
    assert len(book.pauses) == MAX_PAUSES


def test_what_is_old_is_forgotten() -> None:
    book = new_book()
    book.hear(record(1), ANYBODY, "a", NOW)
    book.hear(record(2), ANYBODY, "a", NOW)
    book.succeed(peer(2), place(2), NOW, ANYBODY, "a")
    book.hint("three", [PeerAddress.parse(place(3))], ANYBODY, "a", NOW)
    book.tidy(NOW + 23 * 3600)
    assert len(book) == 3
    book.tidy(NOW + 24 * 3600)
    assert {entry.peer for entry in book.entries} == {peer(2), "three"}
    book.tidy(NOW + MET_AT_ALL + 1)
    assert len(book) == 0


@settings(deadline=None, max_examples=5)
@given(st.integers())
def test_a_loud_source_is_not_dialled_more_than_a_quiet_one(seed: int) -> None:
    book = new_book(seed)
    book.hint("quiet", [PeerAddress.parse(place(1))], ANYBODY, "quiet", NOW)
    for number in range(100):
        where = [PeerAddress.parse(place(2 + number))]
        book.hint(f"{number}", where, ANYBODY, "loud", NOW)
    picks = [book.pick(NOW, anyone) for _ in range(400)]
    assert 120 < sum(one is not None and one.peer == "quiet" for one in picks) < 280


def test_only_those_are_picked_who_may_be() -> None:
    book = new_book()
    for number in range(10):
        book.hear(record(number), ANYBODY, "a", NOW)
    for _ in range(50):
        pick = book.pick(NOW, lambda entry, _where: entry.peer == peer(3))
        assert pick is not None
        assert (pick.peer, pick.address) == (peer(3), place(3))
    assert book.pick(NOW, lambda _entry, _where: False) is None


# Telling


def test_only_those_are_told_who_were_reached_lately_where_they_say() -> None:
    book = new_book()
    for number in range(6):
        book.hear(record(number), ANYBODY, "a", NOW)
    for number in range(5):
        book.succeed(peer(number), place(number), NOW - 100 * number, ANYBODY, "a")
    book.succeed(peer(1), place(9), NOW, ANYBODY, "a")
    book.hear(record(2, place(2), at=NOW - 80_000), ANYBODY, "a", NOW)
    told = book.told(Reach.PUBLIC, NOW, 32, without=[peer(3)])
    assert {one.peer_id for one in told} == {peer(0), peer(2), peer(4)}
    assert len(book.told(Reach.PUBLIC, NOW, 2)) == 2
    assert book.told(Reach.PUBLIC, NOW + MET_LATELY + 1, 32) == []


def test_nobody_is_told_of_a_network_that_it_is_not_in() -> None:
    book = new_book()
    places = ["/ip4/127.0.0.1/tcp/1", "/ip4/10.0.0.1/tcp/1", place(1)]
    for number, where in enumerate(places):
        book.hear(record(number, where), ANYBODY, "a", NOW)
        book.succeed(peer(number), where, NOW, ANYBODY, "a")
    counts = [len(book.told(reach, NOW, 32)) for reach in Reach]
    assert counts == [3, 2, 1]


def test_a_connected_peer_is_probed_until_it_is_known_to_be_there() -> None:
    book = new_book()
    assert book.unproven(peer(1), NOW) == []
    book.hear(record(1), Found.INBOUND, "a", NOW)
    assert book.unproven(peer(1), NOW) == [place(1)]
    book.fail(peer(1), place(1), NOW)
    assert book.unproven(peer(1), NOW) == []
    book.succeed(peer(1), place(1), NOW, ANYBODY, "a")
    assert book.unproven(peer(1), NOW) == []
    assert book.unproven(peer(1), NOW + MET_LATELY) == [place(1)]
    moved = record(1, place(2), at=NOW + 1)
    book.hear(moved, Found.INBOUND, "a", NOW)
    assert book.unproven(peer(1), NOW) == [place(2)]


# Keeping


def filled_book() -> AddressBook:
    book = new_book()
    for number in range(20):
        book.hear(record(number), Found.INBOUND, f"source {number}", NOW)
    book.hear(record(1, "/ip4/10.0.0.1/tcp/1"), ANYBODY, "a", NOW)
    for number in range(5):
        book.succeed(peer(number), place(number), NOW, ANYBODY, "a")
    book.hint("hinted", [PeerAddress.parse(place(3))], Found.MDNS, "mdns", NOW)
    book.fail(peer(9), place(9), NOW)
    return book


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    book, file = filled_book(), tmp_path / "addresses"
    write_book(file, book.entries)
    again = read_book(file, "me", Random(0))
    assert again.entries == book.entries
    assert format_entries(again.entries) == file.read_bytes()


def test_who_owns_the_book_now_is_not_restored_into_it(tmp_path: Path) -> None:
    file = tmp_path / "addresses"
    write_book(file, filled_book().entries)
    assert read_book(file, peer(1), Random(0)).get(peer(1)) is None


@pytest.mark.parametrize("data", [b"", b"\x80", b"nonsense", b"\x81\xa1a\x01"])
def test_a_file_that_cannot_be_read_is_an_empty_book(
    tmp_path: Path, data: bytes
) -> None:
    file = tmp_path / "addresses"
    assert len(read_book(file, "me", Random(0))) == 0
    file.write_bytes(data)
    assert len(read_book(file, "me", Random(0))) == 0


def test_a_book_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    write_book(tmp_path / "absent" / "addresses", filled_book().entries)


def test_a_file_larger_than_the_book_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "addresses"
    write_book(file, filled_book().entries)
    monkeypatch.setattr(address_book, "MAX_HEARD", 3)
    monkeypatch.setattr(address_book, "MAX_MET", 2)
    assert len(read_book(file, "me", Random(0))) == 5


def test_parsed_entries_are_bounded() -> None:
    with pytest.raises(MalformedError):
        parse_entries(format_entries(filled_book().entries * 100))
