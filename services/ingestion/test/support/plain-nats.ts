import { connect, type Socket } from 'node:net';

export type PlainMessage = Readonly<{ subject: string; reply: string | undefined; headers: string; body: string }>;

const LINE_END = '\r\n';
const TIMEOUT_MS = 10_000;

/** The NATS client protocol, by hand, on a TCP socket: what any language can do in an afternoon. */
export class PlainNats {
  readonly received: PlainMessage[] = [];
  /** What the server refused, e.g. `-ERR 'Authorization Violation'`. */
  readonly errors: string[] = [];
  readonly #waiting = new Set<() => void>();
  #buffer: Buffer = Buffer.alloc(0);
  #pongs = 0;
  #subscriptions = 0;

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    // A reset is one way of closing.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#wake());
  }

  /** `headers: false` is a peer that knows none: the server then leaves them out. */
  static async open(url: string, { headers = true } = {}): Promise<PlainNats> {
    const { hostname, port, username, password } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port) });
    const peer = new PlainNats(socket);
    const options = { verbose: false, pedantic: false, headers, no_responders: headers, lang: 'none', version: '0', protocol: 1 };
    peer.#write(`CONNECT ${JSON.stringify({ ...options, user: username, pass: decodeURIComponent(password) })}`);
    await peer.flush();
    return peer;
  }

  subscribe(subject: string): void {
    this.#subscriptions += 1;
    this.#write(`SUB ${subject} ${this.#subscriptions}`);
  }

  publish(subject: string, body: string, { reply = '', headers = '' } = {}): void {
    const bytes = Buffer.byteLength(body);
    if (headers === '') {
      this.#write(`PUB ${subject} ${reply} ${bytes}${LINE_END}${body}`);
      return;
    }
    const block = `NATS/1.0${LINE_END}${headers}${LINE_END}${LINE_END}`;
    this.#write(`HPUB ${subject} ${reply} ${Buffer.byteLength(block)} ${Buffer.byteLength(block) + bytes}${LINE_END}${block}${body}`);
  }

  async request(subject: string, body: string, headers = ''): Promise<PlainMessage> {
    const reply = `_INBOX.plain.${crypto.randomUUID()}`;
    this.subscribe(reply);
    this.publish(subject, body, { reply, headers });
    return this.until((message) => message.subject === reply);
  }

  /** Resolves once the server has taken all that was written. */
  async flush(): Promise<void> {
    const wanted = this.#pongs + 1;
    this.#write('PING');
    await this.#until(() => this.#pongs >= wanted || undefined);
  }

  until(is: (message: PlainMessage) => boolean): Promise<PlainMessage> {
    return this.#until(() => this.received.find(is));
  }

  close(): void {
    this.socket.destroy();
  }

  #write(line: string): void {
    this.socket.write(line + LINE_END);
  }

  async #until<T>(find: () => T | undefined): Promise<T> {
    const deadline = AbortSignal.timeout(TIMEOUT_MS);
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (deadline.aborted || this.socket.destroyed) throw new Error(`it did not come; refused: ${this.errors.join()}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.add(resolve);
      deadline.addEventListener('abort', () => resolve(), { once: true });
      await promise;
      this.#waiting.delete(resolve);
    }
  }

  #take(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    while (this.#takeOne());
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  #takeOne(): boolean {
    const end = this.#buffer.indexOf(LINE_END);
    if (end < 0) return false;
    const [verb = '', ...words] = this.#buffer.subarray(0, end).toString('utf8').split(/\s+/);
    let next = end + LINE_END.length;
    if (verb === 'MSG' || verb === 'HMSG') {
      const total = Number(words.at(-1));
      const headerBytes = verb === 'HMSG' ? Number(words.at(-2)) : 0;
      if (this.#buffer.length < next + total + LINE_END.length) return false;
      const headers = this.#buffer.subarray(next, next + headerBytes).toString('utf8');
      const body = this.#buffer.subarray(next + headerBytes, next + total).toString('utf8');
      const fixed = verb === 'HMSG' ? 4 : 3;
      this.received.push({ subject: words[0] ?? '', reply: words.length > fixed ? words[2] : undefined, headers, body });
      next += total + LINE_END.length;
    } else if (verb === 'PING') this.#write('PONG');
    else if (verb === 'PONG') this.#pongs += 1;
    else if (verb === '-ERR') this.errors.push(words.join(' '));
    this.#buffer = this.#buffer.subarray(next);
    return true;
  }
}
