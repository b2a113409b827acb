"""What a log proves about a key: what was said about it, and what became of it.

A key is asked about like a work, by the multihash of its 32 bytes; the answer is
verified before anything is read from it.  Rules: docs/spec/state.md, "Keys", and
docs/spec/names.md, "Both directions".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from byline_ledger.answer import Answer
from byline_ledger.bundle import Bundle
from byline_ledger.content_keys import ProfileContent, read_profile
from byline_ledger.digest import digest_bytes
from byline_ledger.errors import VerificationError
from byline_ledger.facts import Facts, Record
from byline_ledger.key_state import MAX_SUCCESSORS, Keys, KeyState
from byline_ledger.verify import verify_bundle
from byline_node.shared_question import SharedQuestion

DEPTH: Final = 0
MOST_AUTHORS = 16
"""Keys of one file of statements that are asked about."""
EFFECTIVE: Final = "effective"
UNKNOWN: Final = "unknown"


class Asked(Protocol):
    """The part of a client that this needs."""

    def ask_shared(self, question: SharedQuestion) -> bytes:
        """One bundle for all works of a question, not verified."""
        ...


@dataclass(frozen=True, slots=True)
class Told:
    """A statement about the key, with its place and its status in the answer."""

    record: Record
    status: str


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile in force."""

    record: Record
    content: ProfileContent


@dataclass(frozen=True, slots=True)
class KeyStory:
    """What is proven about a key (32 bytes).

    `told` is in the log's order.  Where `complete` is false, more was said about it
    than is shown; `taken_down` counts what its node no longer shows.
    """

    key: bytes
    state: KeyState
    told: tuple[Told, ...]
    complete: bool
    taken_down: int
    bundle: bytes

    @property
    def profile(self) -> Profile | None:
        """The last effective profile."""
        for one in reversed(self.told):
            statement = one.record.statement
            own = statement.type == "profile" and statement.author == self.key
            if own and one.status == EFFECTIVE:
                return Profile(one.record, read_profile(statement))
        return None

    @property
    def recovery_profile(self) -> Record | None:
        """The profile that announced the recovery key."""
        for one in self.told:
            statement = one.record.statement
            if statement.type == "profile" and statement.author == self.key:
                recovery = read_profile(statement).recovery
                if recovery is not None and recovery == self.state.recovery:
                    return one.record
        return None


def read_story(client: Asked, key: bytes) -> KeyStory:
    """The story of a key (32 bytes), by the node that the client asks."""
    # Its own word is asked for by name: strangers can fill the page about it.
    about = digest_bytes(key)
    return story_of(client.ask_shared(SharedQuestion.of([about], DEPTH, [key])), key)


def story_of(bundle: bytes, key: bytes) -> KeyStory:
    """The same from a bundle; VerificationError if it does not hold."""
    about = digest_bytes(key)
    verdict = verify_bundle(bundle, digest=about, keys=[key], depth=DEPTH)
    answer = verdict.answer
    if not verdict.ok or answer is None:
        raise VerificationError(f"the answer does not hold: {verdict.failure()}")
    statuses = dict(_statuses(answer))
    records = [
        Record(one.statement, one.index)
        for one in Bundle.from_bytes(bundle).statements
        if one.statement.about == about
    ]
    records.sort(key=lambda one: one.index)
    complete = answer.works[0].total == len(records) + len(answer.works[0].redacted)
    own = [one for one in answer.keys if one.author == key]
    settled = {k for one in own if one.settled for k in (key, one.recovery)}

    def shown(of: bytes, by: bytes | None) -> bool:
        return of == about and (complete or (by is not None and by in settled))

    told = tuple(Told(one, statuses.get(one.statement.id, UNKNOWN)) for one in records)
    return KeyStory(
        key=key,
        state=Keys(Facts(records, shown=shown)).state(key),
        told=told,
        complete=complete,
        taken_down=len(answer.works[0].redacted),
        bundle=bundle,
    )


def _statuses(answer: Answer) -> Iterator[tuple[bytes, str]]:
    """Status by id of all that was said about the key."""
    for claim in answer.works[0].claims:
        yield claim.id, claim.status
    for remark in answer.works[0].remarks:
        yield remark.id, remark.status
    for one in answer.keys:
        for remark in (*one.statements, *one.recovered):
            yield remark.id, remark.status


def successors(client: Asked, story: KeyStory) -> list[KeyStory]:
    """The keys that follow one after another, at most MAX_SUCCESSORS, none twice."""
    found = [story]
    while len(found) <= MAX_SUCCESSORS:
        after = found[-1].state.successor
        if after is None or after in {one.key for one in found}:
            break
        found.append(read_story(client, after))
    return found[1:]


def ended_before(
    client: Asked, places: Iterable[tuple[bytes, int]]
) -> Iterator[KeyStory]:
    """Of keys that signed what now stands at these places of the log, those of the
    first MOST_AUTHORS that had ended before the last of theirs."""
    last: dict[bytes, int] = {}
    for author, index in places:
        last[author] = max(index, last.get(author, 0))
    for author in list(last)[:MOST_AUTHORS]:
        story = read_story(client, author)
        if story.state.ends is not None and story.state.ends < last[author]:
            yield story
