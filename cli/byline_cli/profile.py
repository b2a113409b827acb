"""`byline profile`: what a key says of itself, and whether its names say so too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from byline_cli import known_names, output
from byline_cli.connect import connect
from byline_cli.files import read_file
from byline_cli.known_names import found_in
from byline_cli.naming import parse_key
from byline_cli.options import Json, Key, Out, WorkBits, examples, make_app
from byline_cli.saying import Manner, say, when
from byline_cli.signing import DEFAULT_KEY, find_key, made_recovery
from byline_cli.wording import field
from byline_ledger.content_keys import ProfileContent, profile_fields
from byline_ledger.did import did_key
from byline_ledger.digest import cid_of_statement
from byline_ledger.errors import NotFoundError, UsageError, VerificationError
from byline_ledger.name_check import CONFIRMED, REFUTED
from byline_ledger.name_proofs import NameProof, require_name
from byline_ledger.sshsig import MAX_ARMOUR, NAMESPACE, SshSignature
from byline_ledger.vocabulary import NAME_METHODS
from byline_node.called import Called
from byline_node.errors import NodeUnavailableError
from byline_node.key_story import KeyStory, read_story
from byline_node.name_book import Page
from byline_node.name_fetch import Ways, parse_address, parse_way
from byline_node.names import Checked
from byline_node.names import check as check_now

app = make_app("Say who a key is, and check who others say they are.")

KeyArgument = Annotated[str, typer.Argument(metavar="KEY", hidden=True)]


@app.command(
    "set",
    epilog=examples(
        "byline profile set --name 'Mara Voss' --proof domain-file=studio.example",
    ),
)
def set_profile(
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="TEXT", help="What you call yourself."),
    ] = None,
    links: Annotated[
        list[str] | None,
        typer.Option("--link", metavar="URL", help="Where you are. Repeatable."),
    ] = None,
    proofs: Annotated[
        list[str] | None,
        typer.Option(
            "--proof",
            metavar="METHOD=NAME",
            help="A name that points back at the key: domain-file=studio.example,"
            " dns-txt=…, did-web=…, atproto=…. Repeatable.",
        ),
    ] = None,
    ssh: Annotated[
        list[str] | None,
        typer.Option(
            "--ssh",
            metavar="FORGE/USER=FILE",
            help="A forge that publishes your SSH key, and a signature by that. "
            "Repeatable.",
        ),
    ] = None,
    recovery: Annotated[
        str | None,
        typer.Option(
            "--recovery",
            metavar="KEY",
            help="The key that may name a successor. Usually the one that key new"
            " --recovery made.",
        ),
    ] = None,
    afresh: Annotated[
        bool,
        typer.Option("--afresh", help="Take nothing over from the profile so far."),
    ] = False,
    work_bits: WorkBits = None,
    out: Out = None,
    key_name: Key = DEFAULT_KEY,
    as_json: Json = False,
) -> None:
    """Publish a profile of your key. What you leave out is taken over from the last.

    Names that you prove must name your key, each at its place: byline profile where
    shows what to put there. A recovery key is announced once and for all.
    """
    public = find_key(key_name).public
    before = None if afresh or out is not None else profile_so_far(public)
    named = [parse_proof(one) for one in proofs or []]
    named += [parse_ssh(one, public) for one in ssh or []]
    chosen = parse_key(recovery) if recovery is not None else made_recovery(key_name)
    if chosen is None and before is not None:
        chosen = before.recovery
    if before is not None:
        name = before.name if name is None else name
        links = list(before.links) if links is None else links
        named = merged(before.proofs, named)
    fields = profile_fields(
        key=public,
        name=name,
        links=links or (),
        recovery=chosen,
        proofs=named,
        **when(),
    )
    if not {"name", "links", "recovery", "proofs"} & set(fields):
        raise UsageError("a profile of what?", hint="say --name, or see --help")
    rows = [f"Announced the recovery key {did_key(chosen)}."] if chosen else []
    say(
        "Published the profile",
        fields,
        Manner(key_name, work_bits, out, as_json),
        sense=lambda client, _: require_recovery(read_story(client, public), chosen),
        unless_said="last",
        rows=(*rows, *(where_to(one, public) for one in named)),
    )


def profile_so_far(public: bytes) -> ProfileContent | None:
    """The profile of one's own key that is in force."""
    with connect(tell=False) as client:
        profile = read_story(client, public).profile
    return profile.content if profile is not None else None


def merged(before: tuple[NameProof, ...], named: list[NameProof]) -> list[NameProof]:
    """The old proofs and the new; of one name the new one."""
    found = {(one.method, one.name): one for one in (*before, *named)}
    return list(found.values())


