export { Bus, type BusOptions, connectBus } from './bus.js';
export { fromCloudEvent, MalformedEventError, toCloudEvent } from './cloud-event.js';
export type { Sample } from './counters.js';
export { decodeStored } from './decode.js';
export { consumeLedger, consumeStored } from './ledger/consume.js';
export type { Batch, ConsumeOptions } from './ledger/options.js';
export type { Logger } from './logger.js';
export type { StreamLimits } from './nats/streams.js';
export { type Relay, type RelayOptions, startRelay } from './relay/relay.js';
