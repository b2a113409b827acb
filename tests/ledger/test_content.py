"""What statements say: made strictly, read leniently (docs/spec/statement.md)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import strategies
from tests.support.signed import TIME, key, signed

from byline_ledger import licence
from byline_ledger.content import (
    DisputeContent,
    EndorseContent,
    WithdrawContent,
    dispute_fields,
    endorse_fields,
    read_dispute,
    read_endorse,
    read_withdraw,
    read_work,
    withdraw_fields,
    work_fields,
)
from byline_ledger.digest import digest_bytes, multihash
from byline_ledger.errors import UsageError
from byline_ledger.statement import Source, Statement, sign_statement
from byline_ledger.vocabulary import IPTC_SCHEME

PHOTO, NEGATIVE = digest_bytes(b"a photo"), digest_bytes(b"its negative")
ID = bytes(range(32))


def make_work(**terms: Any) -> Statement:
    fields = work_fields(about=PHOTO, time=TIME, salt=bytes(16), **terms)
    return sign_statement(fields, key())


def claim(**fields: Any) -> Statement:
    """A `work` statement with fields as a stranger may have written them."""
    hyphened = {name.replace("_", "-"): value for name, value in fields.items()}
    return signed(PHOTO, **hyphened)


def test_work_in_full() -> None:
    """What is said with every term is read back, without a problem."""
    sha1 = b"\x11\x14" + bytes(20)
    statement = make_work(
        made="human",
        source_type="digitalCapture",
        title="Dawn",
        license="cc-by-4.0",
        uses={
            "ai_generative_training": "notAllowed",
            "cawg.data_mining": "allowed",
            "ai_training": "constrained: ask me first",
        },
        sources=[Source(NEGATIVE, "parentOf", {"region": "left"})],
        tools=["darktable 5.0"],
        media_type="image/jpeg",
        size=7,
        also=[sha1],
    )
    content = read_work(statement)
    assert (content.made, content.source_type) == (
        "human",
        IPTC_SCHEME + "digitalCapture",
    )
    assert (content.title, content.license) == ("Dawn", "CC-BY-4.0")
    assert content.uses == {
        "cawg.ai_generative_training": "notAllowed",
        "cawg.data_mining": "allowed",
        "cawg.ai_training": "constrained",
    }
    assert content.constraints == {"cawg.ai_training": "ask me first"}
    assert content.tools == ("darktable 5.0",)
    assert (content.media_type, content.size) == ("image/jpeg", 7)
    assert content.problems == ()
    assert content.sources == statement.sources
    assert statement.sources[0].fields["region"] == "left"
    assert statement.also == (sha1,)


def test_work_that_says_nothing() -> None:
    """Everything left out is unknown: never human, never allowed."""
    content = read_work(make_work())
    assert content.made == "unknown"
    assert content.uses == {}
    assert (content.title, content.license, content.size) == (None, None, None)
    assert content.problems == ()


@pytest.mark.parametrize("made", ["human", "assisted", "generated"])
def test_made_alone(made: str) -> None:
    """The plain word stands for a term that gives the plain word back."""
    assert made == read_work(make_work(made=made)).made


def test_source_type_alone() -> None:
    """A term needs no plain word beside it, even where it has none."""
    assert read_work(make_work(source_type="algorithmicMedia")).made == "other"
    assert read_work(make_work(source_type="composite")).made == "unknown"


@pytest.mark.parametrize(
    "terms",
    [
        {"made": "humans"},
        {"made": "unknown"},
        {"made": "human", "source_type": "trainedAlgorithmicMedia"},
        {"source_type": "photograph"},
        {"source_type": "softwareImage"},
        {"title": ""},
        {"title": "x" * 513},
        {"license": "CC-BY"},
        {"uses": {"training": "notAllowed"}},
        {"uses": {"ai_training": "no"}},
        {"uses": {"ai_training": "allowed: for a fee"}},
        {"uses": {"ai_training": "constrained:"}},
        {"uses": {"ai_training": "constrained:" + "x" * 1025}},
        {"sources": [Source(NEGATIVE, "madeFrom", {})]},
        {"sources": [Source(PHOTO, "parentOf", {})]},
        {"sources": [Source(NEGATIVE, "parentOf", {})] * 65},
        {"sources": [Source(b"short", "parentOf", {})]},
        {"tools": [""]},
        {"tools": ["x"] * 33},
        {"media_type": "jpeg"},
        {"media_type": "image/" + "x" * 130},
        {"size": -1},
        {"also": [PHOTO]},
    ],
)
def test_refuses_to_make(terms: dict[str, Any]) -> None:
    """Terms that are not sound are the caller's mistake."""
    with pytest.raises(UsageError):
        make_work(**terms)


