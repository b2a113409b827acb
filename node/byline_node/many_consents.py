"""The verdict on a use for each of any number of works, by verified answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from byline_ledger.consent import Consent
from byline_ledger.facts import AsOf
from byline_ledger.policy import Policy
from byline_node.consents import Ask
from byline_node.many_works import Asking, ManyWorks, read_all


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

    def read(
        bundle: bytes, group: Sequence[bytes]
    ) -> tuple[dict[bytes, Consent], list[bytes]]:
        states, cut = asking.states(bundle, group)
        return {
            work: state.consents.of(work, use, grantee)
            for work, state in states.items()
        }, cut

    def ask(digests: Iterable[bytes]) -> Iterator[Consent]:
        return read_all(digests, asking, client.ask_shared, read)

    return ask
