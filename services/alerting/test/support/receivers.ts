import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';

export type Received = Readonly<{ path: string; headers: IncomingHttpHeaders; body: string; at: number }>;
type Handler = (received: Received, response: ServerResponse) => void;

/** A real HTTP server that notes what comes and answers as a test says, 204 at first. */
export class Receiver {
  readonly received: Received[] = [];
  /** Most requests that were under way at once. */
  most = 0;
  answer: Handler = (_, response) => void response.writeHead(204).end();
  #now = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer(async (request, response) => {
    this.#now += 1;
    this.most = Math.max(this.most, this.#now);
    response.once('close', () => {
      this.#now -= 1;
    });
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const received = {
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks).toString('utf8'),
      at: performance.now(),
    };
    this.received.push(received);
    this.answer(received, response);
  });

  static async open(): Promise<Receiver> {
    const receiver = new Receiver();
    receiver.#server.on('connection', (socket) => {
      receiver.#sockets.add(socket);
      socket.once('close', () => receiver.#sockets.delete(socket));
    });
    await new Promise<void>((done) => receiver.#server.listen(0, '127.0.0.1', done));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((done) => this.#server.close(done));
  }
}

export const answering =
  (...statuses: readonly number[]): Handler =>
  (_, response) => {
    const [status = 204] = statuses.length > 1 ? (statuses as number[]).splice(0, 1) : statuses;
    response.writeHead(status).end();
  };

export type Mail = Readonly<{ raw: string; parsed: ParsedMail; recipients: readonly string[] }>;

/** A real SMTP server that keeps what it is handed. */
export class MailServer {
  readonly mails: Mail[] = [];
  readonly #server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', async () => {
        const raw = Buffer.concat(chunks);
        const recipients = session.envelope.rcptTo.map(({ address }) => address);
        this.mails.push({ raw: raw.toString('utf8'), parsed: await simpleParser(raw), recipients });
        done();
      });
    },
  });

  static async open(): Promise<MailServer> {
    const server = new MailServer();
    await new Promise<void>((done) => server.#server.listen(0, '127.0.0.1', done));
    return server;
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.#server.server.address() as AddressInfo).port}`;
  }

  close(): Promise<void> {
    return new Promise((done) => this.#server.close(done));
  }
}
