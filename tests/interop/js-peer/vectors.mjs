// Holds this peer against the shared vectors: node vectors.mjs FOLDER
//
// Prints one JSON line for each group: how many cases agree, and those that do not.

import { readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { verify } from "./ed25519.mjs";
import { Fault, require } from "./fault.mjs";
import { parseBatch } from "./gossip.mjs";
import { parseResponse, replay } from "./follow.mjs";
import * as log from "./log.mjs";
import { decode, encode } from "./msgpack.mjs";
import { Statement } from "./statement.mjs";

const hex = (text) => Buffer.from(text, "hex");
const hashes = (texts) => texts.map(hex);

function same(one, two, what) {
  require(one === two, `${what} is ${one}, not ${two}`, "another value");
}

const GROUPS = {
  ed25519: ["ed25519.json", "cases", (one) => {
    const holds = verify(hex(one.public), hex(one.message), hex(one.signature));
    require(holds, "it does not hold", "bad-signature");
  }],
  encodings: ["statement.json", "encodings", (one) => {
    same(encode(decode(hex(one.bytes))).toString("hex"), one.bytes, "the encoding");
  }],
  envelopes: ["statement.json", "envelopes", (one) => {
    const statement = Statement.parse(hex(one.envelope)).verify();
    same(statement.id.toString("hex"), one.id, "the id");
  }],
  entries: ["log_entry.json", "parse", (one) => void log.parseEntry(hex(one.entry))],
  "entries of statements": ["log_entry.json", "statements", (one) => {
    same(Statement.parse(hex(one.envelope)).entry.toString("hex"), one.entry, "the entry");
  }],
  roots: ["log_tree.json", "roots", (one) => {
    const append = (tree, entry) => tree.append(log.leafHash(entry));
    const tree = hashes(one.leaves).reduce(append, new log.Frontier());
    same(tree.root.toString("hex"), one.root, "the root");
  }],
  inclusion: ["log_tree.json", "inclusion", (one) => {
    const { index, size } = one;
    log.verifyInclusion(index, size, hex(one.leaf), hashes(one.proof), hex(one.root));
  }],
  consistency: ["log_tree.json", "consistency", (one) => {
    const roots = [hex(one.old_root), hex(one.root)];
    log.verifyConsistency(one.old, one.size, ...roots, hashes(one.proof));
  }],
  notes: ["log_note.json", "parse", (one) => void log.parseNote(hex(one.note))],
  verifiers: ["log_note.json", "verifiers", (one) => void log.parseVerifier(one.vkey)],
  "signed notes": ["log_note.json", "verify", (one) => {
    log.verifyNote(log.parseNote(hex(one.note)), log.parseVerifier(one.vkey));
  }],
  checkpoints: ["log_checkpoint.json", "text", (one) => {
    log.parseCheckpoint(log.utf8(hex(one.text)));
  }],
  "signed checkpoints": ["log_checkpoint.json", "signed", (one) => {
    log.openCheckpoint(hex(one.note), log.parseVerifier(one.vkey));
  }],
  batches: ["network.json", "batches", (one) => {
    const { fresh, bad, unsupported } = parseBatch(hex(one.bytes));
    same(bad, one.bad, "the number of bad ones");
    same(unsupported, one.unsupported, "the number of unsupported ones");
    same(String(fresh.map(({ id }) => id.toString("hex"))), String(one.fresh), "what is fresh");
  }],
  responses: ["network.json", "responses", (one) => void parseResponse(hex(one.bytes))],
  sessions: ["network.json", "sessions", (one) => {
    if (one.known !== undefined) return "skipped: this peer has no log of its own";
    const follower = replay(one.sessions);
    const admitted = [...follower.admitted.keys()];
    same(String(admitted), String(one.admitted), "what was admitted");
    return undefined;
  }],
};

function decides(check, one) {
  try {
    return check(one) ?? "ok";
  } catch (error) {
    if (error instanceof Fault) return error.kind;
    throw error;
  }
}

export function* run(folder) {
  for (const [group, [file, list, check]] of Object.entries(GROUPS)) {
    const cases = JSON.parse(readFileSync(path.join(folder, file), "utf8"))[list];
    const found = cases.map((one) => ({ ...one, got: decides(check, one) }));
    const skipped = found.filter(({ got }) => got.startsWith("skipped"));
    const agree = found.filter(({ got, expect }) => got === expect);
    const others = found.filter((one) => !skipped.includes(one) && !agree.includes(one));
    const differ = others.map(({ name, expect, got }) => ({ name, expect, got }));
    yield { fact: "vectors", group, agree: agree.length, skipped: skipped.length, differ };
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  for (const line of run(process.argv[2])) console.log(JSON.stringify(line));
}
