// Entries, tree, notes and checkpoints of a log: docs/spec/log.md.

import { Fault, malformed, require } from "./fault.mjs";
import { verify } from "./ed25519.mjs";
import { sha256 } from "./statement.mjs";

// Entries

export function parseEntry(bytes) {
  if (bytes[0] === 0 && bytes.length >= 42) {
    const keys = bytes[41];
    require(keys >= 2 && keys <= 66 && bytes.length === 42 + 32 * keys, "an entry's length");
    const list = Array.from({ length: keys }, (_, i) => bytes.subarray(42 + 32 * i, 74 + 32 * i));
    require(list.every((key, i) => i === 0 || Buffer.compare(list[i - 1], key) < 0), "order of keys");
    return { kind: "statement", id: bytes.subarray(1, 33), keys: list };
  }
  if (bytes[0] === 1 && bytes.length === 41) {
    const strings = bytes.readBigUInt64BE(1);
    require(strings < 1n << 63n, "a count");
    return { kind: "commitment", strings: Number(strings), root: bytes.subarray(9) };
  }
  if (bytes[0] === 2 && bytes.length >= 2 && bytes.length <= 1_025) {
    require(!/[\u0000-\u001f\u007f-\u009f]/.test(utf8(bytes.subarray(1))), "a control character");
    return { kind: "retirement" };
  }
  throw malformed("an entry of no kind");
}

// Tree

export const leafHash = (entry) => sha256(Buffer.of(0), entry);
export const nodeHash = (left, right) => sha256(Buffer.of(1), left, right);

/** The first `size` leaves, by the roots of their perfect subtrees, largest first. */
export class Frontier {
  constructor(size = 0, hashes = []) {
    require(hashes.length === ones(BigInt(size)), "a frontier of another length");
    Object.assign(this, { size, hashes });
  }

  append(leaf) {
    const hashes = [...this.hashes];
    let hash = leaf;
    for (let rest = BigInt(this.size); rest & 1n; rest >>= 1n) hash = nodeHash(hashes.pop(), hash);
    return new Frontier(this.size + 1, [...hashes, hash]);
  }

  get root() {
    if (this.size === 0) return sha256("");
    return this.hashes.reduceRight((right, left) => nodeHash(left, right));
  }
}

