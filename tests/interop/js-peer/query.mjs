// Asks for a proof bundle and checks a part of it: docs/spec/bundle.md.
//
// Checked is what needs neither opening nor chain: the checkpoint's signature, each
// statement's signature, and that each is where the bundle says in the log's tree.

import { Fault, require } from "./fault.mjs";
import { leafHash, nodeHash, openCheckpoint, parseEntry, parseVerifier } from "./log.mjs";
import { decode } from "./msgpack.mjs";
import { Statement } from "./statement.mjs";

export const QUERY = "/byline/query/1";
export const MOST = 40 * 1024 * 1024;
const KEYS =
  "asked,checkpoint,depth,earlier,first,format,inclusion,keys,log,opening,proof,redacted,statements,strings";

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
  require(bundle.format === "byline-bundle/3", "a format", "unsupported");
  require(bundle.asked.length === 1 && asked.equals(bundle.asked[0]), "an answer for another digest",
    "verification");
  const checkpoint = openCheckpoint(bundle.checkpoint, parseVerifier(bundle.log));
  const leaves = new Map();
  const take = (index, entry) => {
    require(index < checkpoint.size - 1, "a statement behind the commitment", "proof");
    require(!leaves.has(index), "two statements at one index", "proof");
    require(parseEntry(entry).kind === "statement", "an entry of a statement");
    leaves.set(index, leafHash(entry));
  };
  const statements = bundle.statements.map(([index, envelope]) => {
    const statement = Statement.parse(envelope).verify();
    take(index, statement.entry);
    return statement;
  });
  for (const [index, entry] of bundle.redacted) take(index, entry);
  verifyShared(leaves, checkpoint, bundle.inclusion);
  return { checkpoint, statements, strings: bundle.strings, log: bundle.log };
}

/** One proof for many leaves: docs/spec/bundle.md, "Shared proof". */
function verifyShared(leaves, { size, root }, proof) {
  require(proof.length % 32 === 0, "a proof of whole hashes");
  let at = 0;
  const subtree = (low, high, within) => {
    if (within.length === 0) {
      require(at + 32 <= proof.length, "a longer proof", "proof");
      at += 32;
      return proof.subarray(at - 32, at);
    }
    if (high - low === 1) return leaves.get(low);
    let half = 1;
    while (2 * half < high - low) half *= 2;
    const left = subtree(low, low + half, within.filter((index) => index < low + half));
    return nodeHash(left, subtree(low + half, high, within.filter((index) => index >= low + half)));
  };
  const found = leaves.size ? subtree(0, size, [...leaves.keys()]) : Buffer.from(root);
  require(at === proof.length && Buffer.from(root).equals(found), "the proof leads to the root", "proof");
}
