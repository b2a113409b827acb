// Frames on a stream of its own: docs/spec/network.md, "Frames".

import { byteStream } from "@libp2p/utils";
import { require } from "./fault.mjs";
import { encode } from "./msgpack.mjs";

const WAIT = 30_000;

/** Requests and responses in turn with the other side of a protocol. */
export class Exchange {
  constructor(stream, most) {
    this.stream = stream;
    this.bytes = byteStream(stream, { maxBufferSize: most + 65_536 });
    this.most = most;
  }

  static async open(node, peer, protocol, most) {
    return new Exchange(await node.dialProtocol(peer, protocol), most);
  }

  /** The response's body to a request. */
  async ask(request) {
    const body = encode(request);
    const head = Buffer.alloc(4);
    head.writeUInt32BE(body.length);
    await this.bytes.write(Buffer.concat([head, body]));
    const length = (await this.read(4)).readUInt32BE();
    require(length <= this.most, `a frame of ${length} bytes`);
    return this.read(length);
  }

  async read(bytes) {
    if (bytes === 0) return Buffer.alloc(0);
    const read = await this.bytes.read({ bytes, signal: AbortSignal.timeout(WAIT) });
    return Buffer.from(read.subarray());
  }

  async close() {
    await this.stream.close();
  }
}
