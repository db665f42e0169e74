import { Slots } from '@bursar/platform';
import type { HandoverRoom } from './handover.js';
import { LoopGate } from './loop-gate.js';
import { type MemoryLimits, MemoryRoom } from './memory-room.js';
import { Load } from './pace.js';

/**
 * Transactions at once: each is made of several round trips, and in every one of them it waits for the turns of the others. With sixteen at
 * once the database ends some for being idle.
 */
const COMMITS = 3;
const BREAKDOWN_COMMITS = 1;
/** Usage kept for the breakdown, of all partitions. */
const HANDED_OVER = 30_000;

/** What the partitions of a process have in common: one thread, one database and one memory. */
export class ProcessShare {
  readonly load = new Load();
  readonly loop = new LoopGate();
  readonly commits = new Slots(COMMITS);
  readonly breakdownCommits = new Slots(BREAKDOWN_COMMITS);
  readonly handedOver: HandoverRoom = { used: 0, limit: HANDED_OVER };
  readonly memory: MemoryRoom;

  constructor(limits: MemoryLimits) {
    this.memory = new MemoryRoom(limits);
  }
}
