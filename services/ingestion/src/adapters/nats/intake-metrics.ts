import type { Backlog } from '@bursar/bus/nest';
import type { Metrics } from '@bursar/platform';
import { Gauge } from 'prom-client';

/** `bursar_intake_messages{state}`: how far intake over NATS is behind, all replicas together. Nothing is shown until it was asked for. */
export const exposeBacklogs = ({ registry }: Metrics, backlogs: () => readonly Backlog[]): void => {
  new Gauge({
    name: 'bursar_intake_messages',
    help: 'Messages of usage.ingest.* that wait, and that replicas are working on, as last seen',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      for (const { waiting, unacknowledged } of backlogs()) {
        this.set({ state: 'waiting' }, waiting);
        this.set({ state: 'in_work' }, unacknowledged);
      }
    },
  });
};
