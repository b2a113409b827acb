"""Answers for any number of works: asked in bundles of up to 512, one ahead of the one
that is verified.

Rule: every bundle is verified as a whole, and each work's answer is that of its own
part (docs/spec/bundle.md, "Several works").  Caps are shared by all works of a bundle:
those that they cut short are asked for again in smaller company, in the end alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from byline_ledger.answer import Answer
from byline_ledger.answer_maker import Answers
from byline_ledger.chain import MAX_ASKED
from byline_ledger.digest import is_multihash
from byline_ledger.errors import UsageError, VerificationError
from byline_ledger.facts import NOW, AsOf
from byline_ledger.policy import Policy
from byline_ledger.state import State
from byline_ledger.verify import verify_bundle
from byline_node.calls import BUNDLE_TYPE, Call, Operation, read_body
from byline_node.shared_question import SharedQuestion

SMALLER = 8
"""By what a group is divided whose answers the caps cut short."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asking:
    """What is the same for all works: depth, 32-byte keys that are trusted, the
    reader's policy and clock (Unix milliseconds), and when it is to hold."""

    depth: int = 0
    keys: tuple[bytes, ...] = ()
    policy: Policy | None = None
    now: int | None = None
    as_of: AsOf = NOW

    def question(self, digests: Sequence[bytes]) -> SharedQuestion:
        """The question for these works; UsageError for what is no multihash."""
        wrong = next((one for one in digests if not is_multihash(one)), None)
        if wrong is not None:
            raise UsageError(
                f"expected SHA-256 multihashes of 34 bytes, got {len(wrong)} bytes"
            )
        return SharedQuestion.of(digests, self.depth, self.keys)

    def read(
        self, bundle: bytes, digests: Sequence[bytes]
    ) -> tuple[dict[bytes, Answer], list[bytes]]:
        """The answers by digest, and the works whose answers were cut short.

        Raises VerificationError where anything does not hold.
        """
        answers, cut = self.verify(bundle, digests)
        return {work: answers.of(work) for work in answers.works}, cut

    def states(
        self, bundle: bytes, digests: Sequence[bytes]
    ) -> tuple[dict[bytes, State], list[bytes]]:
        """The same for who needs no more than the rules applied to each work."""
        answers, cut = self.verify(bundle, digests)
        return {work: answers.state(work) for work in answers.works}, cut

    def verify(
        self, bundle: bytes, digests: Sequence[bytes]
    ) -> tuple[Answers, list[bytes]]:
        """The verified answers, not made yet, and the works that were cut short.

        Raises VerificationError where anything does not hold.
        """
        verdict = verify_bundle(
            bundle,
            digests=digests,
            keys=self.keys,
            policy=self.policy,
            now=self.now,
            depth=self.depth,
            as_of=self.as_of,
        )
        if not verdict.ok or not verdict.answers:
            raise VerificationError(
                f"the node's answer does not hold: {verdict.failure()}"
            )
        alone = len(verdict.answers) == 1
        return verdict.answers, [] if alone else sorted(verdict.capped)


def ask_shared(question: SharedQuestion) -> Operation[bytes]:
    """One bundle for all works of a question, not verified."""
    reply = yield Call("/v1/query", accept=BUNDLE_TYPE, body=question.to_bytes())
    return read_body(reply)


