import type { Writable } from 'node:stream';
import { type LiveEvent, sseEvent, sseHeartbeat, type Topic } from '../../domain/sse.js';
import { formatCursor, type StreamCursor } from '../../domain/stream-cursor.js';

export type Interest = Readonly<{ topics: ReadonlySet<Topic>; scope: string | null }>;

/** Bytes written that the client has not taken yet: past it the connection ends, and the client comes back to where it was. */
const MAX_UNREAD = 1024 * 1024;

/** One connection. What it was sent whole, up to a cursor, its client can name when it returns. */
export class Subscriber {
  constructor(
    readonly out: Writable,
    private readonly interest: Interest,
  ) {}

  /** All that happened up to the cursor. Its id is on the last event alone: whoever gets half of them gets them again. */
  send(events: readonly LiveEvent[], cursor: StreamCursor): void {
    const mine = events.filter(
      ({ topic, scope }) => this.interest.topics.has(topic) && (this.interest.scope === null || scope === this.interest.scope),
    );
    const id = formatCursor(cursor);
    mine.forEach((event, index) => {
      this.#write(sseEvent(event, index === mine.length - 1 ? id : null));
    });
  }

  beat(cursor: StreamCursor): void {
    this.#write(sseHeartbeat(formatCursor(cursor)));
  }

  #write(text: string): void {
    if (this.out.destroyed || this.out.writableEnded) return;
    this.out.write(text);
    if (this.out.writableLength > MAX_UNREAD) this.out.destroy();
  }
}
