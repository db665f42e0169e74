import type { Msg } from '@nats-io/transport-node';
import { Delivery, type Validity } from '../../src/nest/durable/delivery.js';
import type { Source } from '../../src/nest/durable/source.js';

/** What a message was answered with, in order: `+ACK`, `-NAK`, `+TERM why`, `+WPI`. */
export type Sent = Readonly<{ body: string; verdicts: string[] }>;

/** Messages that arrive when a test says so, as from a consumer of the stream `S`. */
export class FakeSource implements Source {
  readonly validity: Validity = { live: true };
  readonly sent: Sent[] = [];
  closed = false;
  ended: string | null = null;
  #held: Delivery[] = [];

  constructor(private readonly news: () => void) {}

  get held() {
    return { messages: this.#held.length, bytes: this.#held.reduce((sum, { bytes }) => sum + bytes, 0) };
  }

  push(...bodies: readonly string[]): void {
    for (const body of bodies) {
      const verdicts: string[] = [];
      this.sent.push({ body, verdicts });
      this.#held.push(new Delivery(this.#message(body, verdicts), this.validity));
    }
    this.news();
  }

  end(reason: string): void {
    this.ended = reason;
    this.news();
  }

  take(messages: number, bytes: number): readonly Delivery[] {
    let size = 0;
    const over = this.#held.findIndex((delivery, index) => {
      size += delivery.bytes;
      return index > 0 && (index >= messages || size > bytes);
    });
    return this.#held.splice(0, over < 0 ? this.#held.length : over);
  }

  keepAlive(): void {
    for (const delivery of this.#held) delivery.working();
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const delivery of this.#held.splice(0)) delivery.nak();
  }

  /** All verdicts by body, those that only ask for time left out. */
  verdicts(): Record<string, string> {
    const entries = this.sent.map(({ body, verdicts }) => [body, verdicts.filter((verdict) => verdict !== '+WPI').join()] as const);
    return Object.fromEntries(entries);
  }

  #message(body: string, verdicts: string[]): Msg {
    const sequence = this.sent.length;
    return {
      subject: 'work.x',
      data: new TextEncoder().encode(body),
      headers: undefined,
      reply: `$JS.ACK.S.C.1.${sequence}.${sequence}.1736935200123456789.0`,
      respond: (verdict?: string) => {
        verdicts.push(String(verdict));
        return true;
      },
    } as unknown as Msg;
  }
}
