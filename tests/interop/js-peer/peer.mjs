// A peer on js-libp2p: takes commands, one a line, and prints facts, one JSON line each.
//
//   connect ADDRESS        dials, and joins the topic of statements
//   publish TEXT           makes, signs and publishes a statement about a text
//   follow                 reads the log to its end; once more: what came since
//   query HEX              asks about a SHA-256, and checks the bundle
//   plaintext ADDRESS      dials without Noise, by another host
//
// Each command ends with one fact of its name.  What gossip brings is told when it comes.

import readline from "node:readline";
import { noise } from "@chainsafe/libp2p-noise";
import { gossipsub } from "@libp2p/gossipsub";
import { identify } from "@libp2p/identify";
import { ping } from "@libp2p/ping";
import { plaintext } from "@libp2p/plaintext";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";
import { randomBytes } from "node:crypto";
import { SigningKey } from "./ed25519.mjs";
import { FOLLOW, Follower, MOST as MOST_FOLLOW, parseResponse } from "./follow.mjs";
import { Exchange } from "./frames.mjs";
import { STATEMENTS, makeBatch, parseBatch } from "./gossip.mjs";
import { MOST as MOST_QUERY, QUERY, checkBundle, parseAnswer } from "./query.mjs";
import { Statement, multihash, sha256 } from "./statement.mjs";

const DEPTH = 4;
const tell = (fact, fields) => console.log(JSON.stringify({ fact, ...fields }));
const hex = (bytes) => bytes.toString("hex");

/** A host; it listens nowhere. */
const newHost = (encrypter, services = {}) =>
  createLibp2p({
    transports: [tcp()],
    connectionEncrypters: [encrypter],
    streamMuxers: [yamux()],
    services,
  });

class Peer {
  key = new SigningKey(randomBytes(32));
  follower = new Follower();

  async connect(address) {
    const pubsub = gossipsub({ globalSignaturePolicy: "StrictSign", emitSelf: false });
    // A node closes the connection of a peer that does not answer its pings.
    this.host = await newHost(noise(), { identify: identify(), ping: ping(), pubsub });
    const { pubsub: gossip } = this.host.services;
    gossip.addEventListener("gossipsub:message", ({ detail }) => this.hear(detail.msg));
    const meshed = new Promise((resolve) => {
      gossip.addEventListener("gossipsub:graft", resolve, { once: true });
    });
    gossip.subscribe(STATEMENTS);
    const connection = await this.host.dial(multiaddr(address));
    this.node = connection.remotePeer;
    await meshed;
    const { encryption, multiplexer } = connection;
    tell("connect", { peer: String(this.host.peerId), encryption, multiplexer });
  }

  hear({ topic, data, from }) {
    if (topic !== STATEMENTS) return;
    const { fresh, bad, unsupported } = parseBatch(data);
    const ids = fresh.map(({ id }) => hex(id));
    tell("gossip", { from: String(from), ids, bad, unsupported });
  }

  async publish(text) {
    const about = multihash(sha256(text));
    const fields = { about, title: text, type: "work" };
    const statement = Statement.make(fields, this.key);
    await this.host.services.pubsub.publish(STATEMENTS, makeBatch([statement]));
    tell("publish", { id: hex(statement.id), envelope: hex(statement.envelope) });
  }

  async follow() {
    const exchange = await Exchange.open(this.host, this.node, FOLLOW, MOST_FOLLOW.response);
    const round = this.follower.round();
    const asked = [];
    try {
      for (let step = round.next(); !step.done;) {
        asked.push(step.value.ask);
        step = round.next(parseResponse(await exchange.ask(step.value)));
      }
    } finally {
      await exchange.close();
    }
    const { admitted, cursor, gaps, setRoot } = this.follower;
    const { size, root } = cursor.checkpoint;
    const [leaves, claimed] = [cursor.tree.size, hex(cursor.last.root)];
    tell("follow", {
      asked, size, root: hex(root), leaves, statements: [...admitted.keys()], gaps,
      vkey: cursor.vkey, set: hex(setRoot), claimed,
    });
  }

  async query(digest) {
    const asked = multihash(Buffer.from(digest, "hex"));
    const exchange = await Exchange.open(this.host, this.node, QUERY, MOST_QUERY);
    const answer = await exchange.ask({ ask: "bundle", depth: DEPTH, digest: asked });
    await exchange.close();
    const { checkpoint, statements, log } = checkBundle(parseAnswer(answer), asked);
    const ids = statements.map(({ id }) => hex(id));
    tell("query", { size: checkpoint.size, root: hex(checkpoint.root), ids, log });
  }

  async plaintext(address) {
    const host = await newHost(plaintext());
    try {
      const connection = await host.dial(multiaddr(address));
      tell("plaintext", { refused: false, encryption: connection.encryption });
    } catch (error) {
      tell("plaintext", { refused: true, error: error.name, message: error.message });
    } finally {
      await host.stop();
    }
  }
}

const peer = new Peer();
for await (const line of readline.createInterface({ input: process.stdin })) {
  const [name, ...rest] = line.split(" ");
  try {
    await peer[name](rest.join(" "));
  } catch (error) {
    tell(name, { error: error.name, kind: error.kind, message: error.message });
  }
}
await peer.host?.stop();
