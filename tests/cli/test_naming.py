"""How people name keys, times, prices, shares and models."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline_cli.attest_options import parse_model
from byline_cli.naming import is_key_name, parse_key, parse_share, parse_time
from byline_cli.price import parse_price
from byline_cli.terms import parse_offered
from byline_ledger.content import Model, Price, name_of_key
from byline_ledger.did import did_key
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import BylineError, MalformedError, NotFoundError, UsageError
from byline_ledger.store.keystore import KeyStore


@pytest.fixture
def ada(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The public half of a key called ada, in a home and a folder of its own."""
    monkeypatch.setenv("BYLINE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return KeyStore(tmp_path / "keys").new("ada", passphrase=None)


def test_a_key_is_named_by_its_did_or_by_its_name_here(ada: bytes) -> None:
    """`key:` tells a name from a file's."""
    for text in (did_key(ada), "ada", "key:ada"):
        assert parse_key(text) == ada
    assert parse_key(did_key(bytes(32))) == bytes(32)
    assert [is_key_name(text) for text in ("ada", "key:ada", did_key(ada))] == [
        False,
        True,
        True,
    ]


@pytest.mark.parametrize("text", ["", "eve", "key:", "key:eve", "../ada"])
def test_a_key_that_is_not_here_is_not_found(ada: bytes, text: str) -> None:
    """The hint names those that are."""
    with pytest.raises(NotFoundError) as caught:
        parse_key(text)
    assert "ada" in str(caught.value.hint)


def test_a_cut_did_is_malformed(ada: bytes) -> None:
    """It is not looked for among the names."""
    with pytest.raises(MalformedError):
        parse_key(did_key(ada)[:-1])


def test_what_is_offered_is_a_work_or_a_key(ada: bytes, tmp_path: Path) -> None:
    """A file called like a key is a file."""
    (tmp_path / "ada").write_bytes(b"a work")
    assert parse_offered("ada") == digest_bytes(b"a work")
    assert parse_offered("key:ada") == name_of_key(ada)
    assert parse_offered(did_key(ada)) == name_of_key(ada)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2027-01-31", datetime(2027, 1, 31, tzinfo=UTC)),
        ("2027-01-31T12:00Z", datetime(2027, 1, 31, 12, tzinfo=UTC)),
        ("2027-01-31T12:00", datetime(2027, 1, 31, 12, tzinfo=UTC)),
        ("2027-01-31T12:00+02:00", datetime(2027, 1, 31, 10, tzinfo=UTC)),
        ("1970-01-01", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_time_is_a_day_or_a_moment(text: str, wanted: datetime) -> None:
    """In UTC, if nothing else is said."""
    assert parse_time(text) == round(wanted.timestamp() * 1000)


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "31.1.2027", "2027-02-30", "1969-12-31", "0001-01-01"]
)
def test_no_time(text: str) -> None:
    """Words, days that there are not, and days before there were times."""
    with pytest.raises(MalformedError):
        parse_time(text)


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("250EUR/item", Price(25_000, "EUR", "item")),
        ("2.5 eur per year", Price(250, "EUR", "year")),
        ("0.05USD/set", Price(5, "USD", "set")),
        ("300 JPY per megabyte", Price(300, "JPY", "megabyte")),
        ("1.5KWD/item", Price(1_500, "KWD", "item")),
    ],
)
def test_a_price(text: str, price: Price) -> None:
    """Amount, currency and unit."""
    assert parse_price(text) == price


@pytest.mark.parametrize(
    "text",
    [
        *("", "2,50EUR/item", "250", "EUR/item", "250EURO/item", "250EUR/items"),
        *("2.505EUR/item", ".5EUR/item", "1.5JPY/item", "-1EUR/item"),
    ],
)
def test_no_price(text: str) -> None:
    """Each part is needed, and no fraction of the smallest unit."""
    with pytest.raises(UsageError):
        parse_price(text)


def test_a_share_is_a_key_and_its_parts(ada: bytes) -> None:
    """The ledger checks the figure."""
    assert parse_share("ada=2") == (ada, 2)
    assert parse_share(f"{did_key(ada)}=1000000") == (ada, 1_000_000)
    for text in ("ada", "ada=", "ada=x", "ada=-1", "ada=²", "ada=" + "9" * 40):
        with pytest.raises(UsageError):
            parse_share(text)


def test_a_model_may_say_where_it_is_found() -> None:
    """After the first equals sign, since addresses have some too."""
    assert parse_model(None) is None
    assert parse_model("Midnight 2") == Model("Midnight 2")
    assert parse_model("M=https://m.example/?v=2") == Model(
        "M", "https://m.example/?v=2"
    )


@given(st.text(max_size=40))
def test_whatever_is_typed_is_read_or_refused(text: str) -> None:
    """With one of our own errors."""
    for parse in (parse_time, parse_price, parse_model):
        with suppress(BylineError):
            parse(text)
