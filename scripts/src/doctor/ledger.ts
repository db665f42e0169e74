import { setTimeout as delay } from 'node:timers/promises';
import { about, type Finding } from './finding.ts';
import { examineFollowers, isAnyoneBehind, ranges, type Sample } from './followers.ts';
import { withClient } from './postgres.ts';

const { ok, warn, bad } = about('ledger');
/** Whoever is behind must have moved by then. */
const PATIENCE_MS = 2_000;

/** How far everyone who follows the ledger has come, against its heads; and whether every partition has an owner. */
export const examineLedger = async (eventStoreUrl: string, databaseUrl: string): Promise<readonly Finding[]> => {
  const before = await sample(eventStoreUrl, databaseUrl);
  if (isAnyoneBehind(before)) await delay(PATIENCE_MS);
  const now = await sample(eventStoreUrl, databaseUrl);
  const total = [...now.heads.values()].reduce((sum, position) => sum + position, 0);
  return [
    ok(`${total} events in ${now.heads.size} partitions`),
    ...examineFollowers(before, now),
    ...(await withClient(databaseUrl, async (client) => {
      const { rows: leases } = await client.query<Lease>(
        "SELECT partition, CASE WHEN expires_at > clock_timestamp() THEN owner END AS owner FROM projection.lease WHERE consumer = 'budget'",
      );
      const { rows: quarantine } = await client.query<{ events: number }>('SELECT count(*)::int AS events FROM projection.quarantine');
      return [...examineOwners(leases), ...examineQuarantine(quarantine[0]?.events ?? 0)];
    })),
  ];
};

/** Heads last: a checkpoint read before them is never ahead of them by chance. */
const sample = async (eventStoreUrl: string, databaseUrl: string): Promise<Sample> => {
  const followers = new Map<string, Map<number, number>>();
  await withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ projection: string; partition: number; position: string }>(
      'SELECT projection, partition, position FROM projection.checkpoint',
    );
    for (const { projection, partition, position } of rows) {
      const positions = followers.get(projection) ?? new Map<number, number>();
      followers.set(projection, positions.set(partition, Number(position)));
    }
  });
  const heads = await withClient(eventStoreUrl, async (client) => {
    const { rows } = await client.query<{ partition: number; position: string }>('SELECT partition, position FROM store.partitions');
    return new Map(rows.map(({ partition, position }) => [partition, Number(position)]));
  });
  return { heads, followers };
};

/** `owner`: null when the lease was given up or has run out. */
type Lease = Readonly<{ partition: number; owner: string | null }>;

const examineOwners = (leases: readonly Lease[]): readonly Finding[] => {
  const orphans = leases.filter(({ owner }) => owner === null).map(({ partition }) => partition);
  const owners = new Set(leases.map(({ owner }) => owner)).size;
  if (orphans.length === 0) return [ok(`${leases.length} partitions owned, by ${owners} of the budget-projectors`)];
  return [bad(`nobody owns partition ${ranges(orphans)}: its budgets do not move`, 'start a budget-projector, or see its log')];
};

const examineQuarantine = (events: number): readonly Finding[] =>
  events === 0
    ? []
    : [warn(`${events} events set aside as unreadable; their budgets are incomplete`, 'see the table projection.quarantine')];
