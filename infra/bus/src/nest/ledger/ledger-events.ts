import type { LedgerEvent } from '@bursar/contracts';
import { BaseRpcContext } from '@nestjs/microservices';
import type { Batch, ConsumeOptions, Wanting } from '../../ledger/options.js';
import { batchPattern, type HandlerDecorator } from '../handler-decorator.js';

/** Handlers of {@link LedgerEvents} belong to this transport. */
export const LEDGER_TRANSPORT = Symbol('bursar.ledger');

/** The wanted events of one partition in position order; `last`, the position of the last event of any type, is the next checkpoint. */
export type LedgerBatch = Batch<LedgerEvent>;

export type LedgerHandling = Pick<ConsumeOptions, 'maxEvents' | 'pollMs' | 'gatherMs'> & Wanting;
const DEFAULTS: LedgerHandling = { maxEvents: 1_000, pollMs: 1_000 };

/** Where a batch is from. Aborted signal: the partition goes to somebody else, so a handler in doubt should give up. */
export class LedgerContext extends BaseRpcContext<[partition: number, signal: AbortSignal]> {
  get partition(): number {
    return this.getArgByIndex(0);
  }

  get signal(): AbortSignal {
    return this.getArgByIndex(1);
  }
}

/**
 * The handler, which takes no parameter decorators, gets the ledger's events, each partition for itself and in order, one batch at a time. It owns the checkpoint: `last`
 * is committed in the transaction of the batch's effects. Rejecting, or dying, means that the partition begins again after the
 * checkpoint. `consumer` is its name: it tells the partition supply whose checkpoints are asked for.
 */
export const LedgerEvents = (consumer: string, handling: Partial<LedgerHandling> = {}): HandlerDecorator<LedgerBatch, LedgerContext> =>
  batchPattern(consumer, LEDGER_TRANSPORT, { ...DEFAULTS, ...handling });
