"""Bundles inside pages of crowds: each answers for its own key and for nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.bundle_headline import asked_key
from tests.support.signed import key, work

from byline_ledger.bundle import build_shared
from byline_ledger.crowd_page import build_crowd_page
from byline_ledger.crowd_reader import CrowdReading
from byline_ledger.errors import ProofError
from byline_ledger.log import Ledger
from byline_ledger.query_messages import AskCrowd


@pytest.mark.parametrize("more", ["work", "key"])
def test_a_bundle_for_more_than_its_key_is_refused(tmp_path: Path, more: str) -> None:
    """A page has one bundle for each subject."""
    one, other = work("one", key(1)), work("other", key(2))
    ledger = Ledger.init(tmp_path / "log")
    ledger.append([one, other])
    view = ledger.view
    page = build_crowd_page(view, AskCrowd(b"", 0, 0))
    asked = [one.about, other.about] if more == "work" else [one.about]
    keys = [key(3).public] if more == "key" else []
    shared = build_shared(view, asked, depth=0, keys=keys)
    others = [b for b in page.bundles if asked_key(b) != asked_key(shared)]
    bundles = sorted([shared, *others], key=asked_key)
    ledger.close()
    spoiled = replace(page, bundles=tuple(bundles)).to_bytes()
    with pytest.raises(ProofError, match="for more than its key"):
        CrowdReading(one.about, 0, 0).take(spoiled)
