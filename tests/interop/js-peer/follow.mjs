// Follows a log to its end and checks every byte: docs/spec/network.md, "Follow".
//
// The follower does no input or output: `round` is a generator that yields requests and
// is given responses.  It has no log of its own and does not compare sets; it reads.

import { Fault, require } from "./fault.mjs";
import {
  Frontier,
  leafHash,
  openCheckpoint,
  parseEntry,
  parseVerifier,
  setRoot,
  verifyConsistency,
} from "./log.mjs";
import { decode, encode } from "./msgpack.mjs";
import { Statement } from "./statement.mjs";

export const FOLLOW = "/byline/follow/2";
export const MOST = { request: 500_000, response: 1_100_000 };
const IDS = 4_096;

// Responses: each kind by its keys, in their order

const isBytes = (most) => (value) => value instanceof Uint8Array && value.length <= most;
const isText = (most) => (value) => typeof value === "string" && [...value].length <= most;
const isTrue = (value) => value === true;
const isArray = (most, isItem) => (value) =>
  Array.isArray(value) && value.length <= most && value.every(isItem);
const isHashes = isArray(128, (value) => isBytes(32)(value) && value.length === 32);
const isStrings = (value) => isBytes(16 * 72)(value) && value.length % 72 === 0;
const [note, vkey, entry] = [isBytes(65_536), isText(1_024), isBytes(64)];

const RESPONSES = [
  { equal: isTrue },
  { same: isTrue },
  { error: isText(200) },
  { entry, frontier: isHashes },
  { entry, frontier: isHashes, note, vkey },
  { entries: isArray(256, isBytes(Infinity)), note, proof: isHashes },
  { note, proof: isHashes, vkey },
  { entries: isArray(16_384, isBytes(Infinity)), proof: isHashes },
  { envelopes: isArray(IDS, isBytes(Infinity)) },
  { nodes: isArray(4_096, isBytes(40_000)) },
  { absent: isArray(4_096, isBytes(8)), strings: isArray(4_096, isStrings) },
];

export function parseResponse(bytes) {
  const fields = decode(bytes, { depth: 2 });
  require(fields instanceof Map, "a response is a map");
  const keys = String([...fields.keys()]);
  const kind = RESPONSES.find((one) => String(Object.keys(one)) === keys);
  require(kind !== undefined, `no response has the keys ${keys}`);
  for (const [key, holds] of Object.entries(kind)) require(holds(fields.get(key)), key);
  if (fields.has("absent")) {
    require(fields.get("absent").length === fields.get("strings").length, "a bitmap for each leaf");
  }
  return Object.fromEntries(fields);
}

/** The response, if it has all these keys; a refusal is told as such. */
function expect(response, ...keys) {
  if (response.error !== undefined) throw new Fault("not-found", response.error);
  require(keys.every((key) => key in response), `an answer with ${keys}`);
  return response;
}

// The follower

export class Follower {
  cursor = null; // { verifier, checkpoint, tree, strings, last }
  admitted = new Map(); // statements by id, in the order of the log
  gaps = [];
  wasEqual = false;

  /** One round: yields requests, takes responses, ends at the end of the log. */
  *round() {
    if (this.cursor === null) yield* this.meet(this.wasEqual ? Buffer.alloc(0) : this.setRoot);
    else if (this.cursor.tree.size < this.cursor.checkpoint.size) yield* this.head();
    else yield* this.next();
    while (this.cursor !== null && this.cursor.tree.size < this.cursor.checkpoint.size) {
      yield* this.page();
    }
  }

  get setRoot() {
    const strings = [...this.admitted.values()].flatMap(({ keys, id, entry: own }) =>
      keys.map((key) => Buffer.concat([key, own.subarray(33, 41), id])));
    return setRoot(strings.sort(Buffer.compare));
  }

  *meet(root) {
    const met = yield { ask: "meet", root };
    if (met.equal && root.length > 0) {
      this.wasEqual = true;
      return;
    }
    expect(met, "entry", "frontier", "note", "vkey");
    const verifier = parseVerifier(met.vkey);
    const checkpoint = openCheckpoint(met.note, verifier);
    require(checkpoint.size >= 1, "an empty log");
    const before = new Frontier(checkpoint.size - 1, met.frontier);
    const whole = before.append(leafHash(met.entry));
    require(whole.root.equals(checkpoint.root), "not what is in front of the checkpoint", "proof");
    requireCommitment(parseEntry(met.entry));
    // The known key signed nothing, so this one must be of another log.
    require(met.vkey !== this.cursor?.vkey, "not signed by its key", "bad-signature");
    const [tree, strings, last] = [new Frontier(), 0, null];
    this.cursor = { vkey: met.vkey, verifier, checkpoint, tree, strings, last };
  }

