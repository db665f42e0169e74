import type { EventStore } from '@bursar/event-store';
import type { MessageHandler } from '@nestjs/microservices';
import type { Bus } from '../../bus.js';
import { consumeLedger } from '../../ledger/consume.js';
import { BatchServer } from '../batch-server.js';
import { LEDGER_TRANSPORT, LedgerContext, type LedgerHandling } from './ledger-events.js';
import type { ConsumePartition, PartitionSupply } from './partition-supply.js';

export type LedgerServerOptions = Readonly<{ store: EventStore; bus: Bus; supply: PartitionSupply }>;

/** Hands the ledger to handlers of `LedgerEvents`. Needs the store; NATS for speed only. */
export class LedgerServer extends BatchServer {
  override readonly transportId = LEDGER_TRANSPORT;

  constructor(private readonly options: LedgerServerOptions) {
    super(options.bus);
  }

  protected override async consume(name: string, handler: MessageHandler): Promise<void> {
    const { store, bus, supply } = this.options;
    const { maxEvents, pollMs } = handler.extras as LedgerHandling;
    const closing = this.closing.signal;
    const consumePartition: ConsumePartition = (partition, after, until) => {
      const signal = AbortSignal.any([until, closing]);
      const context = new LedgerContext([partition, signal]);
      return consumeLedger({ store, bus, partition, after, signal, maxEvents, pollMs }, (batch) => this.handle(handler, batch, context));
    };
    try {
      await supply(name, consumePartition, closing);
    } catch (error) {
      bus.logger.error({ error, consumer: name }, 'a consumer of the ledger was given up: its partitions are no longer supplied');
    }
  }
}
