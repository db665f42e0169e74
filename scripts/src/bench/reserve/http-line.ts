import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const READ_BYTES = 64 * 1024;
const HEAD_END = '\r\n\r\n';

export type HttpAnswer = Readonly<{ status: number; text: string }>;
type Waiting = Readonly<{ done: (answer: HttpAnswer) => void; fail: (error: Error) => void }>;

/**
 * One connection with one call at a time, which is sent as the bytes it is made of. The load and what it measures share the cores, and a whole
 * client (undici) takes as much of them for a call as a small server for its answer. Understands answers that say their length, and no others.
 */
export class HttpLine {
  readonly #socket: Socket;
  #received = '';
  #waiting: Waiting | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('close', () => this.#waiting?.fail(new Error('the connection ended before the answer')));
  }

  static async open(url: string): Promise<HttpLine> {
    const { hostname: host, port } = new URL(url);
    let line: HttpLine | null = null;
    // One buffer for all that is read, instead of one for each answer.
    const callback = (bytes: number, buffer: Uint8Array): boolean => {
      line?.receive(Buffer.from(buffer.buffer, buffer.byteOffset, bytes).toString('latin1'));
      return true;
    };
    const socket = connect({ host, port: Number(port), onread: { buffer: Buffer.alloc(READ_BYTES), callback } });
    await once(socket, 'connect');
    line = new HttpLine(socket);
    return line;
  }

  send(request: Buffer): Promise<HttpAnswer> {
    return new Promise((done, fail) => {
      this.#waiting = { done, fail };
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  receive(text: string): void {
    this.#received = this.#received === '' ? text : this.#received + text;
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd === -1) return;
    const length = lengthIn(this.#received.slice(0, headEnd));
    const bodyAt = headEnd + HEAD_END.length;
    const waiting = this.#waiting;
    if (length === null || waiting === null) {
      waiting?.fail(new Error(`an answer without a length: ${this.#received.slice(0, headEnd)}`));
      this.#socket.destroy();
      return;
    }
    if (this.#received.length < bodyAt + length) return;
    const answer = { status: Number(this.#received.slice(9, 12)), text: this.#received.slice(bodyAt) };
    this.#received = '';
    this.#waiting = null;
    waiting.done(answer);
  }
}

const lengthIn = (head: string): number | null => {
  const [, length] = /\r\ncontent-length: *([0-9]+)/i.exec(head) ?? [];
  return length === undefined ? null : Number(length);
};

/** The bytes of a call, the same each time. */
export const requestBytes = (
  url: string,
  {
    method,
    path,
    headers,
    body,
  }: Readonly<{ method: string; path: string; headers: Readonly<Record<string, string>>; body: string | null }>,
): Buffer => {
  const said = { host: new URL(url).host, connection: 'keep-alive', ...headers };
  const lines = Object.entries(body === null ? said : { ...said, 'content-length': String(Buffer.byteLength(body)) });
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body ?? ''}`);
};
