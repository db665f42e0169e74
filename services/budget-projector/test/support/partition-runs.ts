import { NS_PER_MS } from '@bursar/contracts';
import { type TestDatabase, testDatabase } from '@bursar/embedded';
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { StoreLedger } from '../../src/adapters/store/store-ledger.js';
import { ProcessShare } from '../../src/features/process-share.js';
import { PartitionRunner, type Tuning } from '../../src/features/run-partition.js';
import { type Crossing, FailingLedger, failingTables, Heard } from './faults.js';
import { KEY, lastingLease, seize } from './leases.js';
import { type Real, real } from './real.js';

/** Small batches and no pauses, so that a short story has many commits. */
export const TUNING: Tuning = {
  retryMs: 2,
  maxEvents: 5,
  pauseMs: 0,
  breakdownPauseMs: 0,
  mostPending: 50,
  now: () => BigInt(Date.now()) * NS_PER_MS,
};

/** Next to nothing stays in memory. */
export const share = (): ProcessShare => new ProcessShare({ tenants: 1, definitions: 3, periods: 3 });

type Options = Readonly<{ fault?: (where: Crossing) => void; before?: () => Promise<void> }>;
type Run = Readonly<{ heard: Heard; runner: PartitionRunner; stop: () => Promise<void> }>;

/** What a file of tests runs owners of a partition on: a real store for each test, whose owners end with it. */
export const partitionRuns = (): Readonly<{ at: Real; run: (options?: Options) => Run }> => {
  let at: Real;
  let server: TestDatabase;
  const stops: AbortController[] = [];
  const done: Promise<void>[] = [];
  let owners = 0;
  beforeAll(async () => {
    server = await testDatabase(); // keeps the server up from one test to the next
  });
  afterAll(() => server.drop());
  beforeEach(async () => {
    at = await real();
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) stop.abort();
    await Promise.all(done.splice(0));
    await at.close();
  });
  const run = ({ fault = () => undefined, before }: Options = {}): Run => {
    const heard = new Heard();
    const ledger = new FailingLedger(new StoreLedger(at.store, null), fault, before);
    const tables = failingTables(at.tables, fault, (key) => seize(at.db, key));
    owners += 1;
    const lease = lastingLease({ ...KEY, owner: `owner-${owners}` });
    const runner = new PartitionRunner(tables, ledger, heard, TUNING, share(), lease);
    const stop = new AbortController();
    stops.push(stop);
    const ended = runner.run(stop.signal);
    done.push(ended);
    const halt = (): Promise<void> => {
      stop.abort();
      return ended;
    };
    return { heard, runner, stop: halt };
  };
  return {
    get at() {
      return at;
    },
    run,
  };
};