def groups(digests: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    """Up to `size` at a time, in their order."""
    left = iter(digests)
    while group := list(islice(left, size)):
        yield group


def smaller(cut: Sequence[bytes], group: Sequence[bytes]) -> Iterator[list[bytes]]:
    """The works of a group that are to be asked for again, in smaller ones."""
    return groups(cut, max(1, len(group) // SMALLER))


def ahead(
    asked: Iterable[list[bytes]], ask: Callable[[list[bytes]], T]
) -> Iterator[tuple[list[bytes], T]]:
    """Each group with what `ask` brought; the next is asked meanwhile, in a thread."""
    with ThreadPoolExecutor(1, "byline-ask") as pool:
        under_way: tuple[list[bytes], Future[T]] | None = None
        for group in asked:
            coming = group, pool.submit(ask, group)
            if under_way is not None:
                yield under_way[0], under_way[1].result()
            under_way = coming
        if under_way is not None:
            yield under_way[0], under_way[1].result()


def answer_all(
    digests: Iterable[bytes],
    asking: Asking,
    ask: Callable[[SharedQuestion], bytes],
    size: int = MAX_ASKED,
) -> Iterator[Answer]:
    """One answer for each digest, in their order.  `ask` runs in a thread."""
    return read_all(digests, asking, ask, asking.read, size)


def read_all(
    digests: Iterable[bytes],
    asking: Asking,
    ask: Callable[[SharedQuestion], bytes],
    read: Callable[[bytes, Sequence[bytes]], tuple[dict[bytes, T], list[bytes]]],
    size: int = MAX_ASKED,
) -> Iterator[T]:
    """The same for whatever `read` makes of a bundle (Asking.read, Asking.states)."""

    def bundle(group: list[bytes]) -> bytes:
        return ask(asking.question(group))

    def settle(group: Sequence[bytes], data: bytes) -> dict[bytes, T]:
        found, cut = read(data, group)
        for part in smaller(cut, group):
            found |= settle(part, bundle(part))
        return found

    for group, data in ahead(groups(digests, size), bundle):
        found = settle(group, data)
        for digest in group:
            yield found[digest]


def prove_all(
    digests: Iterable[bytes],
    asking: Asking,
    ask: Callable[[SharedQuestion], bytes],
    size: int = MAX_ASKED,
) -> Iterator[tuple[bytes, dict[bytes, Answer]]]:
    """The bundles themselves, to keep, each with the answers that it gives in full."""

    def bundle(group: list[bytes]) -> bytes:
        return ask(asking.question(group))

    for group, first in ahead(groups(digests, size), bundle):
        waiting = [(group, first)]
        while waiting:
            part, data = waiting.pop()
            answers, cut = asking.read(data, part)
            for work in cut:
                del answers[work]
            if answers:
                yield data, answers
            waiting += [(few, bundle(few)) for few in smaller(cut, part)]


class ManyWorks(ABC):
    """`query_many` and `prove_many` for clients that wait."""

    _policy: Policy | None

    def query_many(
        self,
        digests: Iterable[bytes],
        *,
        depth: int = 0,
        keys: Iterable[bytes] = (),
        now: int | None = None,
    ) -> Iterator[Answer]:
        """One verified answer for each of any number of works (34-byte multihashes),
        in their order.

        `keys` are 32-byte keys that the reader trusts.  Works are asked for in bundles
        of 512, so the first answers come with the first bundle.  Raises
        VerificationError if anything does not hold.
        """
        asking = Asking(depth, tuple(keys), self._policy, now)
        return answer_all(digests, asking, self.ask_shared)

    def prove_many(
        self, digests: Iterable[bytes], *, depth: int = 0, now: int | None = None
    ) -> Iterator[tuple[bytes, dict[bytes, Answer]]]:
        """The same as proof bundles, to keep and to verify anywhere: each with the
        answers, by work, that it gives in full."""
        asking = Asking(depth, (), self._policy, now)
        return prove_all(digests, asking, self.ask_shared)

    @abstractmethod
    def ask_shared(self, question: SharedQuestion) -> bytes:
        """One bundle for all works of a question, not verified."""


class ManyWorksAsync(ABC):
    """The same for clients that are awaited; bundle by bundle, none ahead."""

    _policy: Policy | None

    async def query_many(
        self,
        digests: Iterable[bytes],
        *,
        depth: int = 0,
        keys: Iterable[bytes] = (),
        now: int | None = None,
    ) -> AsyncIterator[Answer]:
        """See ManyWorks.query_many."""
        asking = Asking(depth, tuple(keys), self._policy, now)
        for group in groups(digests, MAX_ASKED):
            answers: dict[bytes, Answer] = {}
            waiting = [group]
            while waiting:
                part = waiting.pop()
                data = await self._run(ask_shared(asking.question(part)))
                found, cut = asking.read(data, part)
                answers |= found
                waiting += smaller(cut, part)
            for digest in group:
                yield answers[digest]

    async def prove_many(
        self, digests: Iterable[bytes], *, depth: int = 0, now: int | None = None
    ) -> AsyncIterator[tuple[bytes, dict[bytes, Answer]]]:
        """See ManyWorks.prove_many."""
        asking = Asking(depth, (), self._policy, now)
        for group in groups(digests, MAX_ASKED):
            waiting = [group]
            while waiting:
                part = waiting.pop()
                data = await self._run(ask_shared(asking.question(part)))
                found, cut = asking.read(data, part)
                whole = {one: found[one] for one in found if one not in cut}
                if whole:
                    yield data, whole
                waiting += smaller(cut, part)

    @abstractmethod
    async def _run(self, operation: Operation[T]) -> T:
        """Carries the calls of an operation out."""
