"""data-provenance.json of a label: OASIS Data Provenance Metadata 1.0 (a draft).

The 22 fields in their three groups; what nobody said is left out, and required fields
have what the label knows.  docs/spec/label.md, "Data provenance".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byline_ledger.croissant import described, manifest_uri
from byline_ledger.label_words import UNNAMED
from byline_ledger.vocabulary import USES

VERSION = "1.0.0"
_PURPOSE = {
    USES[0]: "other",
    USES[1]: "evaluation",
    USES[2]: "pre-training",
    USES[3]: "pre-training",
}
"""Use of a label to an intended purpose of OASIS; the nearest there is."""


def data_provenance(label: Mapping[str, Any]) -> dict[str, Any]:
    """The document for a label.json."""
    words = label["words"]
    return {
        "source": _present(
            {
                "title": words.get("name", UNNAMED),
                "id": manifest_uri(label),
                "location": words.get("url", manifest_uri(label)),
                "issuer": words.get("creator", label["creator"]),
                "description": words.get("description", described(label)),
                "version": VERSION,
            }
        ),
        "provenance": _present(
            {
                "source": [one["name"] for one in label["sources"]["domains"]["top"]],
                "origin-geography": words.get("geography", "unknown"),
                "date": label["date"],
                "generation-period": _present(
                    {
                        "start": words.get("period_start"),
                        "end": words.get("period_end"),
                    }
                ),
                "generation-method": words.get("collection_method", "other"),
                "format": "text/csv; a manifest of the works",
            }
        ),
        "use": _present(
            {
                "classification": words.get("personal_data"),
                "consents": _consents(label),
                "license": words.get("license"),
                "intended-purpose": {
                    "ai-use": _PURPOSE[label["use"]],
                    "description": words.get("intended", label["use"]),
                },
                "processing-excluded": words.get("out_of_scope"),
            }
        ),
    }


def _consents(label: Mapping[str, Any]) -> dict[str, Any]:
    """Works by verdict, for each CAWG entry; the proofs are beside the label."""
    return {
        use: {word: one["items"] for word, one in label["consent"][use].items()}
        for use in USES
    }


def _present(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Without what nobody said."""
    return {name: value for name, value in fields.items() if value}
