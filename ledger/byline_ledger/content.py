"""What the statements of each type say, in one import.

Rule (docs/adr/0003-statement-validity.md): these fields are checked when a statement is
made (UsageError) and when it is read for an answer (a problem is named, the value
becomes unknown), never when a statement is admitted.  Field by field:
docs/spec/statement.md, "Types".  Each subject has a module of its own; field_maker.py
and field_reader.py hold what they share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from byline_ledger.content_delegated import (
    DelegatedContent,
    delegated_fields,
    read_delegated,
)
from byline_ledger.content_group import (
    AdmitContent,
    LeaveContent,
    admit_fields,
    leave_fields,
    read_admit,
    read_leave,
)
from byline_ledger.content_keys import (
    DelegateContent,
    ProfileContent,
    RotateContent,
    delegate_fields,
    profile_fields,
    read_delegate,
    read_profile,
    read_rotate,
    rotate_fields,
)
from byline_ledger.content_parts import Fingerprints, Model, Share
from byline_ledger.content_relay import (
    ForeignClaim,
    RelayContent,
    read_relay,
    relay_fields,
)
from byline_ledger.content_remarks import (
    DisputeContent,
    EndorseContent,
    WithdrawContent,
    dispute_fields,
    endorse_fields,
    read_dispute,
    read_endorse,
    read_withdraw,
    withdraw_fields,
)
from byline_ledger.content_seal import (
    SealContent,
    read_seal,
    seal_commitment,
    seal_fields,
)
from byline_ledger.content_sets import (
    CollectionContent,
    LabelContent,
    SettlementContent,
    collection_fields,
    label_fields,
    read_collection,
    read_label,
    read_settlement,
    settlement_fields,
)
from byline_ledger.content_terms import (
    GrantContent,
    OfferContent,
    Price,
    RequestContent,
    grant_fields,
    offer_fields,
    read_grant,
    read_offer,
    read_request,
    request_fields,
)
from byline_ledger.content_work import WorkContent, read_work, work_fields
from byline_ledger.field_maker import Fields, name_of_key, name_of_statement
from byline_ledger.manifest_tree import InManifest
from byline_ledger.name_proofs import NameProof
from byline_ledger.statement import Statement

__all__ = [
    "READERS",
    "AdmitContent",
    "CollectionContent",
    "Content",
    "DelegateContent",
    "DelegatedContent",
    "DisputeContent",
    "EndorseContent",
    "Fields",
    "Fingerprints",
    "ForeignClaim",
    "GrantContent",
    "InManifest",
    "LabelContent",
    "LeaveContent",
    "Model",
    "NameProof",
    "OfferContent",
    "Price",
    "ProfileContent",
    "RelayContent",
    "RequestContent",
    "RotateContent",
    "SealContent",
    "SettlementContent",
    "Share",
    "WithdrawContent",
    "WorkContent",
    "admit_fields",
    "collection_fields",
    "delegate_fields",
    "delegated_fields",
    "dispute_fields",
    "endorse_fields",
    "grant_fields",
    "label_fields",
    "leave_fields",
    "name_of_key",
    "name_of_statement",
    "offer_fields",
    "profile_fields",
    "read_admit",
    "read_collection",
    "read_content",
    "read_delegate",
    "read_delegated",
    "read_dispute",
    "read_endorse",
    "read_grant",
    "read_label",
    "read_leave",
    "read_offer",
    "read_profile",
    "read_relay",
    "read_request",
    "read_rotate",
    "read_seal",
    "read_settlement",
    "read_withdraw",
    "read_work",
    "relay_fields",
    "request_fields",
    "rotate_fields",
    "seal_commitment",
    "seal_fields",
    "settlement_fields",
    "withdraw_fields",
    "work_fields",
]

Content: TypeAlias = (
    WorkContent
    | EndorseContent
    | DisputeContent
    | WithdrawContent
    | GrantContent
    | ProfileContent
    | RotateContent
    | DelegateContent
    | AdmitContent
    | LeaveContent
    | OfferContent
    | RequestContent
    | CollectionContent
    | LabelContent
    | SealContent
    | RelayContent
    | SettlementContent
)

READERS: Final[Mapping[str, Callable[[Statement], Content]]] = MappingProxyType(
    {
        "work": read_work,
        "endorse": read_endorse,
        "dispute": read_dispute,
        "withdraw": read_withdraw,
        "grant": read_grant,
        "profile": read_profile,
        "rotate": read_rotate,
        "delegate": read_delegate,
        "admit": read_admit,
        "leave": read_leave,
        "offer": read_offer,
        "request": read_request,
        "collection": read_collection,
        "label": read_label,
        "seal": read_seal,
        "relay": read_relay,
        "settlement": read_settlement,
    }
)
"""Type to its reader; statements of other types are shown raw."""


def read_content(statement: Statement) -> Content | None:
    """What a statement says by its own type; None for a type that is not known."""
    reader = READERS.get(statement.type)
    return None if reader is None else reader(statement)
