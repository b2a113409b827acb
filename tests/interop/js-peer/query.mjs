// Asks for a proof bundle and checks a part of it: docs/spec/bundle.md.
//
// Checked is what needs neither opening nor chain: the checkpoint's signature, each
// statement's signature, and that each is where the bundle says in the log's tree.

import { Fault, require } from "./fault.mjs";
import { leafHash, openCheckpoint, parseEntry, parseVerifier, verifyInclusion } from "./log.mjs";
import { decode } from "./msgpack.mjs";
import { Statement } from "./statement.mjs";

export const QUERY = "/byline/query/1";
export const MOST = 40 * 1024 * 1024;
const KEYS = "asked,checkpoint,depth,earlier,format,log,opening,proof,redacted,statements,strings";

/** The bundle in a response. */
export function parseAnswer(bytes) {
  const answer = decode(bytes, { depth: 1 });
  require(answer instanceof Map && answer.size === 1, "an answer of one key");
  if (answer.has("busy")) throw new Fault("busy", `for ${answer.get("busy")} s`);
  if (answer.has("error")) throw new Fault("not-found", answer.get("error"));
  require(answer.get("bundle") instanceof Uint8Array, "a bundle");
  return answer.get("bundle");
}

/** What holds of a bundle about the multihash that was asked for. */
export function checkBundle(bytes, asked) {
  const fields = decode(bytes, { depth: 3 });
  require(fields instanceof Map && String([...fields.keys()]) === KEYS, "keys of a bundle");
  const bundle = Object.fromEntries(fields);
  require(bundle.format === "byline-bundle/2", "a format", "unsupported");
  require(asked.equals(bundle.asked), "an answer for another digest", "verification");
  const checkpoint = openCheckpoint(bundle.checkpoint, parseVerifier(bundle.log));
  const statements = bundle.statements.map(([index, envelope, proof]) => {
    const statement = Statement.parse(envelope).verify();
    include(index, checkpoint, statement.entry, proof);
    return statement;
  });
  return { checkpoint, statements, strings: bundle.strings, log: bundle.log };
}

function include(index, { size, root }, entry, proof) {
  require(index < size - 1, "a statement behind the commitment", "proof");
  require(proof.length % 32 === 0, "a proof of whole hashes");
  const count = proof.length / 32;
  const hashes = Array.from({ length: count }, (_, i) => proof.subarray(32 * i, 32 * i + 32));
  require(parseEntry(entry).kind === "statement", "an entry of a statement");
  verifyInclusion(index, size, leafHash(entry), hashes, root);
}