def test_slips_are_answered_with_the_nearest() -> None:
    """The hint says what may have been meant."""
    for terms, guess in (
        ({"made": "humen"}, "human"),
        ({"uses": {"ai_training": "notallowed"}}, "notAllowed"),
        ({"sources": [Source(NEGATIVE, "parent", {})]}, "parentOf"),
    ):
        with pytest.raises(UsageError) as caught:
            make_work(**terms)
        assert f"did you mean {guess}?" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("field", "value", "attribute", "unknown"),
    [
        ("source_type", "http://example.com/human", "source_type", None),
        ("source_type", "digitalCapture", "source_type", None),
        ("source_type", 7, "made", "unknown"),
        ("title", "", "title", None),
        ("title", 7, "title", None),
        ("title", "x" * 513, "title", None),
        ("license", "all mine", "license", None),
        ("license", b"MIT", "license", None),
        ("uses", "no", "uses", {}),
        ("uses", {"cawg.ai_training": "notAllowed"}, "uses", {}),
        ("uses", {"cawg.ai_training": {"use": "maybe"}}, "uses", {}),
        ("uses", {"cawg.ai_training": {}}, "uses", {}),
        ("uses", {"ai_training": {"use": "allowed"}}, "uses", {}),
        ("tools", "a camera", "tools", ()),
        ("tools", ["x"] * 33, "tools", ()),
        ("tools", [7], "tools", ()),
        ("media_type", "jpeg\n", "media_type", None),
        ("media_type", 1, "media_type", None),
        ("size", "7", "size", None),
        ("size", True, "size", None),
    ],
)
def test_unsound_field_is_unknown(
    field: str, value: Any, attribute: str, unknown: Any
) -> None:
    """A field that is not sound becomes unknown and a named problem; others stay."""
    content = read_work(claim(**{"title": "Dawn", field: value}))
    assert getattr(content, attribute) == unknown
    (problem,) = content.problems
    assert problem.startswith(field.replace("_", "-"))
    if field != "title":
        assert content.title == "Dawn"


def test_sound_entries_beside_unsound_ones_count() -> None:
    """One bad use or tool does not take the good ones with it."""
    uses = {
        "cawg.ai_training": {"use": "notAllowed", "constraint-info": 7},
        "cawg.data_mining": {"use": "perhaps"},
    }
    content = read_work(claim(uses=uses, tools=["camera", 7]))
    assert content.uses == {"cawg.ai_training": "notAllowed"}
    assert content.tools == ("camera",)
    assert len(content.problems) == 3


def test_foreign_relationship_is_shown_and_named() -> None:
    """A relationship of the author's own is kept: the source is indexed anyway."""
    source = {"digest": NEGATIVE, "relationship": "prov:wasQuotedFrom"}
    content = read_work(claim(sources=[source]))
    assert content.sources[0].relationship == "prov:wasQuotedFrom"
    assert content.problems[0].startswith("sources: expected relationship")


def test_terms_of_the_past_are_read() -> None:
    """A retired term and an https URI mean what they meant."""
    retired = read_work(claim(source_type=IPTC_SCHEME + "minorHumanEdits"))
    assert (retired.made, retired.problems) == ("human", ())
    secure = IPTC_SCHEME.replace("http:", "https:") + "trainedAlgorithmicMedia"
    assert read_work(claim(source_type=secure)).made == "generated"


def test_endorse() -> None:
    """Made and read; about the statement's own name."""
    fields = endorse_fields(
        statement_id=ID, role="witnessed", note="I saw it", time=TIME, salt=bytes(16)
    )
    statement = sign_statement(fields, key())
    assert statement.about == multihash(ID)
    assert read_endorse(statement) == EndorseContent("witnessed", "I saw it", ())


def test_dispute() -> None:
    """Made and read, with evidence."""
    fields = dispute_fields(
        about=PHOTO,
        reason="consent",
        note="I am the one on the left",
        evidence=[NEGATIVE],
        time=TIME,
        salt=bytes(16),
    )
    content = read_dispute(sign_statement(fields, key()))
    note = "I am the one on the left"
    assert content == DisputeContent("consent", note, (NEGATIVE,), ())


