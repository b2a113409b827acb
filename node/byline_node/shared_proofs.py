"""Proof bundles of many works that are kept: asked of a node, and read back later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from byline_ledger.answer import Answer
from byline_ledger.errors import VerificationError
from byline_ledger.facts import AsOf
from byline_ledger.policy import Policy
from byline_ledger.verify import verify_bundle
from byline_node.many_works import Asking, ManyWorks, prove_all
from byline_node.settle import Bundles, Read


def bundles_of(client: ManyWorks, policy: Policy | None) -> Bundles:
    """Asks a node, and verifies what it says."""

    def ask(
        digests: Iterable[bytes], as_of: AsOf
    ) -> Iterator[tuple[bytes, dict[bytes, Answer]]]:
        asking = Asking(policy=policy, now=as_of.now, as_of=as_of)
        return prove_all(digests, asking, client.ask_shared)

    return ask


def reader_of(policy: Policy | None, depth: int = 0) -> Read:
    """Reads bundles that were kept, however old they are by now; `depth`: the least
    that they were asked with.

    Works that the caps of a bundle cut short count where they are answered for alone.
    """

    def read(data: bytes, as_of: AsOf) -> Mapping[bytes, Answer]:
        verdict = verify_bundle(data, policy=policy, depth=depth, as_of=as_of)
        if not verdict.ok or not verdict.answers:
            raise VerificationError(f"a proof does not hold: {verdict.failure()}")
        alone = len(verdict.answers) == 1
        return {
            one.asked: one
            for one in verdict.answers
            if alone or one.asked not in verdict.capped
        }

    return read
