import type { EventOf, LedgerEvent } from '@bursar/contracts';
import { describe, expect, test } from '@jest/globals';
import { AlertLedger, AlertTables, Budgets, Causes, Noticed, type Raising, type RecordedBatch, Standings } from './ports.js';
import { RecordAlerts } from './record-alerts.js';

/** Where a process may die: before or after a thing that lasts. */
class Killed extends Error {}
class Steps {
  #left: number;
  constructor(readonly dieAt: number) {
    this.#left = dieAt;
  }
  pass(): void {
    if (this.#left === 0) throw new Killed();
    this.#left -= 1;
  }
}

/** The ledger and the tables of one partition: what outlives a process. */
class World {
  readonly events: LedgerEvent[] = [];
  readonly rows: { alertId: string; revision: number }[] = [];
  checkpoint = 0;

  tell(id: string): void {
    const position = this.events.length + 1;
    const data = {
      budgetId: 'b1',
      budgetName: 'Monthly',
      scope: 'team:ml',
      periodStart: '2026-11-01T00:00:00Z',
      periodEnd: '2026-12-01T00:00:00Z',
      threshold: '80%',
      definition: { percent: '80', severity: 'warning', actions: ['notify'] },
      episode: position,
      spend: '800',
      limit: '1000',
      currency: 'EUR',
      percentUsed: '80.00',
      causePosition: position,
    } satisfies EventOf<'ThresholdCrossed'>['data'];
    this.events.push({ ...this.#place('balance-acme.b1', position, id), type: 'ThresholdCrossed', data });
  }

  raise(raising: Raising): void {
    const raised = this.events.filter((event) => event.type === 'AlertRaised');
    if (raised.some(({ data }) => data.alertId === raising.data.alertId)) return;
    const position = this.events.length + 1;
    this.events.push({
      ...this.#place('alert-acme', position, `raised-${raising.data.alertId}`),
      revision: raised.length,
      type: 'AlertRaised',
      data: raising.data,
    });
  }

  #place(stream: string, position: number, id: string) {
    return { partition: 0, position, stream, revision: 0, id, recordedAt: '2026-11-10T00:00:00Z', meta: { tenant: 'acme' } };
  }
}

class FaultyLedger extends AlertLedger {
  constructor(
    private readonly world: World,
    private readonly steps: Steps,
  ) {
    super();
  }
  async raise(_partition: number, _tenant: string, alerts: readonly Raising[]): Promise<void> {
    for (const alert of alerts) {
      this.steps.pass();
      this.world.raise(alert);
    }
    this.steps.pass();
  }
  async head(): Promise<number> {
    return this.world.events.length;
  }
}

class FaultyTables extends AlertTables {
  constructor(
    private readonly world: World,
    private readonly steps: Steps,
  ) {
    super();
  }
  async begin() {
    return { position: this.world.checkpoint, begunAt: 0 };
  }
  concerns({ type }: LedgerEvent): boolean {
    return type === 'AlertRaised';
  }
  /** Checkpoints alone follow behind: at their worst, as here, only with what is recorded next. */
  async record({ last, events, alerts }: RecordedBatch): Promise<void> {
    this.steps.pass();
    if (events.length === 0) return;
    this.world.rows.push(...alerts.map(({ data: { alertId }, revision }) => ({ alertId, revision })));
    this.world.checkpoint = last;
    this.steps.pass();
  }
}

class NoBudgets extends Budgets {
  async at(): Promise<null> {
    return null;
  }
  fold(): void {}
  forget(): void {}
}
class KnownCauses extends Causes {
  async recordedAt(_partition: number, positions: readonly number[]): Promise<ReadonlyMap<number, string>> {
    return new Map(positions.map((position) => [position, '2026-11-09T00:00:00Z']));
  }
}
class NoStandings extends Standings {
  async of(): Promise<never> {
    throw new Error('no lifecycle event is told');
  }
}
class NoNotices extends Noticed {
  async budgetOn(): Promise<null> {
    return null;
  }
  async hasCrossed(): Promise<never> {
    throw new Error('no notice is told');
  }
}

const NEVER = new AbortController().signal;

/** A process: from its checkpoint on, batches of two, until nothing is left or it dies. */
const live = async (world: World, steps: Steps): Promise<'done' | 'killed'> => {
  const ledger = new FaultyLedger(world, steps);
  const alerts = new RecordAlerts({
    tables: new FaultyTables(world, steps),
    ledger,
    budgets: new NoBudgets(),
    causes: new KnownCauses(),
    standings: new NoStandings(),
    noticed: new NoNotices(),
    effects: [],
  });
  try {
    let at = await alerts.startAfter({ partition: 0, owner: 'test', epoch: 1 });
    while (at < world.events.length) {
      const events = world.events.slice(at, at + 2);
      at += events.length;
      await alerts.batch(0, events, at, NEVER);
    }
    return 'done';
  } catch (error) {
    if (error instanceof Killed) return 'killed';
    throw error;
  }
};

describe('killed between any two steps', () => {
  test('every crossing is raised and recorded once, under its own id, numbered without a gap', async () => {
    for (let dieAt = 0; ; dieAt += 1) {
      const world = new World();
      for (const id of ['a', 'b', 'c', 'd', 'e']) world.tell(id);
      const first = await live(world, new Steps(dieAt));
      // It dies once more a step later than it came to, and then lives.
      await live(world, new Steps(dieAt + 1));
      await live(world, new Steps(Number.POSITIVE_INFINITY));
      expect(world.rows).toEqual(['a', 'b', 'c', 'd', 'e'].map((alertId, revision) => ({ alertId, revision })));
      if (first === 'done') return;
    }
  });
});
