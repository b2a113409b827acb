"""Valid inputs for what an engine of others reads: pictures, texts, Parquet, DNS."""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise
from typing import Any

import dns.message
import dns.rrset
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image
from tests.fuzz.readers import DNS_NAME

from byline_ledger.did import did_key


def file_examples() -> dict[str, list[bytes]]:
    """The name of a target, and small inputs of it."""
    return {
        "file-content": pictures() + texts(),
        "parquet-manifest": tables(),
        "parquet-pages": tables(),
        "dns-answer": dns_answers(),
    }


def dns_answers() -> list[bytes]:
    """Of a name server: with records, through an alias, with none, and too short."""
    key = did_key(bytes(range(32)))
    texts = [[f"byline-key={key}"], ["did=did:key:z", "6Mk"], [""]]
    rows = [" ".join(f'"{one}"' for one in row) for row in texts]
    question = dns.message.make_query(DNS_NAME, "TXT")
    made = []
    for names in ((DNS_NAME,), (DNS_NAME, "b.example."), ()):
        answer = dns.message.make_response(question)
        for name, alias in pairwise(names):
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", alias))
        if names:
            answer.answer.append(dns.rrset.from_text(names[-1], 60, "IN", "TXT", *rows))
        made.append(answer.to_wire())
    return [*made, question.to_wire()[:-1]]


def pictures() -> list[bytes]:
    """A slope of greys in each format that is read, and in modes with a way of
    their own."""
    grey = Image.linear_gradient("L").resize((24, 16)).rotate(30)
    colour = grey.convert("RGB")
    plain = Image.new("L", (24, 16))
    made = [written(grey, form) for form in ("PNG", "JPEG", "GIF", "TIFF", "PPM")]
    made += [written(colour, form) for form in ("BMP", "WEBP", "AVIF")]
    made += [written(grey.convert(mode), "PNG") for mode in ("P", "LA", "I;16")]
    return [*made, written(plain, "PNG"), b"GIF89a of nothing", b"\x00\x01\x02"]


def written(image: Image.Image, form: str) -> bytes:
    """The bytes of an image file."""
    out = BytesIO()
    image.save(out, form)
    return out.getvalue()


def texts() -> list[bytes]:
    """Long enough to compare in two encodings, and one that is not."""
    words = "a word and another one " * 25
    return [words.encode(), words.encode("utf-16"), b"short"]


def tables() -> list[bytes]:
    """Manifests, one with values of types that no column of ours has."""
    full = {
        "digest": ["ab" * 32],
        "path": ["a"],
        "bytes": [1],
        "media-type": ["text/plain"],
        "license": ["MIT"],
        "url": ["https://a.example"],
    }
    dates = pa.array([1, 1 << 62], pa.timestamp("us"))
    short = {"digest": [bytes(32), None], "bytes": dates}
    return [table(full), table(short), table({"path": ["no digest"]}), b"PAR1"]


def table(columns: dict[str, Any]) -> bytes:
    """The bytes of a Parquet file."""
    out = BytesIO()
    pq.write_table(pa.table(columns), out, compression="none", store_schema=False)
    return out.getvalue()