def test_remarks_that_say_no_more_than_they_must() -> None:
    """Note, evidence and replacement are optional."""
    common: Any = {"time": TIME, "salt": bytes(16)}
    endorse = endorse_fields(statement_id=ID, role="editor", **common)
    dispute = dispute_fields(about=PHOTO, reason="other", **common)
    withdraw = withdraw_fields(statement_id=ID, reason="legal", **common)
    assert read_endorse(sign_statement(endorse, key())).note is None
    assert read_dispute(sign_statement(dispute, key())).evidence == ()
    assert read_withdraw(sign_statement(withdraw, key())).replacement is None


def test_withdraw() -> None:
    """Made and read, with what replaces the statement."""
    fields = withdraw_fields(
        statement_id=ID,
        reason="superseded",
        replacement=ID[::-1],
        time=TIME,
        salt=bytes(16),
    )
    statement = sign_statement(fields, key())
    assert statement.about == multihash(ID)
    assert read_withdraw(statement) == WithdrawContent("superseded", ID[::-1], ())


def test_remarks_that_cannot_be_made() -> None:
    """Unknown words, long notes, wrong digests."""
    common: Any = {"time": TIME, "salt": bytes(16)}
    wrong = [
        lambda: endorse_fields(statement_id=ID, role="friend", **common),
        lambda: endorse_fields(statement_id=b"", role="witnessed", **common),
        lambda: endorse_fields(
            statement_id=ID, role="editor", note="x" * 2049, **common
        ),
        lambda: dispute_fields(about=PHOTO, reason="no", **common),
        lambda: dispute_fields(about=PHOTO, reason="other", evidence=[ID], **common),
        lambda: dispute_fields(
            about=PHOTO, reason="other", evidence=[PHOTO] * 65, **common
        ),
        lambda: withdraw_fields(statement_id=ID, reason="changed my mind", **common),
        lambda: withdraw_fields(
            statement_id=ID, reason="mistaken", replacement=ID, **common
        ),
        lambda: withdraw_fields(
            statement_id=ID, reason="mistaken", replacement=b"", **common
        ),
    ]
    for make in wrong:
        with pytest.raises(UsageError):
            make()


def test_remarks_that_are_not_sound() -> None:
    """Read as unknown, with the problem named."""
    endorse = read_endorse(signed(PHOTO, type="endorse", note=7))
    assert (endorse.role, endorse.note) == (None, None)
    assert [one.split(":")[0] for one in endorse.problems] == ["role", "note"]
    dispute = read_dispute(
        signed(PHOTO, type="dispute", reason=["other"], evidence=[NEGATIVE, ID])
    )
    assert (dispute.reason, dispute.evidence) == (None, (NEGATIVE,))
    assert len(dispute.problems) == 2
    withdraw = read_withdraw(signed(PHOTO, type="withdraw", replacement=b"x"))
    assert (withdraw.reason, withdraw.replacement) == (None, None)
    assert len(withdraw.problems) == 2


FIELDS = [
    "source-type",
    "title",
    "license",
    "uses",
    "tools",
    "media-type",
    "size",
    "role",
    "reason",
    "note",
    "evidence",
    "replacement",
]


@given(st.dictionaries(st.sampled_from(FIELDS), strategies.shallow))
def test_any_fields_can_be_read(fields: dict[str, Any]) -> None:
    """Whatever a valid statement says, reading it raises nothing."""
    statement = signed(PHOTO, **fields)
    assert read_work(statement).made in ("human", "unknown")
    read_endorse(statement)
    read_dispute(statement)
    read_withdraw(statement)


@given(
    st.dictionaries(
        st.sampled_from(
            ["cawg.ai_training", "cawg.data_mining", "cawg.ai_inference", "x"]
        ),
        st.dictionaries(
            st.sampled_from(["use", "constraint-info", "more"]), strategies.scalars
        ),
    )
)
def test_no_unsound_use_is_allowed(uses: dict[str, Any]) -> None:
    """Only the very word `allowed` means allowed."""
    content = read_work(signed(PHOTO, uses=uses))
    for name, value in content.uses.items():
        assert uses[name]["use"] == value


def test_reading_a_strangers_licence_never_looks_for_a_hint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That takes a tenth of a second, and an answer may hold thousands of them."""

    def refuse(word: str, words: object) -> None:
        raise AssertionError("looked for the nearest identifier")

    monkeypatch.setattr(licence, "nearest", refuse)
    content = read_work(claim(license="no such thing " * 30))
    assert (content.license, len(content.problems)) == (None, 1)
