"""The verdict on a use for each of any number of works, by verified answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from byline_ledger.consent import Consent
from byline_ledger.facts import AsOf
from byline_ledger.policy import Policy
from byline_node.consents import Ask
from byline_node.many_works import ManyWorks


def asker(
    client: ManyWorks,
    policy: Policy | None,
    use: str,
    grantee: bytes | None,
    as_of: AsOf,
) -> Ask:
    """Asks a node and verifies what it says; VerificationError if it does not hold."""

    def ask(digests: Iterable[bytes]) -> Iterator[Consent]:
        for answer in client.query_many(digests, policy=policy, as_of=as_of):
            yield answer.consent(use, grantee)

    return ask
