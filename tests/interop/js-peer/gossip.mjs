// Batches of statements: docs/spec/network.md, "Gossip".

import { Fault, require } from "./fault.mjs";
import { arrayHeader, skip } from "./msgpack.mjs";
import { Statement } from "./statement.mjs";

export const STATEMENTS = "byline/statements/1";
const MOST = { bytes: 60_000, items: 1_024 };

export function makeBatch(statements) {
  const envelopes = statements.map(({ envelope }) => envelope);
  return Buffer.concat([arrayHeader(statements.length), ...envelopes]);
}

/** The statements of a batch that are good, and how many others there are. */
export function parseBatch(bytes) {
  const found = { fresh: [], known: 0, bad: 0, unsupported: 0 };
  const seen = new Set();
  for (const item of split(bytes)) {
    try {
      const statement = Statement.parse(item).verify();
      const id = statement.id.toString("hex");
      if (seen.has(id)) found.known += 1;
      else found.fresh.push(statement);
      seen.add(id);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      found[error.kind === "unsupported" ? "unsupported" : "bad"] += 1;
    }
  }
  return found;
}

function split(bytes) {
  require(bytes.length >= 1 && bytes.length <= MOST.bytes, "a batch's length");
  const long = bytes[0] === 0xdc && bytes.length >= 3;
  const count = long ? Buffer.from(bytes).readUInt16BE(1) : bytes[0] & 15;
  const head = arrayHeader(count);
  require(head.equals(bytes.subarray(0, head.length)), "no array with a short header");
  require(count <= MOST.items, "too many items");
  const items = [];
  let at = head.length;
  for (let number = 0; number < count; number += 1) {
    const end = skip(bytes, at);
    items.push(Buffer.from(bytes.subarray(at, end)));
    at = end;
  }
  require(at === bytes.length, "a byte behind the batch");
  return items;
}
