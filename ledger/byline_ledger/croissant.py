"""croissant.json of a label: Croissant 1.1 with the Responsible AI terms, as JSON-LD.

Rule: nothing is written that `require_sound` finds wanting, since other validators warn
of missing fields at most.  What stands where: docs/spec/label.md, "Croissant".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from typing import Any

from byline_ledger.errors import UsageError
from byline_ledger.label_table import COLUMNS, INTEGERS
from byline_ledger.label_words import SLICES, UNNAMED, licence_page, percent
from byline_ledger.licence import UNKNOWN
from byline_ledger.projection import is_address

CONFORMS_TO = [
    "http://mlcommons.org/croissant/1.1",
    "http://mlcommons.org/croissant/RAI/1.0",
]
NAMESPACE = "https://w3id.org/byline/label#"
"""Of the keys `byl:`; a name, not a place."""
ITEMS = "items.csv"
_MEDIA_TYPES = {
    ".csv": "text/csv",
    ".parquet": "application/vnd.apache.parquet",
    ".txt": "text/plain",
}

_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "byl": NAMESPACE,
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_RAI = {
    "collection": "rai:dataCollection",
    "collection_method": "rai:dataCollectionType",
    "processing": "rai:dataPreprocessingProtocol",
    "maintenance": "rai:dataReleaseMaintenancePlan",
    "personal_data": "rai:personalSensitiveInformation",
    "biases": "rai:dataBiases",
    "intended": "rai:dataUseCases",
}
_RAI_LISTS = {
    "rai:dataLimitations": ("limitations", "out_of_scope"),
    "rai:dataCollectionTimeframe": ("period_start", "period_end"),
}
_TYPES = frozenset({"sc:Text", "sc:Integer"})
_REQUIRED = (
    *("name", "description", "license", "url", "creator", "datePublished"),
    *("distribution", "recordSet"),
)
_COLUMN_WORDS = {
    "digest": "SHA-256 of the work",
    "path": "where it is in the set",
    "made": "how it was made, as its claims agree",
    "source_type": "IPTC digital source type",
    "depth_least": "least number of generations of AI behind it",
    "depth_greatest": "greatest number, empty if the chain has gaps",
    "entries": "places of its claims in the log",
    "proof": "the file that holds the proof",
}


def croissant(label: Mapping[str, Any], digests: Mapping[str, str]) -> dict[str, Any]:
    """The document for a label.json; `digests` has the SHA-256, in hex, of
    items.csv and of the manifest."""
    words = label["words"]
    found: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": words.get("name", UNNAMED),
        "description": words.get("description", described(label)),
        "license": _license(words),
        "url": words.get("url", manifest_uri(label)),
        "creator": _creator(label),
        "datePublished": label["date"],
    }
    if "version" in words:
        found["version"] = words["version"]
    if "languages" in words:
        found["inLanguage"] = words["languages"]
    found |= {term: words[name] for name, term in _RAI.items() if name in words}
    for term, names in _RAI_LISTS.items():
        said = [words[one] for one in names if one in words]
        found |= {term: said} if said else {}
    found |= _figures(label)
    found["distribution"] = [
        {
            "@type": "cr:FileObject",
            "@id": name,
            "name": name,
            "description": f"{name} of the label",
            "contentUrl": file,
            "encodingFormat": _MEDIA_TYPES[file[file.rindex(".") :]],
            "sha256": digests[file],
        }
        for name, file in (("items", ITEMS), ("manifest", label["manifest"]["file"]))
    ]
    found["recordSet"] = [
        {
            "@type": "cr:RecordSet",
            "@id": "works",
            "name": "works",
            "description": "What is claimed of each work, and where the proof is.",
            "field": [_field(column) for column in COLUMNS],
        }
    ]
    require_sound(found)
    return found


def described(label: Mapping[str, Any]) -> str:
    """What can be said of a set that nobody described."""
    count, made = label["manifest"]["count"], label["ingredients"]
    shares = ", ".join(
        f"{said[0].lower()}{said[1:]} {percent(made[word]['items'], count)}"
        for word, said in SLICES.items()
    )
    return f"{count:,} works; by what is claimed of them: {shares}."


def manifest_uri(label: Mapping[str, Any]) -> str:
    """A name for the set that holds whatever becomes of web addresses."""
    digest = label["manifest"]["digest"].removeprefix("sha256:")
    return f"urn:sha256:{digest}"


def _creator(label: Mapping[str, Any]) -> dict[str, Any]:
    key = label["creator"]
    name = label["words"].get("creator", key)
    return {"@type": "sc:Organization", "name": name, "identifier": key}


def _license(words: Mapping[str, Any]) -> str | dict[str, Any]:
    """An address, as Croissant has it; what has none by its name."""
    text = words.get("license", UNKNOWN)
    return licence_page(text) or {"@type": "sc:CreativeWork", "name": text}


def _figures(label: Mapping[str, Any]) -> dict[str, Any]:
    """What no term of others says."""
    manifest, log = label["manifest"], label["log"]
    return {
        "prov:wasDerivedFrom": {"@id": manifest_uri(label)},
        "byl:intendedUse": label["use"],
        "byl:manifestRoot": manifest["root"],
        "byl:log": log["origin"],
        "byl:logSize": log["size"],
        "byl:violations": label["violations"]["items"],
        "byl:ingredients": [
            {"byl:made": word, "byl:items": one["items"], "byl:bytes": one["bytes"]}
            for word, one in label["ingredients"].items()
        ],
        "byl:consent": [
            {"byl:verdict": word, "byl:items": one["items"]}
            for word, one in label["consent"][label["use"]].items()
        ],
    }


def _field(column: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"works/{column}",
        "name": column,
        "description": _COLUMN_WORDS.get(column, column.replace("_", " ")),
        "dataType": "sc:Integer" if column in INTEGERS else "sc:Text",
        "source": {"fileObject": {"@id": "items"}, "extract": {"column": column}},
    }


def require_sound(found: Mapping[str, Any]) -> None:
    """UsageError, naming the field, for a document that others could not use."""
    for name in _REQUIRED:
        if not found.get(name):
            raise UsageError(f"croissant.json: {name} is missing")
    for name, form in (
        ("datePublished", r"\d{4}-\d\d-\d\d"),
        ("url", r"[a-zA-Z][a-zA-Z0-9+.-]*:[^\s]+"),
    ):
        if not re.fullmatch(form, found[name], re.ASCII):
            raise UsageError(f"croissant.json: {name}: not as it must be")
    licence = found["license"]
    if isinstance(licence, str) and not is_address(licence):
        raise UsageError("croissant.json: license: expected an address")
    if list(CONFORMS_TO) != found.get("conformsTo") or "@context" not in found:
        raise UsageError("croissant.json: conformsTo or @context is missing")
    files = found["distribution"]
    for file in files:
        if not re.fullmatch(r"[0-9a-f]{64}", file["sha256"]):
            raise UsageError(f"croissant.json: {file['@id']}: sha256 is missing")
    for records in found["recordSet"]:
        _require_fields(records["field"], {file["@id"] for file in files})


def _require_fields(fields: Sequence[Mapping[str, Any]], files: Set[str]) -> None:
    """Each once, of a column and type that there are."""
    ids = [field["@id"] for field in fields]
    columns = {field["source"]["extract"]["column"] for field in fields}
    if len({*ids}) < len(ids) or not columns <= {*COLUMNS}:
        raise UsageError("croissant.json: fields that are twice, or of no column")
    if not {field["source"]["fileObject"]["@id"] for field in fields} <= files:
        raise UsageError("croissant.json: a field of an unknown file")
    if not {field["dataType"] for field in fields} <= _TYPES:
        raise UsageError("croissant.json: a field of an unknown type")
