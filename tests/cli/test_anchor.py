"""`byline anchor`: files beside a checkpoint, and what is said of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.program import Program
from tests.support.memory_log import MemoryLog
from tests.support.services import Authority, calendar, serving

from byline_ledger.log import Ledger

NOTE = MemoryLog(1).checkpoint


@pytest.fixture
def byline(tmp_path: Path) -> Program:
    program = Program(tmp_path)
    program.write("checkpoint", NOTE)
    return program


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def test_an_authority_stamps_the_checkpoint_of_this_node(
    byline: Program, authority: Authority
) -> None:
    ledger = Ledger.init(byline.home / "node")
    origin, note = ledger.view.origin, ledger.view.checkpoint
    ledger.close()
    byline.write("root.pem", authority.root())
    with serving(authority.service) as url:
        done = byline("anchor", "stamp", "mine", "--from-node", "--tsa", url)
    assert done.code == 0, done.err
    assert (byline.folder / "mine").read_bytes() == note
    found = byline("anchor", "verify", "mine.tsr", "mine", "--tsa-cert", "root.pem")
    assert found.code == 0, found.err
    assert f"A checkpoint that names {origin} at 1 entry:" in found.out
    assert "existed by 2" in found.out
    assert "according to CN=Authority for tests" in found.out
    assert "no evidence that the log is consistent" in found.out
    other = byline(
        "anchor", "verify", "mine.tsr", "checkpoint", "--tsa-cert", "root.pem"
    )
    assert other.code == 1
    assert "existed by" not in other.out


def test_a_calendar_stamps_and_attests_later(byline: Program) -> None:
    with calendar() as server:
        done = byline(
            "anchor", "stamp", "checkpoint", "--ots", "--calendar", server.url, "--json"
        )
        assert done.code == 0, done.err
        assert done.json == {"anchor": "checkpoint.ots", "checkpoint": "checkpoint"}
        asking = ("anchor", "upgrade", "checkpoint.ots", "--calendar", server.url)
        waiting = byline(*asking)
        assert waiting.code == 3
        assert "attested to nothing of it yet" in waiting.complaint
        server.height = 800_000
        assert byline(*asking).code == 0
    found = byline("anchor", "verify", "checkpoint.ots", "checkpoint", "--json")
    assert found.code == 0, found.err
    assert found.json["kind"] == "opentimestamps"
    assert found.json["existed_by"] is None
    assert any("Bitcoin block 800000" in one for one in found.json["unchecked"])
    told = byline("anchor", "verify", "checkpoint.ots", "checkpoint").out
    assert "No time is proven here" in told


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("stamp", "checkpoint"), 2, "either --tsa URL or --ots"),
        (("stamp", "checkpoint", "--ots", "--tsa", "http://a"), 2, "either --tsa URL"),
        (("stamp", "checkpoint", "--tsa", "http://a", "--calendar", "b"), 2, "--ots"),
        (("stamp", "checkpoint", "--ots"), 2, "1 to 8 calendars"),
        (("stamp", "checkpoint", "--tsa", "nowhere"), 2, "expected a URL"),
        (("stamp", "nothing", "--tsa", "http://127.0.0.1:1"), 3, "does not exist"),
        (("stamp", "junk", "--tsa", "http://127.0.0.1:1"), 65, "expected a note"),
        (("stamp", "checkpoint", "--tsa", "http://127.0.0.1:1"), 69, "reached"),
        (("stamp", "c", "--out", "junk", "--tsa", "http://a"), 2, "junk exists"),
        (("stamp", "junk", "--from-node", "--tsa", "http://a"), 2, "junk exists"),
        (("upgrade", "junk", "--calendar", "http://127.0.0.1:1"), 65, "OpenTimestamps"),
        (("verify", "junk", "checkpoint", "--tsa-cert", "junk"), 65, "RFC 3161"),
        (("verify", "checkpoint", "junk"), 65, "junk is no checkpoint: expected a no"),
        (("verify", "checkpoint.tsr", "checkpoint"), 3, "does not exist"),
    ],
)
def test_what_cannot_be_is_told_in_one_line_and_leaves_nothing(
    byline: Program, arguments: tuple[str, ...], code: int, says: str
) -> None:
    byline.write("junk", b"anything")
    before = {path.name for path in byline.folder.iterdir()}
    done = byline("anchor", *arguments)
    assert (done.code, done.out) == (code, "")
    assert says in done.complaint
    assert {path.name for path in byline.folder.iterdir()} == before
