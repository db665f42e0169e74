import { setTimeout as delay } from 'node:timers/promises';
import { formatInstant } from '@bursar/contracts';
import { z } from 'zod';
import { expectStatus, request, type Target } from './client.ts';
import type { TraceRow } from './row.ts';

const Results = z.object({
  results: z.array(
    z.object({
      id: z.string().nullish(),
      status: z.enum(['accepted', 'duplicate', 'rejected']),
      problem: z.object({ code: z.string() }).nullish(),
    }),
  ),
});

export type Tally = { accepted: number; duplicate: number; rejected: number; reasons: Map<string, number>; position: string | null };

export type SendOptions = Readonly<{
  stem: string;
  rows: readonly TraceRow[];
  /** Rows before this index were answered by an earlier run. */
  from: number;
  shiftNs: bigint;
  batch: number;
  concurrency: number;
  /** Events per second; null for as fast as answered. */
  rate: number | null;
  /** Called as rows are answered, with the count of all rows before the first unanswered one. */
  progress: (done: number, tally: Tally) => void;
}>;

/** Sends the rows in batches, several at a time. A batch whose answer was lost is sent again: its events are duplicates then. */
export const sendRows = async (target: Target, options: SendOptions): Promise<Tally> => {
  const tally: Tally = { accepted: 0, duplicate: 0, rejected: 0, reasons: new Map(), position: null };
  const answered = new Set<number>();
  const startedAt = performance.now();
  let next = options.from;
  let done = options.from;
  const worker = async (): Promise<void> => {
    while (next < options.rows.length) {
      const start = next;
      next = Math.min(next + options.batch, options.rows.length);
      const size = next - start;
      if (options.rate !== null) await delay(Math.max(0, startedAt + ((start - options.from) / options.rate) * 1000 - performance.now()));
      const events = options.rows.slice(start, start + size).map((row) => toEvent(row, options));
      count(tally, expectStatus('POST /usage', await request(target, 'POST', '/usage', { events }), 202));
      answered.add(start);
      while (answered.delete(done)) done = Math.min(done + options.batch, options.rows.length);
      options.progress(done, tally);
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, worker));
  return tally;
};

const toEvent = (row: TraceRow, options: SendOptions): Record<string, unknown> => ({
  id: `${options.stem}:${row.row}`,
  source: 'replay-trace',
  occurredAt: formatInstant(row.at + options.shiftNs),
  scopes: row.scopes,
  meter: row.meter,
  ...(row.quantities === undefined ? {} : { quantities: row.quantities }),
  ...(row.cost === undefined ? {} : { cost: row.cost }),
  ...(row.description === undefined ? {} : { description: row.description }),
  dimensions: row.dimensions,
});

const count = (tally: Tally, answer: { body: unknown; position: string | null }): void => {
  for (const result of Results.parse(answer.body).results) {
    tally[result.status] += 1;
    if (result.problem) tally.reasons.set(result.problem.code, (tally.reasons.get(result.problem.code) ?? 0) + 1);
  }
  tally.position = later(tally.position, answer.position);
};

/** A tenant has one partition, so the later of two positions is the larger number. */
const later = (a: string | null, b: string | null): string | null => {
  const number = (text: string | null): number => (text === null ? -1 : Number(text.split(':')[1]));
  return number(b) > number(a) ? b : a;
};
