// Statements: docs/spec/statement.md; the log entry that follows: docs/spec/log.md.

import { createHash, randomBytes } from "node:crypto";
import { Fault, malformed, require } from "./fault.mjs";
import { decode, encode } from "./msgpack.mjs";
import { verify } from "./ed25519.mjs";

const TYPE = "application/vnd.byline.statement.v1+msgpack";
const BODY = { most: 16_384, depth: 6, containers: 1_024 };
const ENVELOPE = 16_455;

export const sha256 = (...parts) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

export const multihash = (digest) => Buffer.concat([Buffer.of(0x12, 0x20), digest]);

/** What is signed: DSSE's pre-authentication encoding. */
export const preAuth = (body) =>
  Buffer.concat([Buffer.from(`DSSEv1 ${TYPE.length} ${TYPE} ${body.length} `), body]);

export class Statement {
  constructor(envelope, body, signature, fields) {
    Object.assign(this, { envelope, body, signature, fields, id: sha256(body) });
  }

  /** Parsed, its signature not yet verified. */
  static parse(envelope) {
    require(envelope.length <= ENVELOPE, "an envelope too long");
    const parts = decode(envelope);
    require(Array.isArray(parts) && parts.length > 0, "an envelope is an array");
    require(isInteger(parts[0]), "a version is an integer");
    if (parts[0] !== 1) throw new Fault("unsupported", `envelope version ${parts[0]}`);
    const [, body, signature] = parts;
    require(parts.length === 3 && isBinary(body) && isBinary(signature, 64), "not [1, body, signature]");
    require(body.length <= BODY.most, "a body too long");
    const fields = decode(body, BODY);
    checkFields(fields);
    return new Statement(envelope, body, signature, fields);
  }

  static make(fields, key) {
    const common = { author: key.publicKey, salt: randomBytes(16), time: Date.now() };
    const body = encode({ ...common, ...fields });
    return Statement.parse(encode([1, body, key.sign(preAuth(body))]));
  }

  verify() {
    const author = this.fields.get("author");
    require(verify(author, preAuth(this.body), this.signature), "it does not hold", "bad-signature");
    return this;
  }

  /** Lookup keys, ascending. */
  get keys() {
    const sources = this.fields.get("sources") ?? [];
    const keys = [
      lookup("byline/subject/v1", this.fields.get("about")),
      lookup("byline/author/v1", this.fields.get("author")),
      ...sources.map((source) => lookup("byline/source/v1", source.get("digest"))),
    ].sort(Buffer.compare);
    return keys.filter((key, number) => number === 0 || !key.equals(keys[number - 1]));
  }

  get entry() {
    const tag = lookup("byline/tag/v1", this.fields.get("author")).subarray(0, 8);
    const { keys } = this;
    return Buffer.concat([Buffer.of(0), this.id, tag, Buffer.of(keys.length), ...keys]);
  }
}

const lookup = (role, what) => sha256(role, Buffer.of(0), what);
const isBinary = (value, length) =>
  value instanceof Uint8Array && (length === undefined || value.length === length);
const isInteger = (value) => typeof value === "number" || typeof value === "bigint";
const isMultihash = (value) => isBinary(value, 34) && value[0] === 0x12 && value[1] === 0x20;
const isArray = (value, most) =>
  Array.isArray(value) && value.length >= 1 && value.length <= most;

function checkFields(fields) {
  require(fields instanceof Map, "a body is a map");
  const type = fields.get("type");
  require(typeof type === "string" && /^[a-z][a-z0-9.-]{0,63}$/.test(type), "type");
  require(isBinary(fields.get("author"), 32), "author");
  require(isInteger(fields.get("time")) && fields.get("time") < 1n << 63n, "time");
  require(isMultihash(fields.get("about")), "about");
  require(isBinary(fields.get("salt"), 16), "salt");
  if (fields.has("also")) {
    require(isArray(fields.get("also"), 8), "also");
    fields.get("also").forEach(checkOther);
  }
  if (fields.has("sources")) {
    require(isArray(fields.get("sources"), 64), "sources");
    fields.get("sources").forEach(checkSource);
  }
}

function checkSource(source) {
  require(source instanceof Map && isMultihash(source.get("digest")), "digest of a source");
  const word = source.get("relationship");
  const length = typeof word === "string" ? [...word].length : 0;
  require(length >= 1 && length <= 64, "relationship of a source");
}

/** A multihash of another function than SHA-256. */
function checkOther(value) {
  require(isBinary(value) && value.length <= 70, "also");
  const [code, behind] = varint(value, 0);
  const [length, start] = varint(value, behind);
  require(code !== 0x12n, "SHA-256 in also");
  require(length >= 1n && BigInt(value.length - start) === length, "length in also");
}

function varint(bytes, at) {
  let value = 0n;
  for (let shift = 0n; ; shift += 7n, at += 1) {
    require(at < bytes.length && shift < 63n, "a varint");
    value |= BigInt(bytes[at] & 0x7f) << shift;
    if (bytes[at] < 0x80) {
      if (bytes[at] === 0 && shift > 0n) throw malformed("a varint longer than it need be");
      return [value, at + 1];
    }
  }
}
