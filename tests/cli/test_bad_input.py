"""What goes wrong in the world is one clear line, its exit code, and harms nothing."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.program import Ended, Program

from byline_ledger.codec import join_array, pack, unpack
from byline_ledger.crypto import SigningKey
from byline_ledger.statement import STATEMENT_TYPE, Statement, pae
from byline_ledger.store import layout
from byline_ledger.store.leveldb import LevelStore
from byline_ledger.store.node_files import FolderLock, NodeFiles

PR_CAPBSET_DROP = 24
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
FILE_LIMIT = 40_000


@pytest.fixture
def byline(tmp_path: Path) -> Program:
    """The program with a key and one attested file, `photo.jpg`."""
    program = Program(tmp_path)
    program.new_key()
    program.write("photo.jpg", "a picture")
    assert program("attest", "photo.jpg", "--made", "human").code == 0
    return program


@pytest.fixture
def bundle(byline: Program) -> Path:
    """The proof about photo.jpg."""
    saved = byline("query", "photo.jpg", "--save", "photo.jpg.byline")
    assert saved.code == 0, saved.err
    return byline.folder / "photo.jpg.byline"


def sound(byline: Program, statements: int) -> bool:
    """Whether everything stored fits together and is all there."""
    found = byline("node", "check", "--json")
    return bool(found.json["ok"]) and found.json["statements"] == statements


def without_privilege() -> None:
    """Let not even root read what its mode forbids (in the child only)."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            assert libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0


def test_an_unreadable_file_is_named_and_the_rest_goes_on(byline: Program) -> None:
    """In a folder, with the code of a disk error at the end."""
    for name in ("a", "b", "c"):
        byline.write(f"set/{name}", f"file {name}")
    (byline.folder / "set/b").chmod(0)
    ended = byline.start(
        "attest", "set", "-r", "--made", "human", "--json", before=without_privilege
    )
    assert ended.code == 74, ended.err
    assert [Path(one["path"]).name for one in ended.json["attested"]] == ["a", "c"]
    (passed,) = ended.json["passed_over"]
    assert passed["path"] == "set/b"
    assert "Permission denied" in passed["reason"]


def test_an_unreadable_file_that_was_named_is_passed_over(byline: Program) -> None:
    """As one in a folder."""
    byline.write("new.jpg", "new")
    byline.write("secret.jpg", "hidden").chmod(0)
    ended = byline.start(
        *("attest", "secret.jpg", "new.jpg", "--made", "human"),
        before=without_privilege,
    )
    assert ended.code == 74, ended.err
    assert "secret.jpg: cannot be read: Permission denied" in ended.out
    assert "Attested 1 file" in ended.out
    ended = byline.start("verify", "secret.jpg", before=without_privilege)
    assert ended.code == 74
    assert ended.complaint == "cannot read secret.jpg: Permission denied"


def test_an_unreadable_file_alone_is_one_line(byline: Program) -> None:
    """Asked for by name."""
    byline.write("secret.jpg", "hidden").chmod(0)
    ended = byline.start("query", "secret.jpg", before=without_privilege)
    assert ended.code == 74
    assert ended.complaint == "cannot read secret.jpg: Permission denied"


@pytest.mark.parametrize("keep", [0, 1, 100, -1])
def test_a_truncated_bundle_is_malformed(
    byline: Program, bundle: Path, keep: int
) -> None:
    """Wherever it was cut."""
    cut = byline.write("cut.byline", bundle.read_bytes()[:keep])
    ended = byline("verify", cut.name, "photo.jpg")
    assert ended.code == 65
    assert ended.complaint.startswith("cut.byline is cut short or damaged (")


def test_another_file_in_place_of_a_proof_is_named(byline: Program) -> None:
    """With what belongs there."""
    ended = byline("verify", "photo.jpg")
    assert ended.code == 65
    assert ended.complaint.startswith("photo.jpg is not a saved proof; ")
    ended = byline("publish", "photo.jpg")
    assert ended.code == 65
    assert ended.complaint.startswith("photo.jpg holds no statements; ")


