"""How an answer looks to people: who claims what, on which terms, and what is proven.

Pure functions from an answer to lines.  Everything that a stranger wrote goes through
`safe`.  Claims of different keys stand one after another; none is preferred.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from byline_cli.output import Line, safe
from byline_cli.plain_terms import about_claim, sentence
from byline_cli.render_chain import (
    depth_words,
    derived_rows,
    is_disputed,
    source_rows,
)
from byline_cli.render_consent import consent_rows
from byline_cli.render_keys import key_rows
from byline_cli.wording import (
    JUDGEMENTS,
    LEVELS,
    MADE,
    MEMBER,
    SAID,
    USE_VALUES,
    USES,
    amount,
    field,
    moment,
)
from byline_ledger.answer import Answer, Claim, Redaction, Remark, Work
from byline_ledger.did import did_key
from byline_ledger.digest import cid_of_statement, is_multihash
from byline_ledger.verify import OTHER_FILE, Level, Verdict
from byline_ledger.vocabulary import IPTC_SCHEME

MOST_SHOWN = 8
"""Claims about one work, or remarks about one claim, that are spelt out."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: their file's name, if they have one, and what keys are to them."""

    name: str | None
    keys: Mapping[bytes, str]
    """The reader's own, and what they are called here."""
    names: Mapping[bytes, str] | None = None
    """What keys call themselves, and what was found of that (known_names.py)."""
    sealed: str | None = None
    """What this reader's own seals say of a work that no statement is about."""

    def key(self, public: bytes) -> str:
        """A key as this reader knows it."""
        known = [self.keys.get(public), (self.names or {}).get(public)]
        said = "; ".join(safe(one) for one in known if one)
        return did_key(public) + (f" ({said})" if said else "")

    def short(self, public: bytes) -> str:
        """The same where the key itself need not be told once more."""
        known = self.keys.get(public)
        return safe(known) if known else did_key(public)


def render_verdict(verdict: Verdict, reader: Reader) -> list[Line]:
    """The answer, if the proofs hold, and then the proofs."""
    rows: list[Line] = []
    if verdict.answer is not None:
        rows += [*render_answer(verdict.answer, reader), ""]
    rows += [("Proof", "head"), *map(render_level, verdict.levels)]
    return rows


def render_level(level: Level) -> Line:
    """One level of the verification."""
    word, style = JUDGEMENTS[level.status]
    name = LEVELS.get(level.name, level.name)
    return (f"  {word:<13}{name:<18}{safe(level.detail)}", style)


def render_answer(answer: Answer, reader: Reader) -> Iterator[Line]:
    """Everything that is said about the work asked for."""
    work = answer.works[0]
    if reader.name is not None:
        yield (safe(reader.name), "head")
    yield (f"  sha256 {work.digest[2:].hex()}", "quiet")
    yield from as_of_rows(answer)
    if not answer.known:
        yield ""
        yield ("  This log shows no statement about it.", "doubt")
        yield "  Who made it, how, and what you may do with it is unknown."
        yield f"  {reader.sealed or f'If you expected a claim: it is {OTHER_FILE}.'}"
        return
    if not is_anything_there(answer):
        yield ""
        yield ("  Nothing of what is said about it was there then.", "doubt")
        return
    for claim in work.claims[:MOST_SHOWN]:
        yield ""
        yield from render_claim(claim, answer, reader)
    if answer.as_of is None:
        yield from render_remainder(work)
    for remark in work.remarks[:MOST_SHOWN]:
        yield ""
        yield render_remark_on_work(remark, reader)
    for gone in work.redacted[:MOST_SHOWN]:
        yield ""
        yield (f"Taken down by this node: {taken_down(gone)}", "doubt")
    if answer.state is not None:
        consents = [answer.consent(use) for use in USES]
        yield from consent_rows(consents, authors_in(answer), reader.short)
    total = work.derived_total if answer.as_of is None else len(work.derived)
    yield from derived_rows(work.derived, total, reader.short)
    yield from key_rows(answer, reader.key)


def is_anything_there(answer: Answer) -> bool:
    """Whether anything about the work is known, as of when the answer is for."""
    work = answer.works[0]
    if answer.as_of is None:
        return answer.known
    return bool(work.claims or work.remarks or work.redacted)


def as_of_rows(answer: Answer) -> Iterator[Line]:
    """Of which point in the past the answer is."""
    as_of = answer.as_of
    if as_of is None:
        return
    parts = []
    if as_of.index is not None:
        parts.append(f"up to entry {as_of.index} of the log")
    if as_of.time is not None:
        parts.append(f"on {moment(as_of.time)}")
    yield (f"  as it was {', '.join(parts)}", "head")
    if answer.by_claims:
        yield ("  What was there then is by the authors' own clocks.", "doubt")


