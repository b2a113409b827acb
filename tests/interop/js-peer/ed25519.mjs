// Ed25519 by the rule of docs/spec/statement.md, "Signature".

import crypto from "node:crypto";
import { ed25519 } from "@noble/curves/ed25519.js";

// What stands before the 32 bytes of a key in DER.
const PUBLIC = Buffer.from("302a300506032b6570032100", "hex");
const PRIVATE = Buffer.from("302e020100300506032b657004220420", "hex");

/** OpenSSL has points 1 and 4 of the rule; noble tells which points are of small order. */
export function verify(publicKey, message, signature) {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  const point = decoded(publicKey, false);
  if (point === null || point.isSmallOrder()) return false;
  if (decoded(signature.subarray(0, 32), true)?.isSmallOrder()) return false;
  const key = crypto.createPublicKey({
    key: Buffer.concat([PUBLIC, publicKey]),
    format: "der",
    type: "spki",
  });
  return crypto.verify(null, message, key, signature);
}

/** The point that bytes encode, canonically unless `loose`; null if they encode none. */
function decoded(bytes, loose) {
  try {
    return ed25519.Point.fromBytes(Uint8Array.from(bytes), loose);
  } catch {
    return null;
  }
}

export class SigningKey {
  constructor(seed) {
    const key = Buffer.concat([PRIVATE, seed]);
    this.secret = crypto.createPrivateKey({ key, format: "der", type: "pkcs8" });
    const exported = crypto.createPublicKey(this.secret).export({ format: "der", type: "spki" });
    this.publicKey = exported.subarray(PUBLIC.length);
  }

  sign(message) {
    return crypto.sign(null, message, this.secret);
  }
}
