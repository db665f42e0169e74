import { ADMIN_KEY } from './system.js';

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers whose shape is what they check
type Json = any;
export type Reply = Readonly<{ status: number; headers: Headers; body: Json; text: string }>;
type Options = Readonly<{ headers?: Record<string, string>; raw?: string | Uint8Array<ArrayBuffer> }>;

const MAX_ATTEMPTS = 40;

/** Calls the api as one tenant. Paths without a leading slash are below /api/v1. */
export class Client {
  constructor(
    readonly url: string,
    readonly tenant: string,
    private readonly key: string | null = ADMIN_KEY,
  ) {}

  as(tenant: string): Client {
    return new Client(this.url, tenant, this.key);
  }

  withKey(key: string | null): Client {
    return new Client(this.url, this.tenant, key);
  }

  get(path: string, options?: Options): Promise<Reply> {
    return this.send('GET', path, undefined, options);
  }
  post(path: string, body?: unknown, options?: Options): Promise<Reply> {
    return this.send('POST', path, body, options);
  }
  put(path: string, body?: unknown, options?: Options): Promise<Reply> {
    return this.send('PUT', path, body, options);
  }
  patch(path: string, body?: unknown, options?: Options): Promise<Reply> {
    return this.send('PATCH', path, body, options);
  }
  delete(path: string, options?: Options): Promise<Reply> {
    return this.send('DELETE', path, undefined, options);
  }

  /** Records usage and answers the position of the last event. */
  async record(...events: object[]): Promise<string> {
    const reply = await this.post('usage', { events });
    const results = reply.body?.results as { status: string; position: string }[] | undefined;
    const last = results?.at(-1);
    if (last === undefined || results?.some(({ status }) => status !== 'accepted')) throw new Error(`not all was accepted: ${reply.text}`);
    return last.position;
  }

  /**
   * A machine that runs many suites at once is now and then too busy for the api, which says so: come back, as any client would. A read
   * that would wait for a position is repeated until it is there.
   */
  async send(method: string, path: string, body?: unknown, options: Options = {}): Promise<Reply> {
    for (let attempt = 0; ; attempt += 1) {
      const reply = await this.#sendOnce(method, path, body, options);
      const isLate = reply.body?.code === 'overloaded' || (reply.status === 202 && method === 'GET' && options === WAIT);
      if (!isLate || attempt === MAX_ATTEMPTS) return reply;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  async #sendOnce(method: string, path: string, body: unknown, { headers = {}, raw }: Options): Promise<Reply> {
    const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(path.startsWith('/') ? `${this.url}${path}` : `${this.url}/api/v1/${path}`, {
      method,
      headers: {
        ...(this.key !== null && { authorization: `Bearer ${this.key}` }),
        'bursar-tenant': this.tenant,
        ...(payload !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: payload,
    });
    // A stream goes on for as long as it is listened to.
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
    if (isStream) await response.body?.cancel();
    const text = isStream ? '' : await response.text();
    const json = (response.headers.get('content-type') ?? '').includes('json');
    return { status: response.status, headers: response.headers, body: json && text !== '' ? JSON.parse(text) : null, text };
  }
}

/** A wait for a position, for reads. */
export const WAIT = { headers: { prefer: 'wait=8' } };
