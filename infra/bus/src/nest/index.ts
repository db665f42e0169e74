export type { DeliveryInfo, DurableMessage } from './durable/delivery.js';
export { DURABLE_TRANSPORT, DurableContext, DurableMessages, type DurableOptions } from './durable/durable-messages.js';
export { DurableServer } from './durable/durable-server.js';
export { LEDGER_TRANSPORT, type LedgerBatch, LedgerContext, LedgerEvents } from './ledger/ledger-events.js';
export { LedgerServer, type LedgerServerOptions } from './ledger/ledger-server.js';
export { type AllPartitions, allPartitions, type ConsumePartition, type PartitionSupply } from './ledger/partition-supply.js';