def parse_proof(text: str) -> NameProof:
    """`METHOD=NAME`."""
    method, equals, name = text.partition("=")
    if not equals:
        raise UsageError(
            f"--proof {text[:80]}: expected METHOD=NAME",
            hint=f"methods are {', '.join(NAME_METHODS)}",
        )
    if method == "ssh":
        raise UsageError(
            "--proof ssh: a forge's key must have signed",
            hint="say --ssh FORGE/USER=FILE with the signature; byline profile where"
            " shows how it is made",
        )
    require_name(method, name)
    return NameProof(method, name)


def parse_ssh(text: str, public: bytes) -> NameProof:
    """`FORGE/USER=FILE`, with a signature that holds."""
    name, equals, file = text.partition("=")
    if not equals or not file:
        raise UsageError(f"--ssh {text[:80]}: expected FORGE/USER=FILE")
    require_name("ssh", name)
    armour = read_file(Path(file), MAX_ARMOUR).decode("utf-8", "replace")
    signature, blob = SshSignature.from_armour(armour)
    signature.verify_for(public)
    return NameProof("ssh", name, blob)


def require_recovery(story: KeyStory, chosen: bytes | None) -> None:
    """A recovery key is announced once; and a key that ended announces nothing."""
    state = story.state
    if state.ends is not None:
        raise UsageError(
            f"the key ended in entry {state.ends}: what it says now counts for nothing",
            hint="publish the profile of the key that follows it: --key NAME",
        )
    announced = state.recovery
    if chosen is not None and announced is not None and chosen != announced:
        raise UsageError(
            f"the recovery key is {did_key(announced)} already, and stays it",
            hint="to have another, rotate to a new key with a recovery key of its own",
        )


@app.command()
def where(
    key_name: Annotated[
        str,
        typer.Option("--key", metavar="NAME", help="The key of yours that is meant."),
    ] = DEFAULT_KEY,
    as_json: Json = False,
) -> None:
    """Show what has to stand where, so that names point back at your key."""
    public = find_key(key_name).public
    key = did_key(public)
    sign = (
        f"printf %s {key} | ssh-keygen -Y sign -n {NAMESPACE.decode()}"
        " -f ~/.ssh/id_ed25519 > byline.sig"
    )
    places = {
        "domain-file": 'https://DOMAIN/.well-known/byline.json: {"keys": ["'
        + key
        + '"]}',
        "dns-txt": f"TXT record of _byline.DOMAIN: byline-key={key}",
        "did-web": f'did.json: "alsoKnownAs": ["{key}"]',
        "atproto": f'the DID document, behind "at://HANDLE": "{key}"',
        "ssh": f"{sign} (then --ssh FORGE/USER=byline.sig)",
    }
    rows = [f"  {method:<13} {text}" for method, text in places.items()]
    output.result(as_json, {"key": key, "places": places}, [key, *rows])


def where_to(proof: NameProof, public: bytes) -> str:
    """What has to be there for one name of a new profile."""
    key = did_key(public)
    if proof.method == "domain-file":
        place = f"https://{proof.name}/.well-known/byline.json"
        return f'{place} must be {{"keys": ["{key}"]}}'
    if proof.method == "dns-txt":
        return f"_byline.{proof.name} must have the TXT record byline-key={key}"
    if proof.method == "ssh":
        return f"https://{proof.name}.keys must have the SSH key that signed"
    return f"the DID document of {proof.name} must name {key}"


@app.command()
def show(key: KeyArgument, as_json: Json = False) -> None:
    """Show what a key says of itself, and what checks of its names found so far.

    KEY is a did:key, or the name of a key of yours. Nothing is fetched from those
    names.
    """
    public = parse_key(key)
    with connect(make=False) as client:
        story = read_story(client, public)
    require_profile(story)
    remember(story)
    page = known_names.book().page(public)
    output.result(as_json, to_json(story, page), describe(story, page))


