export * from './port.js';
export type { EventStoreOptions } from './postgres/options.js';
export { createEventStore } from './postgres/postgres-event-store.js';
