// What is wrong with bytes from elsewhere, by the words that the vectors use.

export class Fault extends Error {
  constructor(kind, message) {
    super(`${kind}: ${message}`);
    this.kind = kind;
  }
}

export const malformed = (message) => new Fault("malformed", message);

/** Throws the fault `kind` unless `condition` holds. */
export function require(condition, message, kind = "malformed") {
  if (!condition) throw new Fault(kind, message);
}
