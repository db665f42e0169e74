import type { MsgHdrs } from '@nats-io/transport-node';

/** The header names of ADR-32. A reply that carries them is an error. */
export const ERROR_CODE_HEADER = 'Nats-Service-Error-Code';
export const ERROR_HEADER = 'Nats-Service-Error';

/** In a value it would begin another header. */
const LINE_BREAK = /[\r\n]/;

/** What goes back on the wire, as it is. */
export class Reply {
  private constructor(
    readonly body: Uint8Array,
    private readonly fields: Readonly<Record<string, string>>,
  ) {}

  static of(body: string | Uint8Array, fields: Readonly<Record<string, string>>): Reply {
    for (const name in fields) {
      if (LINE_BREAK.test(fields[name] as string)) throw new TypeError(`a value of the header ${name} cannot be sent`);
    }
    // Small buffers share memory; what the client makes of a text would be allocated for each by itself.
    return new Reply(typeof body === 'string' ? Buffer.from(body) : body, fields);
  }

  /**
   * For publishing. The client asks nothing of headers but how they are encoded; its own, which can be read again as well, cost as much as a sixth
   * of a check.
   */
  get headers(): MsgHdrs {
    return { encode: () => Buffer.from(this.#text()) } as unknown as MsgHdrs;
  }

  /** What the requester was told instead of an answer; null when it is one. */
  get error(): string | null {
    return this.fields[ERROR_HEADER] || null;
  }

  #text(): string {
    let text = 'NATS/1.0\r\n';
    for (const name in this.fields) text += `${name}: ${this.fields[name]}\r\n`;
    return `${text}\r\n`;
  }
}

/** A fault that no handler turned into a reply of its own: its cause is for the log only. */
export const FAULT = Reply.of('', { [ERROR_CODE_HEADER]: '500', [ERROR_HEADER]: 'internal_error' });

/** The handler's {@link Reply} as it is; anything else is a fault. */
export const replyOf = (response: unknown): Reply => (response instanceof Reply ? response : FAULT);
