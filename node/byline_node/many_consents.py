"""The verdict on a use for each of any number of works, by verified answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from byline_ledger.consent import Consent
from byline_ledger.facts import AsOf
from byline_ledger.policy import Policy
from byline_node.consents import Ask
from byline_node.many_works import Asking, ManyWorks, answer_all


def asker(
    client: ManyWorks,
    policy: Policy | None,
    use: str,
    grantee: bytes | None,
    as_of: AsOf,
    now: int,
) -> Ask:
    """Asks a node and verifies what it says; VerificationError if it does not hold."""

    asking = Asking(policy=policy, now=now, as_of=as_of)

    def ask(digests: Iterable[bytes]) -> Iterator[Consent]:
        for answer in answer_all(digests, asking, client.ask_shared):
            yield answer.consent(use, grantee)

    return ask
