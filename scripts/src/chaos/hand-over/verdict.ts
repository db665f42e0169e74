import { decodeStored } from '@bursar/bus';
import { formatPicos, type LedgerEvent } from '@bursar/contracts';
import { createEventStore, type EventStore } from '@bursar/event-store';
import { readState } from '../../up/files.ts';
import type { History } from './load.ts';
import { judge } from './oracle.ts';
import type { Tenant } from './tenants.ts';
import { query } from './witness.ts';

const PAGE = 1_000;

export type Figures = Readonly<{ events: number; usage: number; crossings: number; unknown: number; unknownStored: number }>;

/** Compares everything with everything: what clients were told, the ledger, what its order means, and the tables. */
export const examine = async (
  dataDir: string,
  partitions: number,
  tenants: readonly Tenant[],
  histories: readonly History[],
): Promise<Readonly<{ wrong: readonly string[]; figures: Figures }>> => {
  const store = await createEventStore(readState(dataDir, 'run')?.eventStoreUrl ?? '', { partitions });
  const wrong = histories.flatMap(({ violations }) => violations);
  const figures = { events: 0, usage: 0, crossings: 0, unknown: 0, unknownStored: 0 };
  try {
    for (let partition = 0; partition < partitions; partition += 1) {
      const broken = await store.verify(partition);
      if (broken !== null) wrong.push(`the chain of partition ${partition} breaks at ${broken.position}: ${broken.reason}`);
    }
    for (const [index, tenant] of tenants.entries()) {
      const history = histories[index];
      const ledger = await readLedger(store, tenant.partition, wrong);
      const events = ledger.filter(({ meta }) => meta.tenant === tenant.name);
      figures.events += ledger.length;
      if (history !== undefined) compareHistory(history, events, figures, wrong);
      await compareTables(dataDir, tenant, events, figures, wrong);
    }
  } finally {
    await store.close();
  }
  return { wrong, figures };
};

/** All of a partition; says where positions are not 1, 2, 3 … and where one id is stored twice. */
const readLedger = async (store: EventStore, partition: number, wrong: string[]): Promise<readonly LedgerEvent[]> => {
  const events: LedgerEvent[] = [];
  const ids = new Set<string>();
  for (;;) {
    const page = await store.readPartition(partition, events.length, PAGE);
    for (const stored of page) {
      if (stored.position !== events.length + 1) wrong.push(`partition ${partition}: ${stored.position} comes after ${events.length}`);
      if (ids.has(stored.id)) wrong.push(`partition ${partition}: event ${stored.id} is stored twice`);
      ids.add(stored.id);
      events.push(decodeStored(stored));
    }
    if (page.length === 0) return events;
  }
};

/** What was acknowledged is there once; what is not known is there once or not at all; nothing else is there. */
const compareHistory = (history: History, events: readonly LedgerEvent[], figures: Writable<Figures>, wrong: string[]): void => {
  const stored = new Map<string, number>();
  for (const event of events) if (event.type === 'UsageRecorded') stored.set(event.data.id, (stored.get(event.data.id) ?? 0) + 1);
  for (const { id, state } of history.usage) {
    const times = stored.get(id) ?? 0;
    stored.delete(id);
    figures.usage += times;
    if (state === 'unknown') [figures.unknown, figures.unknownStored] = [figures.unknown + 1, figures.unknownStored + times];
    if (times > 1 || (times === 0 && state === 'acknowledged'))
      wrong.push(`${history.tenant}: usage ${id}, ${state}, is stored ${times} times`);
  }
  for (const id of stored.keys()) wrong.push(`${history.tenant}: usage ${id} was never sent`);
  const limits = new Set(events.flatMap((event) => (event.type === 'BudgetChanged' ? [event.data.definition.limit.amount] : [])));
  for (const limit of history.limits)
    if (!limits.has(limit)) wrong.push(`${history.tenant}: the acknowledged limit ${limit} is not in the ledger`);
};

/** Balances, thresholds and alerts are what the order of the ledger means, and the ledger says each crossing exactly once. */
const compareTables = async (
  dataDir: string,
  { name }: Tenant,
  events: readonly LedgerEvent[],
  figures: Writable<Figures>,
  wrong: string[],
): Promise<void> => {
  const { balances, due, said, standing } = judge(name, events);
  figures.crossings += said.length;
  differ(`${name}: crossings in the ledger`, [...due].sort(), [...said].sort(), wrong);
  const table = (text: string): Promise<readonly { line: string }[]> => query<{ line: string }>(dataDir, text, [name]);
  const rows = await table(
    `SELECT budget_id || ' ' || trim_scale(spend) || ' ' || events AS line FROM projection.balance WHERE tenant = $1`,
  );
  const expected = [...balances]
    .filter(([, { events: count }]) => count > 0)
    .map(([id, { spend, events: count }]) => `${id} ${formatPicos(spend)} ${count}`);
  differ(`${name}: balances`, expected.sort(), rows.map(({ line }) => line).sort(), wrong);
  const crossed = await table(
    `SELECT budget_id || ' ' || threshold || ' ' || episode AS line FROM projection.threshold WHERE tenant = $1 AND crossed`,
  );
  differ(`${name}: crossed thresholds`, [...standing].sort(), crossed.map(({ line }) => line).sort(), wrong);
  const alerts = await table(
    `SELECT budget_id || ' ' || threshold || ' ' || episode AS line FROM projection.crossing WHERE tenant = $1 AND cleared_at IS NULL`,
  );
  differ(`${name}: standing alerts`, [...standing].sort(), alerts.map(({ line }) => line).sort(), wrong);
  const untold = await table(`SELECT alert_id::text AS line FROM projection.crossing WHERE tenant = $1 AND position IS NULL`);
  for (const { line } of untold) wrong.push(`${name}: alert ${line} was never told in the ledger`);
};

const differ = (what: string, expected: readonly string[], found: readonly string[], wrong: string[]): void => {
  const lacking = expected.filter((line) => !found.includes(line));
  const extra = found.filter((line) => !expected.includes(line));
  if (lacking.length + extra.length === 0 && expected.length === found.length) return;
  wrong.push(`${what}: ${expected.length} expected, ${found.length} found; lacking ${show(lacking)}, in excess ${show(extra)}`);
};

const show = (lines: readonly string[]): string => (lines.length === 0 ? 'none' : lines.slice(0, 5).join(' | '));

type Writable<T> = { -readonly [K in keyof T]: T[K] };
