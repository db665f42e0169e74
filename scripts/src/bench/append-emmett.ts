import { type CallerFigures, callers } from './append-ours.ts';
import { inFreshDatabase } from './bench-database.ts';

/** The part of emmett's store that is used; it is a dependency of the benchmark alone and may be absent. */
type Emmett = {
  appendToStream(stream: string, events: readonly object[], options: object): Promise<unknown>;
  close(): Promise<void>;
  schema: { migrate(): Promise<unknown> };
};

const MAX_RETRIES = 10_000;

/**
 * The same single-event appends through `@event-driven-io/emmett-postgresql` with its default pool; null when it is not installed.
 * On one hot stream its optimistic concurrency refuses most callers, which try again, as its users must.
 */
export const emmettSingles = async (
  serverUrl: string,
  options: { appends: number; callers: number; hot: boolean },
): Promise<CallerFigures | null> => {
  const open = await load();
  if (open === null) return null;
  return inFreshDatabase(serverUrl, async (url) => {
    const store = open(url);
    try {
      await store.schema.migrate();
      return await callers(options, (caller, n) => {
        const stream = options.hot ? 'bench-hot' : `bench-stream${caller}`;
        const event = { type: 'UsageRecorded', data: { seed: `${caller}/${n}`, amount: '0.0125' }, metadata: { tenant: 'bench' } };
        return untilAccepted(() => store.appendToStream(stream, [event], { expectedStreamVersion: 'NO_CONCURRENCY_CHECK' }));
      });
    } finally {
      await store.close();
    }
  });
};

const load = async (): Promise<((url: string) => Emmett) | null> => {
  try {
    const name = '@event-driven-io/emmett-postgresql';
    const { getPostgreSQLEventStore } = (await import(name)) as { getPostgreSQLEventStore: (url: string) => Emmett };
    return getPostgreSQLEventStore;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') return null;
    throw error;
  }
};

const untilAccepted = async (append: () => Promise<unknown>): Promise<void> => {
  for (let tries = 1; ; tries += 1) {
    try {
      await append();
      return;
    } catch (error) {
      if (tries === MAX_RETRIES || !isConflict(error)) throw error;
    }
  }
};

const isConflict = (error: unknown): boolean =>
  error instanceof Error && /ExpectedVersion|Concurrency/i.test(`${error.name} ${error.message}`);
