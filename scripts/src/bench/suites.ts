import { alertsSuite } from './alerts.ts';
import { appendSuite } from './append.ts';
import { busSuite } from './bus.ts';
import { catchUpSuite } from './catch-up.ts';
import { fanOutSuite } from './fan-out.ts';
import { idleSuite } from './idle.ts';
import { ingestSuite } from './ingest.ts';
import { litellmSuite } from './litellm.ts';
import { periodsSuite } from './periods.ts';
import { readsSuite } from './reads.ts';
import { reserveSuite } from './reserve/suite.ts';
import type { Suite } from './suite.ts';

/** In the order they run. */
export const SUITES: Readonly<Record<string, Suite>> = {
  idle: idleSuite,
  append: appendSuite,
  bus: busSuite,
  'fan-out': fanOutSuite,
  ingest: ingestSuite,
  'catch-up': catchUpSuite,
  alerts: alertsSuite,
  litellm: litellmSuite,
  reads: readsSuite,
  periods: periodsSuite,
  reserve: reserveSuite,
};
