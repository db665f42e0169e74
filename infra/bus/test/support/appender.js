// Appends to a partition and publishes what it appended, until it is killed. Runs on the built packages: a process of its own.

import { createHash, randomUUID } from 'node:crypto';
import { connectBus } from '@bursar/bus';
import { createEventStore } from '@bursar/event-store';

const [databaseUrl, natsUrl, partition] = process.argv.slice(2);
const store = await createEventStore(databaseUrl, { partitions: 4 });
const bus = await connectBus({ url: natsUrl, name: 'appender' });
store.onAppended((range) => bus.publishRange(range));

const event = () => {
  const data = JSON.stringify({ id: randomUUID() });
  const contentHash = createHash('sha256').update(data).digest();
  return { id: randomUUID(), type: 'UsageRecorded', version: 1, data, meta: '{"tenant":"acme"}', contentHash };
};

const appendForEver = async () => {
  for (;;) {
    const events = [event(), event(), event()];
    await store.append({ partition: Number(partition), stream: 'usage-acme', events, expectedRevision: 'any' });
  }
};
await Promise.all([appendForEver(), appendForEver()]);
