// Canonical MessagePack, as docs/spec/statement.md, "Encoding" has it.
//
// Maps are Map, binary is Buffer, integers are Number where that is exact, else BigInt.

import { malformed, require } from "./fault.mjs";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** The one value that `bytes` are. */
export function decode(bytes, limits = {}) {
  const reader = new Reader(bytes, limits);
  const value = reader.value(0);
  require(reader.at === bytes.length, "a byte behind the value");
  return value;
}

class Reader {
  constructor(bytes, { depth = 6, containers = Infinity }) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.at = 0;
    this.depth = depth;
    this.containers = containers;
  }

  take(count) {
    require(this.at + count <= this.bytes.length, "it ends within a value");
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  /** A length or integer of 1, 2, 4 or 8 bytes that would not fit into fewer. */
  number(width, least) {
    const taken = this.take(width);
    const value = width === 8 ? taken.readBigUInt64BE() : BigInt(taken.readUIntBE(0, width));
    require(value >= least, "a header longer than it need be");
    return value <= SAFE ? Number(value) : value;
  }

  value(depth) {
    const head = this.take(1)[0];
    if (head <= 0x7f) return head;
    if (head <= 0x8f) return this.map(head & 15, depth + 1);
    if (head <= 0x9f) return this.array(head & 15, depth + 1);
    if (head <= 0xbf) return this.text(head & 31);
    switch (head) {
      case 0xc2: return false;
      case 0xc3: return true;
      case 0xc4: return this.take(this.number(1, 0n));
      case 0xc5: return this.take(this.number(2, 256n));
      case 0xc6: return this.take(this.number(4, 65536n));
      case 0xcc: return this.number(1, 128n);
      case 0xcd: return this.number(2, 256n);
      case 0xce: return this.number(4, 65536n);
      case 0xcf: return this.number(8, 1n << 32n);
      case 0xd9: return this.text(this.number(1, 32n));
      case 0xda: return this.text(this.number(2, 256n));
      case 0xdb: return this.text(this.number(4, 65536n));
      case 0xdc: return this.array(this.number(2, 16n), depth + 1);
      case 0xdd: return this.array(this.number(4, 65536n), depth + 1);
      case 0xde: return this.map(this.number(2, 16n), depth + 1);
      case 0xdf: return this.map(this.number(4, 65536n), depth + 1);
      default: throw malformed(`a value that begins with ${head.toString(16)}`);
    }
  }

  text(length) {
    try {
      return utf8.decode(this.take(length));
    } catch (error) {
      throw error instanceof TypeError ? malformed("text that is not UTF-8") : error;
    }
  }

  enter(depth) {
    require(depth <= this.depth, "nested too deep");
    this.containers -= 1;
    require(this.containers >= 0, "too many maps and arrays");
  }

  array(length, depth) {
    this.enter(depth);
    const items = []; // grows with what is there, not with what is announced
    for (let number = 0; number < length; number += 1) items.push(this.value(depth));
    return items;
  }

  map(length, depth) {
    this.enter(depth);
    const items = new Map();
    let before = null;
    for (let number = 0; number < length; number += 1) {
      const key = this.value(depth);
      require(typeof key === "string", "a key that is no text");
      const bytes = Buffer.from(key);
      require(before === null || Buffer.compare(before, bytes) < 0, "keys out of order");
      before = bytes;
      items.set(key, this.value(depth));
    }
    return items;
  }
}

/** The encoding of Maps or objects, arrays, texts, bytes, booleans and integers. */
export function encode(value) {
  if (typeof value === "boolean") return Buffer.of(value ? 0xc3 : 0xc2);
  if (typeof value === "number" || typeof value === "bigint") return integer(BigInt(value));
  if (typeof value === "string") {
    const bytes = Buffer.from(value);
    return Buffer.concat([header(bytes.length, [0xa0, 31], 0xd9, 0xda, 0xdb), bytes]);
  }
  if (value instanceof Uint8Array) {
    return Buffer.concat([header(value.length, null, 0xc4, 0xc5, 0xc6), value]);
  }
  if (Array.isArray(value)) {
    return Buffer.concat([arrayHeader(value.length), ...value.map(encode)]);
  }
  const items = [...(value instanceof Map ? value : Object.entries(value))];
  // By UTF-8 bytes: the order of JavaScript's own sort is that of UTF-16.
  items.sort(([one], [two]) => Buffer.compare(Buffer.from(one), Buffer.from(two)));
  const head = header(items.length, [0x80, 15], null, 0xde, 0xdf);
  return Buffer.concat([head, ...items.flat().map(encode)]);
}

export const arrayHeader = (length) => header(length, [0x90, 15], null, 0xdc, 0xdd);

function integer(value) {
  if (value < 0x80n) return Buffer.of(Number(value));
  if (value < 0x100n) return Buffer.of(0xcc, Number(value));
  const width = value < 0x10000n ? 2 : value < 1n << 32n ? 4 : 8;
  const bytes = Buffer.alloc(1 + width, { 2: 0xcd, 4: 0xce, 8: 0xcf }[width]);
  if (width === 8) bytes.writeBigUInt64BE(value, 1);
  else bytes.writeUIntBE(Number(value), 1, width);
  return bytes;
}

function header(length, fixed, one, two, four) {
  if (fixed !== null && length <= fixed[1]) return Buffer.of(fixed[0] | length);
  if (one !== null && length < 0x100) return Buffer.of(one, length);
  const width = length < 0x10000 ? 2 : 4;
  const bytes = Buffer.alloc(1 + width, width === 2 ? two : four);
  bytes.writeUIntBE(length, 1, width);
  return bytes;
}

/** Where the value at `at` ends; of any type and form, nested at most 1,023 deep. */
export function skip(bytes, at) {
  const reader = new Reader(bytes, {});
  reader.at = at;
  const left = [1]; // values still to come, of each array or map that is open
  while (left.length > 0) {
    if (left[left.length - 1] === 0) {
      left.pop();
      continue;
    }
    left[left.length - 1] -= 1;
    const values = skipHead(reader);
    if (values > 0) left.push(values);
    require(left.length <= 1_024, "nested too deep");
  }
  return reader.at;
}

/** Passes over a value, or the header of an array or map; how many values follow it. */
function skipHead(reader) {
  const head = reader.take(1)[0];
  const length = (width) => reader.number(width, 0n);
  if (head <= 0x7f || head >= 0xe0 || head === 0xc0) return 0;
  if (head <= 0x8f) return 2 * (head & 15);
  if (head <= 0x9f) return head & 15;
  if (head >= 0xdc && head <= 0xdd) return length(head === 0xdc ? 2 : 4);
  if (head >= 0xde) return 2 * length(head === 0xde ? 2 : 4);
  require(head !== 0xc1, "a byte that MessagePack never uses");
  reader.take(bytesBehind(head, length));
  return 0;
}

function bytesBehind(head, length) {
  if (head <= 0xbf) return head & 31;
  if (head <= 0xc3) return 0;
  if (head <= 0xc6) return length(1 << (head - 0xc4));
  if (head <= 0xc9) return length(1 << (head - 0xc7)) + 1;
  if (head <= 0xcb) return 4 << (head - 0xca);
  if (head <= 0xd3) return 1 << (head & 3);
  if (head <= 0xd8) return 1 + (1 << (head - 0xd4));
  return length(1 << (head - 0xd9));
}
