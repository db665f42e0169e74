import { AppendNotice } from '@bursar/contracts/bus';
import type { AppendedRange } from '@bursar/event-store';
import type { Msg } from '@nats-io/transport-node';

/** What is told of a range to those who do not take ranges. */
export const noticeOf = ({ last, events }: Pick<AppendedRange, 'last' | 'events'>): AppendNotice => ({
  last,
  types: [...new Set(events.map(({ type }) => type))],
});

/** Null when it is no notice: garbage on the subject is ignored, not fatal. */
export const readNotice = ({ data }: Pick<Msg, 'data'>): AppendNotice | null => {
  try {
    const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8');
    return AppendNotice.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    // Not JSON.
    return null;
  }
};
