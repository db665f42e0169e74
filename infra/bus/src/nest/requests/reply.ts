import { headers, type MsgHdrs } from '@nats-io/transport-node';

/** The header names of ADR-32. A reply that carries them is an error. */
export const ERROR_CODE_HEADER = 'Nats-Service-Error-Code';
export const ERROR_HEADER = 'Nats-Service-Error';

/** What goes back on the wire, as it is. */
export class Reply {
  constructor(
    readonly body: string | Uint8Array,
    readonly headers: MsgHdrs,
  ) {}

  static of(body: string | Uint8Array, fields: Readonly<Record<string, string>>): Reply {
    const made = headers();
    for (const [name, value] of Object.entries(fields)) made.set(name, value);
    return new Reply(body, made);
  }

  /** What the requester was told instead of an answer; null when it is one. */
  get error(): string | null {
    return this.headers.get(ERROR_HEADER) || null;
  }
}

/** A fault that no handler turned into a reply of its own: its cause is for the log only. */
export const FAULT = Reply.of('', { [ERROR_CODE_HEADER]: '500', [ERROR_HEADER]: 'internal_error' });

/** The handler's {@link Reply} as it is; anything else is a fault. */
export const replyOf = (response: unknown): Reply => (response instanceof Reply ? response : FAULT);
