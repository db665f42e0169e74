import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { DEFAULT_STREAM_LIMITS, wantedStreams } from './streams.js';

type Kept = Readonly<{ 'x-jetstream'?: Readonly<Record<string, unknown>> }>;
const document = JSON.parse(readFileSync(new URL('../asyncapi.json', import.meta.resolve('@bursar/contracts')), 'utf8')) as Readonly<{
  channels: Readonly<Record<string, Kept>>;
}>;

/** `x-jetstream` of every channel, without the words about ids and order; each stream once. */
const documented = (): readonly unknown[] => {
  const streams = Object.values(document.channels).flatMap(({ 'x-jetstream': kept }) => {
    if (kept === undefined) return [];
    const { messageId: _messageId, ordering: _ordering, ...stream } = kept;
    return [JSON.stringify(stream)];
  });
  return [...new Set(streams)].map((text) => JSON.parse(text) as { stream: string }).sort(byName);
};
const byName = (a: { stream: string }, b: { stream: string }): number => (a.stream < b.stream ? -1 : 1);

const NS_PER_HOUR = 3_600_000_000_000;
const NS_PER_SECOND = 1_000_000_000;

test('the streams are those of the AsyncAPI document', () => {
  const made = wantedStreams(DEFAULT_STREAM_LIMITS).map((stream) => ({
    stream: stream.name,
    subjects: stream.subjects,
    storage: stream.storage,
    retention: stream.retention,
    discard: stream.discard,
    maxAgeHours: stream.max_age === 0 ? null : stream.max_age / NS_PER_HOUR,
    maxBytes: stream.max_bytes,
    duplicateWindowSeconds: stream.duplicate_window / NS_PER_SECOND,
  }));
  expect(documented()).toEqual(made.sort(byName));
});