def test_statements_that_were_cut_are_named(byline: Program) -> None:
    """Not called something else."""
    byline("attest", "photo.jpg", "--made", "human", "--out", "whole")
    whole = (byline.folder / "whole").read_bytes()
    byline.write("cut", whole[:-9])
    ended = byline("publish", "cut")
    assert ended.code == 65
    assert ended.complaint.startswith("cut is cut short or damaged (")


def test_a_file_in_place_of_a_statement_id_is_named(byline: Program) -> None:
    """With the command that shows the id."""
    ended = byline("withdraw", "photo.jpg", "--reason", "mistaken")
    assert ended.code == 65
    assert ended.complaint == (
        "photo.jpg is a file, not the id of a statement; "
        "a STATEMENT-ID is needed; `byline query FILE` shows it"
    )


def test_withdrawing_the_same_again_is_refused(byline: Program) -> None:
    """Another reason is news."""
    byline.write("more.jpg", "more")
    made = byline("attest", "more.jpg", "--made", "human", "--json").json
    id_ = made["attested"][0]["id"]
    assert byline("withdraw", id_, "--reason", "mistaken").code == 0
    again = byline("withdraw", id_, "--reason", "mistaken")
    assert again.code == 2
    assert "already withdrawn on" in again.complaint
    assert byline("withdraw", id_, "--reason", "superseded").code == 0


def test_json_errors_are_one_object(byline: Program, bundle: Path) -> None:
    """Without a notice before it, and before anything is asked."""
    ended = byline("query", "photo.jpg", "--save", bundle.name, "--json")
    assert ended.code == 2
    assert "exists" in json.loads(ended.err)["error"]["message"]
    unknown = "sha256:" + "0" * 64
    assert byline("query", unknown, "--json").err == ""


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "127.0.0.1:9", "::::"])
def test_a_wrong_byline_node_is_named(byline: Program, address: str) -> None:
    """The URL and the variable."""
    for command in (("query", "photo.jpg"), ("node", "status")):
        ended = byline(*command, BYLINE_NODE=address)
        assert address in ended.complaint
        assert "BYLINE_NODE" in ended.complaint


def test_a_bundle_for_another_file_is_rejected(byline: Program, bundle: Path) -> None:
    """The file at hand is not the one that the proof is about."""
    byline.write("other.jpg", "another picture")
    ended = byline("verify", bundle.name, "other.jpg")
    assert ended.code == 1
    assert "The proof does NOT hold. right file: " in ended.out
    assert "Claimed by" not in ended.out


