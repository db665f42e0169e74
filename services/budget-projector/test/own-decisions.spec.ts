import type { EventOf } from '@bursar/contracts';
import { expect, test } from '@jest/globals';
import { FoldMemory } from '../src/features/fold-memory.js';
import { PartitionFold } from '../src/features/fold-partition.js';
import { MemoryRoom } from '../src/features/memory-room.js';
import { OwnChanges } from '../src/features/own-changes.js';
import { TenantHistories } from '../src/features/tenant-histories.js';
import { MemoryLedger } from './support/memory-ledger.js';
import { MemoryTables } from './support/memory-tables.js';

/** One that cannot be read, as where its text is broken. */
const unreadable = {
  type: 'HoldsChanged',
  id: 'e',
  stream: 'holds-0',
  position: 1,
  recordedAt: '2026-03-01T00:00:00Z',
  meta: { tenant: '' },
  get data(): never {
    throw new SyntaxError('broken');
  },
} as unknown as EventOf<'HoldsChanged'>;

const foldIt = async (own: OwnChanges) => {
  const [tables, ledger] = [new MemoryTables(), new MemoryLedger()];
  const room = new MemoryRoom({ tenants: 10, definitions: 10, periods: 10 });
  const memory = new FoldMemory(tables, ledger, new TenantHistories(tables), room);
  const fold = new PartitionFold(tables, memory, undefined, undefined, own);
  await fold.fold([unreadable], async () => undefined);
  return fold.takeChanges();
};

test('what an owner decided is folded without its event being read', async () => {
  const own = new OwnChanges();
  own.expect('e', [{ change: 'released', tenant: 'acme', reservationId: 'r', at: '2026-03-01T00:00:00Z' }]);
  const { position, quarantined } = await foldIt(own);
  expect([position, quarantined, own.count('e')]).toEqual([1, [], undefined]);
});

test('an event of holds that cannot be read is set aside, and the partition goes on', async () => {
  const { position, quarantined } = await foldIt(new OwnChanges());
  expect([position, quarantined]).toEqual([1, [{ position: 1, tenant: '', reason: 'SyntaxError: broken', budgetIds: null }]]);
});