  *next() {
    const { checkpoint: seen, verifier } = this.cursor;
    const news = yield { ask: "next", from: seen.size };
    if (news.same) return;
    expect(news, "entries", "note", "proof");
    const checkpoint = yield* this.open(news.note, verifier);
    if (checkpoint === null) return;
    require(checkpoint.size >= seen.size, "the log went back", "verification");
    try {
      if (checkpoint.size === seen.size) {
        verifyConsistency(seen.size, seen.size, seen.root, checkpoint.root, []);
      }
      yield* this.take(news, checkpoint);
    } catch (error) {
      if (error.kind !== "proof") throw error;
      yield* this.head(); // shows whether the log or this answer is to blame
      throw error;
    }
  }

  /** A checkpoint; null where another log is met instead. */
  *open(bytes, verifier) {
    try {
      return openCheckpoint(bytes, verifier);
    } catch (error) {
      if (error.kind !== "bad-signature") throw error;
      yield* this.meet(Buffer.alloc(0));
      return null;
    }
  }

  *head() {
    const { checkpoint: seen, verifier } = this.cursor;
    const head = yield { ask: "head", from: seen.size };
    if (head.same) return;
    expect(head, "note", "proof", "vkey");
    const checkpoint = yield* this.open(head.note, verifier);
    if (checkpoint === null) return;
    require(checkpoint.size >= seen.size, "the log went back", "verification");
    try {
      verifyConsistency(seen.size, checkpoint.size, seen.root, checkpoint.root, head.proof);
    } catch (error) {
      throw error.kind === "proof" ? new Fault("inconsistent-log", error.message) : error;
    }
    this.cursor = { ...this.cursor, checkpoint };
  }

  *page() {
    const { checkpoint, tree } = this.cursor;
    const page = yield { ask: "entries", size: checkpoint.size, start: tree.size };
    yield* this.take(expect(page, "entries", "proof"), checkpoint);
  }

  /** Entries from where the cursor is, if they lead to the checkpoint; then statements. */
  *take({ entries, proof }, checkpoint) {
    let { tree } = this.cursor;
    require(entries.length > 0, "a page without entries");
    require(tree.size + entries.length <= checkpoint.size, "more entries than there are");
    for (const bytes of entries) tree = tree.append(leafHash(bytes));
    verifyConsistency(tree.size, checkpoint.size, tree.root, checkpoint.root, proof);
    const read = this.read(entries);
    if (tree.size === checkpoint.size) requireCommitment(parseEntry(entries.at(-1)));
    yield* this.fetch(read.wanted);
    this.cursor = { ...this.cursor, ...read.counted, checkpoint, tree };
  }

  /** What the entries of a page say, one by one. */
  read(entries) {
    const wanted = new Map();
    let { strings, last } = this.cursor;
    for (const bytes of entries) {
      const one = parseEntry(bytes);
      if (one.kind === "statement") {
        const id = one.id.toString("hex");
        require(!wanted.has(id), "a statement twice", "verification");
        wanted.set(id, bytes);
        strings += one.keys.length;
      } else if (one.kind === "commitment") {
        require(one.strings === strings, "a commitment that counts wrong", "verification");
        last = one;
      }
    }
    for (const [id, statement] of this.admitted) {
      if (!wanted.has(id)) continue;
      require(statement.entry.equals(wanted.get(id)), "another entry", "verification");
      wanted.delete(id);
    }
    return { wanted, counted: { strings, last } };
  }

  *fetch(wanted) {
    let rest = [...wanted];
    while (rest.length > 0) {
      const asked = rest.slice(0, IDS);
      const ids = Buffer.concat(asked.map(([id]) => Buffer.from(id, "hex")));
      const { envelopes } = expect(yield { ask: "statements", ids }, "envelopes");
      require(envelopes.length >= 1 && envelopes.length <= asked.length, "how many envelopes");
      envelopes.forEach((envelope, number) => this.admit(envelope, ...asked[number]));
      rest = rest.slice(envelopes.length);
    }
  }

  admit(envelope, id, logged) {
    if (envelope.length === 0) {
      this.gaps.push(id);
      return;
    }
    const statement = Statement.parse(envelope);
    require(statement.id.toString("hex") === id, "another statement", "verification");
    require(statement.entry.equals(logged), "another entry", "verification");
    this.admitted.set(id, statement.verify());
  }
}

function requireCommitment(one) {
  require(one.kind === "commitment", "the last leaf is no commitment", "verification");
}

/** Runs recorded sessions; each request must be the one that was recorded. */
export function replay(sessions) {
  const follower = new Follower();
  for (const session of sessions) {
    const round = follower.round();
    let step = round.next();
    for (const { request, response } of session) {
      if (step.done) throw new Error("fewer requests than recorded");
      const asked = encode(step.value).toString("hex");
      if (asked !== request) throw new Error(`asked ${asked}, recorded ${request}`);
      step = round.next(parseResponse(Buffer.from(response, "hex")));
    }
    if (!step.done) throw new Error("more requests than recorded");
  }
  return follower;
}