/** Whether leaf `index` of a tree has this hash. */
export function verifyInclusion(index, size, leaf, proof, root) {
  require(index < size, "a leaf beyond the tree", "proof");
  let [node, last, hash] = [BigInt(index), BigInt(size) - 1n, leaf];
  for (const sibling of proof) {
    require(last > 0n, "a proof too long", "proof");
    if (node & 1n || node === last) {
      hash = nodeHash(sibling, hash);
      while (!(node & 1n) && node > 0n) [node, last] = [node >> 1n, last >> 1n];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [node >> 1n, last >> 1n];
  }
  require(last === 0n && hash.equals(root), "it does not lead to the root", "proof");
}

/** Whether the tree of `size` leaves extends that of `old`; RFC 9162, 2.1.4.2. */
export function verifyConsistency(old, size, oldRoot, root, proof) {
  const holds = (condition) => require(condition, "the trees do not agree", "proof");
  holds(old <= size);
  if (old === 0) holds(oldRoot.equals(sha256("")));
  if (old === size) holds(oldRoot.equals(root));
  if (old === 0 || old === size) return holds(proof.length === 0);
  let [node, last] = [BigInt(old) - 1n, BigInt(size) - 1n];
  while (node & 1n) [node, last] = [node >> 1n, last >> 1n];
  const hashes = node === 0n ? [oldRoot, ...proof] : [...proof];
  holds(hashes.length > 0);
  let left = hashes.shift();
  let right = left;
  for (const hash of hashes) {
    holds(last > 0n);
    if (node & 1n || node === last) {
      [left, right] = [nodeHash(hash, left), nodeHash(hash, right)];
      while (!(node & 1n) && node > 0n) [node, last] = [node >> 1n, last >> 1n];
    } else {
      right = nodeHash(right, hash);
    }
    [node, last] = [node >> 1n, last >> 1n];
  }
  holds(last === 0n && left.equals(oldRoot) && right.equals(root));
}

const ones = (number) => number.toString(2).replaceAll("0", "").length;

// Lookup set

/** T(S) of sorted strings of 72 bytes. */
export function setRoot(strings) {
  if (strings.length <= 16) return sha256(Buffer.of(2), ...strings);
  const depth = commonBits(strings[0], strings.at(-1));
  const bit = (string) => (string[depth >> 3] >> (7 - (depth & 7))) & 1;
  const split = strings.findIndex((string) => bit(string) === 1);
  const [left, right] = [strings.slice(0, split), strings.slice(split)];
  const head = Buffer.alloc(19);
  head[0] = 3;
  head.writeUInt16BE(depth, 1);
  head.writeBigUInt64BE(BigInt(left.length), 3);
  head.writeBigUInt64BE(BigInt(right.length), 11);
  return sha256(head, prefix(strings[0], depth), setRoot(left), setRoot(right));
}

function commonBits(one, two) {
  const at = one.findIndex((byte, number) => byte !== two[number]);
  return 8 * at + Math.clz32(one[at] ^ two[at]) - 24;
}

export function prefix(bytes, bits) {
  const cut = Buffer.from(bytes.subarray(0, (bits + 7) >> 3));
  if (bits & 7) cut[cut.length - 1] &= 0xff << (8 - (bits & 7));
  return cut;
}

// Notes and checkpoints

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function utf8(bytes) {
  try {
    return decoder.decode(bytes);
  } catch {
    throw malformed("text that is not UTF-8");
  }
}

function base64(text) {
  const bytes = Buffer.from(text, "base64");
  require(bytes.toString("base64") === text, "base64");
  return bytes;
}

// Unicode White_Space.  JavaScript's \s is another set: it has U+FEFF and lacks U+0085.
const BLANKS = /[\u0009-\u000d \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

function checkName(name) {
  const length = Buffer.byteLength(name);
  require(length >= 1 && length <= 255 && !name.includes("+") && !BLANKS.test(name), "a name");
  require(!/[\u0000-\u001f]/.test(name), "a control character in a name");
}

const keyId = (name, material) => sha256(name, "\n", material).subarray(0, 4);

export function parseVerifier(text) {
  const [name, id, ...rest] = text.split("+");
  require(rest.length > 0, "a verifier key has three parts");
  checkName(name);
  const material = base64(rest.join("+"));
  require(material.length > 1 && id === keyId(name, material).toString("hex"), "a key's id");
  if (material[0] !== 1 && material[0] !== 4) throw new Fault("unsupported", "a key's type");
  require(material.length === 33, "a key's length");
  return { name, id, type: material[0], publicKey: material.subarray(1) };
}

export function parseNote(bytes) {
  require(bytes.length <= 1_000_000, "a note too long");
  const text = utf8(bytes);
  require(!/[\u0000-\u0009\u000b-\u001f]/.test(text), "a control character");
  const split = text.lastIndexOf("\n\n");
  require(split >= 0 && text.endsWith("\n"), "a note has a text and signatures");
  const lines = text.slice(split + 2).split("\n").slice(0, -1);
  require(lines.length >= 1 && lines.length <= 100, "1 to 100 signatures");
  const signatures = lines.map(parseSignature);
  const known = new Set(signatures.map(({ name, id }) => `${name}+${id}`));
  require(known.size === signatures.length, "a key signs twice");
  return { text: text.slice(0, split + 1), signatures };
}

function parseSignature(line) {
  const [dash, name, coded, ...rest] = line.split(" ");
  require(dash === "\u2014" && coded !== undefined && rest.length === 0, "a signature line");
  checkName(name);
  const bytes = base64(coded);
  require(bytes.length > 4, "a signature");
  return { name, id: bytes.toString("hex", 0, 4), signature: bytes.subarray(4) };
}

export function verifyNote(note, verifier) {
  const line = note.signatures.find(({ name, id }) => name === verifier.name && id === verifier.id);
  const holds = line && verifier.type === 1 &&
    verify(verifier.publicKey, Buffer.from(note.text), line.signature);
  require(holds, `not signed by ${verifier.name}`, "bad-signature");
}

export function parseCheckpoint(text) {
  const lines = text.split("\n");
  require(lines.length === 4 && lines[3] === "", "a checkpoint has three lines");
  checkName(lines[0]);
  require(lines[0] !== "cosignature/v1", "a reserved origin");
  require(/^(0|[1-9][0-9]{0,18})$/.test(lines[1]) && BigInt(lines[1]) < 1n << 63n, "a size");
  const root = base64(lines[2]);
  require(root.length === 32, "a root");
  return { origin: lines[0], size: Number(lines[1]), root };
}

/** The checkpoint in a note that this log signed. */
export function openCheckpoint(bytes, verifier) {
  const note = parseNote(bytes);
  verifyNote(note, verifier);
  const checkpoint = parseCheckpoint(note.text);
  require(checkpoint.origin === verifier.name, "of another log", "bad-signature");
  return checkpoint;
}
