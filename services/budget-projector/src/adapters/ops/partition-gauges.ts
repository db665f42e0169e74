import type { Metrics } from '@bursar/platform';
import { Gauge } from 'prom-client';
import type { Projection } from '../../features/projection-tables.js';

/** Committed positions of this process, by `<projection> <partition>`; those of partitions given up since stay. */
export type Positions = Map<`${Projection} ${number}`, number>;

const PROJECTIONS: readonly Projection[] = ['budget', 'breakdown'];

/** What the store says of its partitions. */
export type LedgerState = Readonly<{
  heads: () => Promise<ReadonlyMap<number, number>>;
  /** Seconds since the event after a position was recorded; 0 when there is none. */
  ageAfter: (partition: number, position: number) => Promise<number>;
}>;

/** How many partitions this process owns, and how far each has come: read when somebody looks, so what is given up disappears. */
export const registerPartitionGauges = (
  registry: Metrics['registry'],
  positions: Positions,
  { heads, ageAfter }: LedgerState,
  owned: () => readonly number[],
): void => {
  const registers = [registry];
  new Gauge({
    name: 'bursar_projector_owned_partitions',
    help: 'Partitions this process has the lease of',
    registers,
    collect() {
      this.set(owned().length);
    },
  });
  const show = (gauge: Gauge<'projection' | 'partition'>, valueAt: (partition: number, position: number) => number): void => {
    gauge.reset();
    for (const partition of owned()) {
      for (const projection of PROJECTIONS) {
        const position = positions.get(`${projection} ${partition}`);
        if (position !== undefined) gauge.set({ projection, partition }, valueAt(partition, position));
      }
    }
  };
  const labelNames = ['projection', 'partition'] as const;
  new Gauge({
    name: 'bursar_projector_position',
    help: 'Committed checkpoint, per owned partition',
    labelNames,
    registers,
    collect() {
      show(this, (_, position) => position);
    },
  });
  new Gauge({
    name: 'bursar_projector_lag_events',
    help: 'Events in the store that are not committed yet, per owned partition',
    labelNames,
    registers,
    async collect() {
      const at = await heads();
      show(this, (partition, position) => Math.max(0, (at.get(partition) ?? 0) - position));
    },
  });
  new Gauge({
    name: 'bursar_projection_lag_seconds',
    help: 'Age of the oldest event of the owned partitions that is not committed yet',
    labelNames: ['projection'],
    registers,
    async collect() {
      const at = await heads();
      for (const projection of PROJECTIONS) {
        const behind = owned().flatMap((partition) => {
          const position = positions.get(`${projection} ${partition}`);
          return position !== undefined && position < (at.get(partition) ?? 0) ? [ageAfter(partition, position)] : [];
        });
        this.set({ projection }, Math.max(0, ...(await Promise.all(behind))));
      }
    },
  });
};
