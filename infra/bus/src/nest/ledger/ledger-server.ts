import type { EventStore } from '@bursar/event-store';
import { CheckpointLostError } from '@bursar/leases';
import type { MessageHandler } from '@nestjs/microservices';
import type { Bus } from '../../bus.js';
import type { Sample } from '../../counters.js';
import { consumeLedger } from '../../ledger/consume.js';
import { BatchServer } from '../batch-server.js';
import { Followers } from './followers.js';
import { LEDGER_TRANSPORT, type LedgerBatch, LedgerContext, type LedgerHandling } from './ledger-events.js';
import type { ConsumePartition, PartitionSupply } from './partition-supply.js';

export type LedgerServerOptions = Readonly<{ store: EventStore; bus: Bus; supply: PartitionSupply }>;

/** Hands the ledger to handlers of `LedgerEvents`. Needs the store; NATS for speed only. */
export class LedgerServer extends BatchServer {
  override readonly transportId = LEDGER_TRANSPORT;
  readonly #followers = new Followers();
  readonly #stopHeads: () => void;

  constructor(private readonly options: LedgerServerOptions) {
    super(options.bus);
    this.#stopHeads = options.bus.hubOf(options.store).onHeads((heads) => this.#followers.heads(heads, performance.now()));
  }

  /** For readiness: each partition whose handler failed and has not been done with a batch since. Empty when all is well. */
  get problems(): readonly string[] {
    return this.#followers.problems;
  }

  /** Partitions, lag and failures of each consumer, for a registry's `collect`. To be exposed once the transports have started. */
  samples(): readonly Sample[] {
    return this.#followers.samples([...this.getHandlers().keys()], performance.now());
  }

  override async close(): Promise<void> {
    await super.close();
    this.#stopHeads();
  }

  protected override async consume(name: string, handler: MessageHandler): Promise<void> {
    const { bus, supply } = this.options;
    const closing = this.closing.signal;
    const consumePartition: ConsumePartition = async (partition, after, until) => {
      try {
        await this.#follow(name, handler, partition, after, AbortSignal.any([until, closing]));
        this.#followers.ends(name, partition);
      } catch (error) {
        // Taken by another: what it was behind is the other's, and nothing failed.
        if (error instanceof CheckpointLostError) this.#followers.ends(name, partition);
        else this.#followers.failed(name, partition, error);
        throw error;
      }
    };
    try {
      await supply(name, consumePartition, closing);
    } catch (error) {
      bus.logger.error({ error, consumer: name }, 'a consumer of the ledger was given up: its partitions are no longer supplied');
    }
  }

  async #follow(name: string, handler: MessageHandler, partition: number, after: number, signal: AbortSignal): Promise<void> {
    const { store, bus } = this.options;
    const handling = handler.extras as LedgerHandling;
    const context = new LedgerContext([partition, signal]);
    this.#followers.begins(name, partition, after, performance.now());
    await consumeLedger({ store, bus, partition, after, signal, ...handling }, async (batch: LedgerBatch) => {
      await this.handle(handler, batch, context);
      this.#followers.reached(name, partition, batch.last, performance.now());
    });
  }
}
