import { decodeStored } from '@bursar/bus';
import type { PartitionSupply } from '@bursar/bus/nest';
import type { EventStore } from '@bursar/event-store';
import type { RecordAlerts } from '../../features/record-alerts.js';
import { CONSUMER, HANDLING } from './ledger.controller.js';

/** An installation without NATS: the same loop, woken by a timer and by what this process appends. Answers how to stop it. */
export const pollStore = (store: EventStore, supply: PartitionSupply, alerts: RecordAlerts): (() => Promise<void>) => {
  const stopping = new AbortController();
  const consume = (partition: number, after: number, until: AbortSignal): Promise<void> => {
    const signal = AbortSignal.any([until, stopping.signal]);
    return store.subscribe({ partition, after, batch: HANDLING.maxEvents, pollMs: HANDLING.pollMs, signal }, (stored) => {
      const events = stored.map(decodeStored);
      return alerts.batch(partition, events, events.at(-1)?.position ?? after);
    });
  };
  const running = supply(CONSUMER, consume, stopping.signal);
  return async () => {
    stopping.abort();
    await running;
  };
};