def authors_in(answer: Answer) -> dict[bytes, bytes]:
    """Id of each statement shown about the works, or that the answer rests on, and the
    key that it counts for."""
    said: list[Claim | Remark] = [*answer.supporting]
    for work in answer.works:
        said += [*work.claims, *work.remarks]
    for history in answer.keys:
        said += history.statements
    return {one.id: one.signed_for or one.author for one in said}


def render_remainder(work: Work) -> Iterator[Line]:
    """What is known to exist and is not spelt out."""
    parts = work.claims, work.remarks, work.redacted
    shown = sum(min(len(part), MOST_SHOWN) for part in parts)
    if work.total is not None and work.total > shown:
        yield ""
        yield f"  and {amount(work.total - shown, 'further statement')} (see --json)"


def render_claim(claim: Claim, answer: Answer, reader: Reader) -> Iterator[Line]:
    """One claim: the sentence, its terms, what others say, its status."""
    yield from author_rows(claim, reader)
    yield f"        on {moment(claim.time)}, by the author's own clock"
    if claim.existed_by is not None:
        dated = moment(claim.existed_by * 1000)
        yield f"        and no later than {dated}, by your witnesses"
    yield from status_rows(claim)
    yield field("made by", made(claim))
    if claim.title is not None:
        yield field("title", safe(claim.title))
    yield field("licence", safe(claim.license) if claim.license else "unknown")
    yield from use_rows(claim)
    for tool in claim.tools:
        yield field("tool", safe(tool))
    for label, value in about_claim(claim, reader.short):
        yield field(label, value)
    yield from member_rows(claim, answer)
    yield from seal_rows(claim)
    if claim.sources:
        yield field("made from", amount(len(claim.sources), "source"))
        yield from source_rows(claim, answer)
        yield from depth_rows(answer)
    yield from remark_rows(claim, answer, reader)
    for problem in claim.problems:
        yield (field("problem", safe(problem)), "doubt")
    yield (field("statement", cid_of_statement(claim.id)), "quiet")


def author_rows(claim: Claim, reader: Reader) -> Iterator[Line]:
    """Who claims it: of what is signed for somebody, both."""
    if claim.signed_for is None:
        yield (f"Claimed by {reader.key(claim.author)}", "head")
    else:
        yield (f"Claimed by {reader.key(claim.signed_for)}", "head")
        yield f"        signed by {reader.key(claim.author)}, which may sign for it"
    if claim.delegation is not None and claim.signed_for is None:
        word = "may not" if claim.delegation == "invalid" else "perhaps may not"
        yield (f"        It says that it signs for another key, and {word}.", "doubt")
    own = claim.signed_for or claim.author
    if claim.linked is not None and claim.linked != own:
        yield f"        whose place was taken by {reader.key(claim.linked)}"


def member_rows(claim: Claim, answer: Answer) -> Iterator[Line]:
    """Whether the cooperative that a claim names says so too."""
    own = claim.signed_for or claim.author
    for one in answer.members:
        if one.member == own and one.group == claim.fields.get("group"):
            word, style = MEMBER[one.status]
            yield (field("", word), style)


def seal_rows(claim: Claim) -> Iterator[Line]:
    """The seal by which a claim is dated."""
    if claim.seal is None:
        return
    dated = claim.seal.existed_by
    when = f", no later than {moment(dated * 1000)}" if dated is not None else ""
    yield field("sealed", f"before it was shown, as entry {claim.seal.index}{when}")


def depth_rows(answer: Answer) -> Iterator[Line]:
    """How much AI lies between the work and where it came from."""
    depth = answer.works[0].synthetic_depth
    if depth is not None:
        yield field("AI on the way", depth_words(depth.least, depth.greatest))


def made(claim: Claim) -> str:
    """How it was made, with the term that says so."""
    term = claim.source_type
    known = MADE.get(claim.made, "unknown")
    if term is None:
        return known
    return f"{known} (IPTC {safe(term.removeprefix(IPTC_SCHEME))})"


def status_rows(claim: Claim) -> Iterator[Line]:
    """Whether the claim stands."""
    if claim.status == "withdrawn" and claim.withdrawal is not None:
        when, why = moment(claim.withdrawal.time), claim.withdrawal.reason
        text = f"WITHDRAWN by its author on {when} ({safe(why or 'reason unknown')})"
        yield (field("status", text), "bad")
        if claim.withdrawal.replacement is not None:
            yield field("replaced by", cid_of_statement(claim.withdrawal.replacement))
    elif claim.status == "effective":
        disputed = field("status", "stands, but is DISPUTED"), "doubt"
        yield disputed if is_disputed(claim) else (field("status", "stands"), "good")
    elif claim.status == "late":
        text = (
            "LATE: its key had been replaced or given up before, so it does not count"
        )
        yield (field("status", text), "bad")
    else:
        yield (field("status", "unknown: it may have been withdrawn"), "doubt")


