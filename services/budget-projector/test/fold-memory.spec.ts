import { type EpochNs, type LedgerEvent, NS_PER_SECOND, parseInstant } from '@bursar/contracts';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { Changes } from '../src/domain/changes.js';
import { Hold } from '../src/domain/holds/hold.js';
import { TenantHistory } from '../src/domain/tenant-history.js';
import { FoldMemory } from '../src/features/fold-memory.js';
import { type HoldRow, toHoldRow } from '../src/features/hold-rows.js';
import { MemoryRoom } from '../src/features/memory-room.js';
import { TenantHistories } from '../src/features/tenant-histories.js';
import { budgetOfOne } from './support/desk.js';
import { grant } from './support/grant.js';
import { MemoryLedger } from './support/memory-ledger.js';
import { MemoryTables } from './support/memory-tables.js';
import { toStored } from './support/stored-hold.js';

const MARCH: EpochNs = parseInstant('2026-03-01T00:00:00Z');

const released = (): Hold => {
  const hold = new Hold('acme', 'r', grant(), 2);
  hold.status = 'released';
  hold.end = { at: '2026-03-01T00:01:00Z', position: 3 };
  return hold;
};

/** As if read from the tables: of acme's one budget, or of as many events as the tenant's name says. */
class GivenHistories extends TenantHistories {
  override async get(tenant: string): Promise<TenantHistory> {
    const history = tenant === 'acme' ? budgetOfOne() : new TenantHistory(tenant);
    for (let position = 1; position <= Number(/\d+/.exec(tenant)?.[0] ?? 0); position += 1) {
      history.evolve({ type: 'TemplateRemoved', position, meta: { tenant } } as LedgerEvent);
    }
    this.count(history);
    return history;
  }
}

describe('memory beyond its limits', () => {
  let memory: FoldMemory;
  let tables: MemoryTables;
  let histories: TenantHistories;
  const known = (...tenants: readonly string[]) => tenants.filter((tenant) => memory.known(tenant) !== undefined);
  beforeEach(() => {
    tables = new MemoryTables();
    histories = new GivenHistories(tables);
    memory = new FoldMemory(tables, new MemoryLedger(), histories, new MemoryRoom({ tenants: 2, definitions: 1_000, periods: 2 }));
  });
  const load = async (...tenants: readonly string[]): Promise<void> => {
    for (const tenant of tenants) {
      memory.step += 1;
      await memory.tenant(tenant);
    }
  };
  const loadPeriods = async (count: number): Promise<ReadonlyMap<EpochNs, unknown>> => {
    const budget = (await memory.tenant('acme')).budgets.get('one');
    if (budget === undefined) throw new Error('there is one budget');
    for (let n = 0; n < count; n += 1) {
      const period = budget.periodAt(MARCH + BigInt(n) * 31n * 86_400n * NS_PER_SECOND);
      if (period !== null) await memory.load([{ budget, period }]);
    }
    return budget.periods;
  };

  test('lets the coldest tenants and periods go', async () => {
    const periods = await loadPeriods(4);
    await load('b', 'c');
    memory.evict(new Changes());
    expect([known('acme', 'b', 'c'), periods.size]).toEqual([['c'], 4]);
    const again = await loadPeriods(4);
    memory.evict(new Changes());
    expect(again.size).toBe(1);
  });

  describe('of definitions', () => {
    beforeEach(() => {
      memory = new FoldMemory(tables, new MemoryLedger(), histories, new MemoryRoom({ tenants: 100, definitions: 10, periods: 2 }));
    });

    test('lets the coldest tenants go, as many as make room', async () => {
      await load('a3', 'b3', 'c3', 'd3');
      memory.evict(new Changes());
      expect(known('a3', 'b3', 'c3', 'd3')).toEqual(['c3', 'd3']);
      expect(memory.held.definitions).toBe(6);
    });

    test('keeps the two used last, whatever their size', async () => {
      await load('a3', 'b900', 'c900');
      memory.evict(new Changes());
      expect(known('a3', 'b900', 'c900')).toEqual(['b900', 'c900']);
    });

    test('counts what is added to a tenant, and forgets first what only others asked for', async () => {
      await load('a3', 'b3', 'c3');
      await histories.get('stranger5');
      expect(memory.held.definitions).toBe(14);
      memory.evict(new Changes());
      expect(known('a3', 'b3', 'c3')).toEqual(['b3', 'c3']);
      const b3 = await memory.tenant('b3');
      for (let position = 4; position <= 9; position += 1) {
        b3.history.evolve({ type: 'TemplateRemoved', position, meta: { tenant: 'b3' } } as LedgerEvent);
        memory.grown(b3);
      }
      expect(memory.held.definitions).toBe(12);
    });
  });

  test('keeps everything for as long as a question to the tables is to be compared with it, and lets it go afterwards', async () => {
    const hold = released();
    tables.reservations.holdRows.set('acme\u0000r', toStored(toHoldRow(hold) as HoldRow));
    tables.reservations.ownRows.add('acme\u0000r');
    const periods = await loadPeriods(4);
    await load('b', 'c');
    const acme = await memory.tenant('acme');
    await memory.hold(acme, 'r');
    memory.lookups += 2;
    for (const left of [2, 1]) {
      memory.lookups = left;
      memory.evict(new Changes());
      expect([known('b', 'c', 'acme'), periods.size, acme.holds.has('r')]).toEqual([['b', 'c', 'acme'], 4, true]);
    }
    memory.lookups = 0;
    memory.evict(new Changes());
    expect([known('b', 'c', 'acme').length, acme.holds.has('r')]).toEqual([1, false]);
  });

  test('keeps a closed hold until the tables have it', async () => {
    const acme = await memory.tenant('acme');
    const hold = released();
    acme.holds.set(hold);
    memory.closed(acme, hold);
    const unwritten = new Changes();
    unwritten.holds.add(hold);
    memory.evict(unwritten);
    expect(acme.holds.get('r')).toBe(hold);
    memory.writing = unwritten;
    memory.evict(new Changes());
    expect(acme.holds.get('r')).toBe(hold);
    memory.writing = null;
    memory.evict(new Changes());
    expect(acme.holds.has('r')).toBe(false);
  });

  test('keeps a tenant with what is decided and not folded, with what is not written, and with what is being written', async () => {
    await load('acme', 'b', 'c');
    const acme = await memory.tenant('acme');
    acme.usedAt = 0;
    const decided = grant();
    acme.undecided.add(decided, []);
    const unwritten = new Changes();
    unwritten.tenants.add('b');
    memory.writing = new Changes();
    memory.writing.tenants.add('c');
    memory.evict(unwritten);
    expect(known('acme', 'b', 'c')).toEqual(['acme', 'b', 'c']);
    acme.undecided.take([decided]);
    acme.undecided.ending.add('r');
    memory.evict(unwritten);
    expect(known('acme', 'b', 'c')).toEqual(['acme', 'b', 'c']);
    acme.undecided.ending.delete('r');
    acme.usedAt = 0;
    memory.evict(unwritten);
    expect(known('acme', 'b', 'c')).toEqual(['b', 'c']);
  });
});
