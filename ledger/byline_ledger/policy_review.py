"""What a trust policy is worth: where it could be split, and who counts twice.

A reader who takes k of n witnesses can be shown another log than a second reader if k
witnesses can be found twice over: with k <= n/2 even honest ones, else with
2k - n dishonest ones.  Pure; docs/spec/log.md, "Policy".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from byline_ledger.node_keys import operator_of
from byline_ledger.policy import NONE, Policy, PolicyGroup


def policy_warnings(policy: Policy) -> list[str]:
    """What a careful reader should know of this policy, a line each; none is fine."""
    return [
        *_about_logs(policy),
        *_about_quorum(policy),
        *_about_operators(policy),
    ]


def _about_logs(policy: Policy) -> Iterator[str]:
    if not policy.logs:
        yield "it names no log, so it accepts none"


def _about_quorum(policy: Policy) -> Iterator[str]:
    if policy.quorum == NONE:
        yield "it asks for no witness: a log can show everybody another history"
        return
    counting = _names_that_count(policy)
    operators = policy.operators(counting)
    if len(operators) == 1 and policy.is_satisfied(counting):
        yield (
            f"one witness alone, {operators[0]}, decides: if it is dishonest, the view"
            " can be split"
        )
        return
    for group in _groups_that_count(policy):
        if _one_voice(policy, group):
            continue
        members = len(group.members)
        if 2 * group.threshold <= members:
            yield (
                f"group {group.name}: {group.threshold} of {members} can be found twice"
                f" over, so the view can be split; take {safe_threshold(members)}"
            )
        elif group.threshold < members:
            bad = 2 * group.threshold - members
            things = "witness" if bad == 1 else "witnesses"
            if bad < tolerated(members):
                yield (
                    f"group {group.name}: {bad} dishonest {things} of {members} could"
                    f" split the view; {safe_threshold(members)} would be needed to"
                    f" withstand {tolerated(members) - 1}"
                )


def safe_threshold(members: int) -> int:
    """More than two thirds, so that fewer than a third may be dishonest."""
    return 2 * members // 3 + 1


def tolerated(members: int) -> int:
    """How many dishonest witnesses it takes to split a group at that threshold."""
    return 2 * safe_threshold(members) - members


def _groups_that_count(policy: Policy) -> Iterator[PolicyGroup]:
    """The groups on the way to the quorum."""
    by_name = {group.name: group for group in policy.groups}
    waiting = [policy.quorum]
    while waiting:
        group = by_name.get(waiting.pop())
        if group is not None:
            yield group
            waiting += group.members


def _names_that_count(policy: Policy) -> set[str]:
    """The witnesses and groups that the quorum is made of."""
    groups = _groups_that_count(policy)
    return {policy.quorum}.union(*(group.members for group in groups))


def _about_operators(policy: Policy) -> Iterator[str]:
    """Each witness should be somebody else, and nobody the log itself."""
    operators = _voices(policy)
    for name, count in operators.items():
        if count > 1:
            yield f"{count} of the witnesses are one operator, {name}"
    hosts = Counter(
        host for one in policy.witnesses if one.url and (host := _host(one.url))
    )
    for host, count in hosts.items():
        if count > 1:
            yield f"{count} of the witnesses are at one place, {host}"
    for log in policy.logs:
        if log.origin in operators:
            yield f"the log {log.origin} is witnessed by its own operator"


def _one_voice(policy: Policy, group: PolicyGroup) -> bool:
    """Whether a group is the several keys of one operator, any of which will do."""
    names = {one.name: operator_of(one.verifier.name) for one in policy.witnesses}
    operators = {names.get(member) for member in group.members}
    return group.threshold == 1 and len(operators) == 1 and None not in operators


def _voices(policy: Policy) -> Counter[str]:
    """How often each operator counts: keys that stand together count as one."""
    names = {one.name: operator_of(one.verifier.name) for one in policy.witnesses}
    voices = Counter(names.values())
    for group in policy.groups:
        if _one_voice(policy, group):
            voices[names[group.members[0]]] -= len(group.members) - 1
    return voices


def _host(url: str) -> str:
    """The host of a URL, without port; whatever stands there if it is none."""
    place = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    return place.partition(":")[0] if not place.startswith("[") else place
