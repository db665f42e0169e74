export { GENESIS } from './chain.js';
export { linkOfAppend } from './link-of-append.js';
export { lastRecordedBy, recordedAt } from './moments.js';
export * from './port.js';
export type { EventStoreOptions } from './postgres/options.js';
export { createEventStore } from './postgres/postgres-event-store.js';
export { streamPages } from './stream-pages.js';