def test_every_kind_of_flipped_byte_is_rejected(byline: Program, bundle: Path) -> None:
    """At the start, in the middle, at the end: 1 or 65, never 0."""
    data = bundle.read_bytes()
    for at in (5, len(data) // 3, len(data) // 2, len(data) - 3):
        changed = bytearray(data)
        changed[at] ^= 1
        byline.write("bad.byline", bytes(changed))
        ended = byline("verify", "bad.byline", "photo.jpg")
        assert ended.code in (1, 65), at
        assert "The proof holds" not in ended.out


def test_a_bundle_of_another_version_is_unsupported(
    byline: Program, bundle: Path
) -> None:
    """It says so, and is not called malformed."""
    fields = unpack(bundle.read_bytes(), max_size=1 << 20, max_depth=3, what="bundle")
    assert isinstance(fields, dict)
    byline.write("new.byline", pack({**fields, "format": "byline-bundle/4"}))
    ended = byline("verify", "new.byline", "photo.jpg", "--json")
    assert ended.code == 65
    assert '"kind": "unsupported"' in ended.err


def test_a_locked_store_is_named_with_its_holder(byline: Program) -> None:
    """Two processes never write one log."""
    with FolderLock(NodeFiles(byline.home / "node").lock):
        for arguments in (
            ("attest", "photo.jpg", "--made", "human"),
            ("query", "photo.jpg"),
            ("node", "check"),
            ("node", "run"),
        ):
            ended = byline(*arguments)
            assert ended.code == 74, arguments
            assert f"is in use by process {os.getpid()}; " in ended.complaint
    assert sound(byline, 1)


@pytest.mark.parametrize(
    "arguments",
    [
        ("query", "photo.jpg"),
        ("node", "run"),
        ("attest", "photo.jpg", "--made", "human"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_store_of_another_version_is_left_alone(
    byline: Program, arguments: tuple[str, ...]
) -> None:
    """Neither read on a guess nor written."""
    database = NodeFiles(byline.home / "node").database
    write_version(database, b"byline-store/9")
    ended = byline(*arguments)
    assert ended.code == 74
    assert "byline-store/9" in ended.complaint
    write_version(database, layout.STORE_VERSION)
    assert sound(byline, 1)


def write_version(database: Path, version: bytes) -> None:
    store = LevelStore.open(database, False)
    store.write([(layout.VERSION, version)])
    store.close()


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port of loopback that somebody else listens on."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


@pytest.mark.parametrize("which", ["api", "listen"])
def test_a_port_in_use_is_named(byline: Program, taken_port: int, which: str) -> None:
    """That of the API and that for other nodes."""
    options = {"api": "127.0.0.1:0", "listen": "/ip4/127.0.0.1/tcp/0"}
    options[which] = options[which][:-1] + str(taken_port)
    ended = byline(
        "node", "run", "--api", options["api"], "--listen", options["listen"]
    )
    assert ended.code == 78
    assert str(taken_port) in ended.complaint
    assert f"--{which}" in ended.complaint
    assert sound(byline, 1)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--listen", "127.0.0.1:4737"),
        ("--peer", "/ip4/127.0.0.1/tcp/4737"),
        ("--api", "localhost"),
        ("--api", "127.0.0.1:99999"),
    ],
)
def test_an_address_in_the_wrong_form_is_a_configuration_error(
    byline: Program, option: str, value: str
) -> None:
    """With an example of the right one."""
    ended = byline("node", "run", option, value)
    assert ended.code == 78
    assert value in ended.complaint


def test_a_broken_node_toml_is_a_configuration_error(byline: Program) -> None:
    """It names the file."""
    (byline.home / "node/node.toml").write_text("listen = [")
    ended = byline("node", "run")
    assert ended.code == 78
    assert "node.toml is not TOML" in ended.complaint


def limit_files() -> None:
    """No file may grow beyond FILE_LIMIT: to the program, a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, FILE_LIMIT))


def test_a_full_disk_is_one_line_and_harms_nothing(byline: Program) -> None:
    """What was in the log stays, and attesting works again when there is room."""
    for number in range(300):
        byline.write(f"set/{number}", f"file {number}")
    ended = byline.start("attest", "set", "-r", "--made", "human", before=limit_files)
    assert ended.code == 74, ended.err
    assert "full" in ended.complaint
    assert byline("query", "photo.jpg").code == 0
    again = byline("attest", "set", "-r", "--made", "human", "--json")
    assert again.code == 0, again.err
    assert len(again.json["attested"]) + len(again.json["earlier"]) == 300
    assert sound(byline, 301)


def test_a_file_system_without_room_is_one_line(tmp_path: Path) -> None:
    """A real one of 200 kB, where such a one can be mounted; else a limit of files."""
    program = Program(tmp_path)
    program.new_key()
    for number in range(400):
        program.write(f"set/{number}", f"file {number}")
    arguments = ("attest", "set", "-r", "--made", "human")
    node = program.home / "node"
    node.mkdir()
    mount = f"mount -t tmpfs -o size=200k tmpfs {node} && echo mounted"
    inner = " ".join(program.command(*arguments))
    done = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", f"{mount} && {inner}"],
        cwd=tmp_path,
        env=program.environment,
        capture_output=True,
        timeout=60,
        check=False,
    )
    ended = Ended(done.returncode, done.stdout.decode(), done.stderr.decode())
    if not ended.out.startswith("mounted"):
        ended = program.start(*arguments, before=no_files)
    assert ended.code == 74, ended.err
    assert "full" in ended.complaint


def no_files() -> None:
    """No file may have a byte."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def signed(fields: dict[str, object], key: SigningKey) -> Statement:
    """A statement with a good signature over whatever the fields say."""
    body = pack({**fields, "author": key.public})  # type: ignore[dict-item]
    return Statement.from_parts(body, key.sign(pae(STATEMENT_TYPE, body)))


def test_an_unknown_type_with_unknown_fields_is_kept_and_shown(
    byline: Program,
) -> None:
    """Old programs carry new statements."""
    key = SigningKey.from_seed(bytes(32))
    digest = bytes.fromhex(
        byline("query", "photo.jpg", "--json")
        .json["answer"]["asked"]
        .removeprefix("sha256:")
    )
    statement = signed(
        {
            "type": "review.v9",
            "time": 1,
            "about": b"\x12\x20" + digest,
            "salt": bytes(16),
            "stars": 5,
        },
        key,
    )
    byline.write("new.statements", join_array([statement.to_envelope()]))
    assert byline("publish", "new.statements").code == 0
    shown = byline("query", "photo.jpg")
    assert "“review.v9” said by did:key:" in shown.out
    asked = byline("query", "photo.jpg", "--json").json
    (remark,) = asked["answer"]["works"][0]["remarks"]
    assert remark["fields"]["stars"] == 5


def test_a_body_of_17_kib_is_malformed(byline: Program) -> None:
    """And nothing of its file is published."""
    good = SigningKey.from_seed(bytes(32))
    body = pack({"a": b"x" * 17 * 1024, "author": good.public})
    envelope = b"\x93\x01\xc5" + len(body).to_bytes(2, "big") + body + b"\xc4\x40"
    byline.write("big.statements", join_array([envelope + bytes(64)]))
    ended = byline("publish", "big.statements")
    assert ended.code == 65
    assert "at most 16384 bytes" in ended.complaint
    assert sound(byline, 1)


def test_non_canonical_bytes_are_malformed(byline: Program) -> None:
    """An integer in a longer form than it needs."""
    byline.write(
        "odd.statements", b"\x91\x93\x01\xc4\x03\x81\xa1\x61" + b"\xc4\x40" * 33
    )
    ended = byline("publish", "odd.statements")
    assert ended.code == 65
    assert sound(byline, 1)


def test_a_key_file_that_others_may_read_is_refused(byline: Program) -> None:
    """With the command that mends it."""
    (byline.home / "keys/default.key").chmod(0o644)
    ended = byline("attest", "photo.jpg", "--made", "human")
    assert ended.code == 2
    assert "chmod 600" in ended.complaint


def test_a_policy_that_is_no_policy_is_malformed(byline: Program, bundle: Path) -> None:
    """It names the file."""
    byline.write("policy", "trust everybody\n")
    ended = byline("verify", bundle.name, "photo.jpg", "--policy", "policy")
    assert ended.code == 65
    assert ended.complaint.startswith("policy: ")


@pytest.mark.parametrize(
    ("redirection", "code", "complaint"),
    [
        ("> /dev/full", 74, "cannot be written: No space left on device"),
        ("| true", 0, ""),
        (">&-", 0, ""),
    ],
    ids=["full", "left", "closed"],
)
def test_output_that_nobody_takes(
    byline: Program, redirection: str, code: int, complaint: str
) -> None:
    """The work is done; a result that was lost is said, a reader that left is not."""
    command = " ".join(byline.command("query", "photo.jpg", "--json"))
    done = subprocess.run(
        ["bash", "-c", f"{command} {redirection}; exit ${{PIPESTATUS[0]}}"],
        cwd=byline.folder,
        env=byline.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("attest", "", "-r", "--made", "human"),
        ("attest", "photo.jpg", "--made", "human", "--from", ""),
        ("publish", ""),
        ("query", ""),
    ],
)
def test_an_empty_path_is_not_the_folder_that_one_is_in(
    byline: Program, command: tuple[str, ...]
) -> None:
    """`byline attest "$NOT_SET" -r` would publish it, for good."""
    byline.write("private.txt", "nobody's business")
    ended = byline(*command)
    assert ended.code == 2
    assert "empty" in ended.err
    assert sound(byline, 1)


def test_a_damaged_guard_is_mended_by_recover_and_not_from_a_backup(
    byline: Program,
) -> None:
    (byline.home / "node" / "guard").write_bytes(b"")
    ended = byline("node", "check")
    assert ended.code == 74
    assert "byline node recover" in ended.out + ended.err
    assert "backup" not in ended.out + ended.err
    assert byline("node", "recover", "--nothing-lost").code == 0
    assert sound(byline, 1)
