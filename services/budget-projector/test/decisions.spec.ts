import { formatInstant, formatPicos, NS_PER_MS } from '@bursar/contracts';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Decided } from '../src/features/decisions.js';
import { ProcessShare } from '../src/features/process-share.js';
import { PartitionSession } from '../src/features/project-partition.js';
import { KEY, lastingLease } from './support/leases.js';
import { MemoryLedger } from './support/memory-ledger.js';
import { MemoryTables } from './support/memory-tables.js';
import { SCOPES, type Step, story } from './support/stories.js';
import { TENANT, World } from './support/world.js';

const turnOfLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** As a database: nothing is answered at once. */
class SlowTables extends MemoryTables {
  override async periods(...asked: Parameters<MemoryTables['periods']>): ReturnType<MemoryTables['periods']> {
    const rows = await super.periods(...asked);
    await turnOfLoop();
    await turnOfLoop();
    return rows;
  }
}

type Asking = (ask: (scope: string) => Promise<Decided>) => Promise<void>;

/** One session over the whole ledger, in small steps and with next to no memory, with somebody asking meanwhile. */
const fold = async (ledger: MemoryLedger, asking: Asking) => {
  const tables = new SlowTables();
  const stop = new AbortController();
  const options = {
    maxEvents: 3,
    pauseMs: 0,
    share: new ProcessShare({ tenants: 1, definitions: 3, periods: 2 }),
    mostPending: 20,
    now: () => BigInt(ledger.nowMs) * NS_PER_MS,
  };
  const session = new PartitionSession(
    tables,
    ledger,
    { lease: lastingLease(KEY), signal: stop.signal, ...options },
    {
      committed: () => undefined,
      counting: () => undefined,
      checked: () => undefined,
      corrected: () => undefined,
      expiries: { expired: () => undefined, failed: () => undefined },
    },
  );
  await session.take();
  const running = session.run();
  const now = () => BigInt(ledger.nowMs) * NS_PER_MS;
  const ask = async (scope: string): Promise<Decided> => {
    const { decisions } = session;
    if (decisions === null) throw new Error('the session is over');
    return decisions.check(TENANT, { about: { scopes: [scope] }, amount: 1n, currency: null }, now);
  };
  const head = ledger.events.length;
  while (session.committed.position < head) await Promise.all([asking(ask), turnOfLoop()]);
  const answers = [];
  for (const scope of SCOPES) answers.push(await ask(scope));
  stop.abort();
  await running;
  const rows = [...tables.balances.values(), ...tables.thresholds.values()].map((row) => JSON.stringify(row)).sort();
  return { rows, tables, answers };
};

test('asking while it folds changes no figure, and what is answered is what the tables come to hold', () =>
  fc.assert(
    fc.asyncProperty(story(60), async (told) => {
      const ledger = new MemoryLedger();
      const world = new World(ledger);
      for (const one of told.filter((any): any is Step => 'do' in any)) world.take(one);
      const copy = new MemoryLedger();
      copy.nowMs = ledger.nowMs;
      copy.events.push(...ledger.events);
      const head = ledger.events.length;
      const busy = await fold(ledger, async (ask) => void (await Promise.all(SCOPES.map(ask))));
      const quiet = await fold(copy, async () => undefined);
      // What the projector itself says at the end of each run may differ in when, not in what.
      expect(ledger.events.length).toBe(copy.events.length);
      expect(busy.rows).toEqual(quiet.rows);
      for (const answer of busy.answers) {
        if (typeof answer === 'string') {
          expect(['counting', 'none']).toContain(answer);
          continue;
        }
        expect(answer.position).toBeGreaterThanOrEqual(head);
        for (const { state, period, spend } of answer.scene.standings) {
          const row = busy.tables.balances.get([TENANT, state.budgetId, formatInstant(period.start)].join('\u0000'));
          expect([state.budgetId, formatPicos(spend)]).toEqual([state.budgetId, row?.spend ?? '0']);
        }
      }
    }),
    { numRuns: 60 },
  ));
