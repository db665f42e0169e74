import { ADMIN_KEY } from './system.js';

export type Heard = Readonly<{ event: string; id: string | null; data: Record<string, unknown> }>;

/** An SSE client as the standard describes it, with the headers that a browser's EventSource cannot send. */
export class TestEventSource {
  readonly heard: Heard[] = [];
  lastEventId: string | null = null;
  /** Comments, which are no events: heartbeats. */
  comments = 0;
  readonly #abort = new AbortController();
  #done: Promise<void> = Promise.resolve();

  private constructor(readonly response: Response) {}

  static async open(url: string, tenant: string, query = '', lastEventId?: string): Promise<TestEventSource> {
    const abort = new AbortController();
    const response = await fetch(`${url}/api/v1/stream${query}`, {
      signal: abort.signal,
      headers: {
        authorization: `Bearer ${ADMIN_KEY}`,
        'bursar-tenant': tenant,
        accept: 'text/event-stream',
        ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
      },
    });
    const source = new TestEventSource(response);
    abort.signal.addEventListener('abort', () => source.#abort.abort());
    if (response.ok) source.#done = source.#read().catch(() => undefined);
    source.#abort.signal.addEventListener('abort', () => abort.abort());
    return source;
  }

  /** Waits for so many events of a kind that answer to `is`. */
  async until(
    event: string,
    count = 1,
    is: (data: Record<string, unknown>) => boolean = () => true,
  ): Promise<readonly Record<string, unknown>[]> {
    for (;;) {
      const found = this.heard.filter((one) => one.event === event && is(one.data)).map(({ data }) => data);
      if (found.length >= count) return found;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Resolves when the server ends the stream. */
  ended(): Promise<void> {
    return this.#done;
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#done;
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of this.response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
        this.#take(text.slice(0, end));
        text = text.slice(end + 2);
      }
    }
  }

  #take(block: string): void {
    const field = (name: string): string | null =>
      block
        .split('\n')
        .find((line) => line.startsWith(`${name}: `))
        ?.slice(name.length + 2) ?? null;
    const id = field('id');
    if (id !== null) this.lastEventId = id;
    if (block.startsWith(':')) this.comments += 1;
    const data = field('data');
    if (data !== null) this.heard.push({ event: field('event') ?? 'message', id, data: JSON.parse(data) as Record<string, unknown> });
  }
}