def use_rows(claim: Claim) -> Iterator[Line]:
    """The four uses in plain words; what was not said is unknown."""
    for i, (use, words) in enumerate(USES.items()):
        value = USE_VALUES.get(claim.uses.get(use, ""), "unknown")
        yield field("may it" if i == 0 else "", f"{words}? {value}{terms(claim, use)}")


def terms(claim: Claim, use: str) -> str:
    """The author's conditions on a use, where the statement names them."""
    info = claim.constraints.get(use)
    return f": {safe(info)}" if info else ""


def remark_rows(claim: Claim, answer: Answer, reader: Reader) -> Iterator[Line]:
    """What others say about the claim."""
    remarks = [*claim.endorsements, *claim.disputes, *claim.others]
    for remark in remarks[:MOST_SHOWN]:
        yield render_remark(remark, claim, reader)
    for gone in claim.redacted[:MOST_SHOWN]:
        yield (field("taken down", taken_down(gone)), "doubt")
    hidden = (claim.remarks_total or 0) - min(len(remarks), MOST_SHOWN)
    if claim.withdrawal is not None:
        hidden -= 1
    # Of a point in the past, later ones are no part of what was there.
    if hidden > 0 and answer.as_of is None:
        yield field("and", f"{amount(hidden, 'further remark')} (see --json)")


def taken_down(gone: Redaction) -> str:
    """A statement whose body is not to be had, by the word and clock of the node."""
    when = f"on {moment(gone.time)} ({safe(gone.reason)})"
    return f"a statement, {when}; what it said is unknown"


def render_remark(remark: Remark, claim: Claim, reader: Reader) -> Line:
    """One endorsement, dispute or other remark on one line."""
    label = {"endorse": "endorsed by", "dispute": "DISPUTED by"}.get(
        remark.type, f"{safe(remark.type)} by"
    )
    who = reader.key(remark.author)
    who += ", the author" if remark.author == claim.author else ""
    text = field(label, f"{who}{remark_details(remark)}{own_id(remark, reader)}")
    return (text, "doubt") if remark.type == "dispute" else text


def own_id(remark: Remark, reader: Reader) -> str:
    """What the reader needs to withdraw a remark of theirs."""
    is_own = remark.author in reader.keys
    return f", statement {cid_of_statement(remark.id)}" if is_own else ""


def remark_details(remark: Remark) -> str:
    """Role or reason, note, day and status of a remark."""
    why = remark.role or remark.reason
    parts = [f", {safe(why)}" if why else "", f" on {moment(remark.time)}"]
    if remark.note:
        parts.append(f": “{safe(remark.note)}”")
    if found := evidence_of(remark):
        more = f" and {len(found) - 1} more (see --json)" if found[1:] else ""
        parts.append(f", with evidence sha256 {found[0][2:].hex()}{more}")
    if remark.status != "effective":
        word = "withdrawn" if remark.status == "withdrawn" else "may be withdrawn"
        parts.append(f" ({word})")
    return "".join(parts)


def evidence_of(remark: Remark) -> list[bytes]:
    """What a dispute points to; nothing of what is not understood."""
    said = remark.fields.get("evidence") if remark.type == "dispute" else None
    if not isinstance(said, list | tuple) or not all(map(is_multihash, said)):
        return []
    return list(said)


def render_remark_on_work(remark: Remark, reader: Reader) -> Line:
    """A dispute, an offer or whatever else was said about the work itself."""
    word = SAID.get(remark.type, f"“{safe(remark.type)}” said")
    text = f"{word} by {reader.key(remark.author)}{remark_details(remark)}"
    said = sentence(remark, reader.short)
    style = "doubt" if remark.type not in SAID or remark.type == "dispute" else ""
    more = f": {said}" if said else ""
    return (f"{text}{more}{own_id(remark, reader)}", style)


def verdict_to_json(verdict: Verdict) -> dict[str, object]:
    """A verdict for scripts."""
    return {
        "ok": verdict.ok,
        "levels": [
            {"name": one.name, "status": one.status, "detail": one.detail}
            for one in verdict.levels
        ],
        "answer": verdict.answer.to_json() if verdict.answer else None,
    }