@app.command()
def check(
    key: KeyArgument,
    only: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="NAME", help="Only this one. Repeatable."),
    ] = None,
    ways: Annotated[
        list[str] | None,
        typer.Option(
            "--resolve",
            metavar="HOST=ADDRESS:PORT",
            help="Where a host of your own network is. Repeatable.",
        ),
    ] = None,
    ca_file: Annotated[
        Path | None,
        typer.Option(
            "--ca-file",
            metavar="FILE",
            help="Authorities of certificates to go by.",
            dir_okay=False,
        ),
    ] = None,
    name_server: Annotated[
        str | None,
        typer.Option(
            "--name-server", metavar="ADDRESS:PORT", help="The resolver to ask."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Ask the names of a key, now, whether they point back at it; keep what they say.

    Those names learn that somebody asks. Each takes 40 seconds at most. Ends with code
    1 if one does not name the key, 69 if one could not be reached.
    """
    reach = Ways(
        hosts=dict(parse_way(one) for one in ways or []),
        ca_file=ca_file,
        name_server=parse_address(name_server) if name_server else None,
    )
    public = parse_key(key)
    with connect(make=False) as client:
        story = read_story(client, public)
    profile = require_profile(story)
    remember(story)
    wanted = chosen(profile, only)
    results = look(wanted, public, reach)
    page = known_names.book().page(public)
    output.result(as_json, to_json(story, page), describe(story, page))
    outcomes = {one.finding.outcome for one in results}
    if REFUTED in outcomes:
        raise typer.Exit(VerificationError.exit_code)
    if outcomes - {CONFIRMED}:
        raise typer.Exit(NodeUnavailableError.exit_code)


def chosen(profile: ProfileContent, only: list[str] | None) -> list[NameProof]:
    """The proofs to check; UsageError for a name that the profile lacks."""
    if not profile.proofs:
        raise NotFoundError("its profile names nothing that could be checked")
    known = {one.name for one in profile.proofs}
    for name in only or ():
        if name not in known:
            raise UsageError(output.no_such("name of that key", name, known))
    return [one for one in profile.proofs if only is None or one.name in only]


def look(wanted: list[NameProof], public: bytes, ways: Ways) -> list[Checked]:
    """Check one after another; each result is kept at once."""
    book, found = known_names.book(), []
    with output.progress("Asking", len(wanted), unit="names") as advance:
        for proof in wanted:
            checked = check_now(proof, public, ways)
            book.record(public, proof, checked)
            found.append(checked)
            advance(1)
    return found


def require_profile(story: KeyStory) -> ProfileContent:
    """The profile in force, else NotFoundError that says why there is none."""
    if story.profile is not None:
        return story.profile.content
    late = story.state.ends is not None
    reason = f"; it ended in entry {story.state.ends}" if late else ""
    raise NotFoundError(
        f"no profile of {did_key(story.key)} is in force here{reason}",
        hint="byline key history shows what was said about it",
    )


def remember(story: KeyStory) -> None:
    """Keep the display name, so that another that looks like it is noticed."""
    profile = story.profile
    if profile is not None:
        known_names.book().show(story.key, profile.content.name or "")


def describe(story: KeyStory, page: Page) -> Iterator[output.Line]:
    """A profile for people."""
    profile = story.profile
    assert profile is not None
    content = profile.content
    yield (known_names.with_own_name(story.key), "head")
    yield field(
        "calls itself", f"“{output.safe(content.name)}”" if content.name else "-"
    )
    called = {story.key: Called(content.name or "")}
    for doubt in known_names.lookalikes(called, {}).get(story.key, ()):
        yield (field("", output.safe(doubt)), "doubt")
    for link in content.links:
        yield field("link", output.safe(link))
    recovery = story.state.recovery
    yield field("recovery key", did_key(recovery) if recovery else "none was announced")
    for one in content.proofs:
        yield from proof_rows(one, page)
    for problem in content.problems:
        yield (field("problem", output.safe(problem)), "doubt")
    cid = cid_of_statement(profile.record.statement.id)
    yield (field("profile", f"{cid}, entry {profile.record.index}"), "quiet")


def proof_rows(proof: NameProof, page: Page) -> Iterator[output.Line]:
    """A name, and what was found when it was last asked."""
    name = output.safe(f"{proof.name} ({proof.method})")
    entry = page.find(proof.method, proof.name)
    if entry is None:
        yield (field("name", f"{name}: never checked"), "doubt")
        return
    is_good = entry.last.finding.outcome == CONFIRMED
    yield (
        field("name", f"{name}: {found_in(entry)}"),
        "good" if is_good else "doubt",
    )
    yield (field("", output.safe(entry.last.finding.reason)), "quiet")


def to_json(story: KeyStory, page: Page) -> dict[str, object]:
    """The same, for scripts."""
    profile = story.profile
    assert profile is not None
    content, recovery = profile.content, story.state.recovery
    return {
        "key": did_key(story.key),
        "name": content.name,
        "links": list(content.links),
        "recovery": did_key(recovery) if recovery else None,
        "names": [proof_json(one, page) for one in content.proofs],
        "problems": list(content.problems),
        "profile": cid_of_statement(profile.record.statement.id),
        "index": profile.record.index,
    }


def proof_json(proof: NameProof, page: Page) -> dict[str, object]:
    """One name, with the results that are kept."""
    entry = page.find(proof.method, proof.name)
    return {
        "method": proof.method,
        "name": proof.name,
        "results": [
            {
                "time": one.time,
                "outcome": one.finding.outcome,
                "reason": one.finding.reason,
                "fetched": [
                    {
                        "asked": step.asked,
                        "size": step.size,
                        "sha256": step.digest.hex(),
                        "via": step.via or None,
                    }
                    for step in one.finding.steps
                ],
            }
            for one in (entry.results if entry is not None else ())
        ],
    }
