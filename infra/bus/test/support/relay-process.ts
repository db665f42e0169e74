import { connectBus, startRelay } from '@bursar/bus';
import { createPool } from '@bursar/database';
import { createEventStore } from '@bursar/event-store';

/** A process that relays and does nothing else, to be killed and frozen: DATABASE_URL, NATS_URL, PARTITIONS, LEASE_MS. */
const { DATABASE_URL: url = '', NATS_URL, PARTITIONS, LEASE_MS } = process.env;
const store = await createEventStore(url, { partitions: Number(PARTITIONS) });
const bus = await connectBus({ url: NATS_URL, name: 'relay' });
startRelay({ store, bus, pool: createPool(url, { name: 'relay', max: 2 }), url, pollMs: 50, leaseMs: Number(LEASE_MS) });
