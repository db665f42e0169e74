import { type EpochNs, formatPicos, type LedgerEvent, NS_PER_SECOND, parseInstant, type UsageRecordedEvent } from '@bursar/contracts';
import { CorrectionsMet, isVoided, settledCharge } from '@bursar/contracts/folds';
import type { TenantHistory } from '../../domain/tenant-history.js';
import { TreeSums } from '../../domain/tree-sums.js';
import { isCorrection, isUnreadable, type LedgerItem } from '../ledger.js';
import type { AuditReads, CellSum } from './audit-reads.js';

/** What an audit reads of the ledger. */
export type TreeLedger = Readonly<{
  /** The last events of a partition up to its breakdown's checkpoint, oldest first. */
  last(partition: number, limit: number): Promise<readonly LedgerItem[]>;
  /** A tenant's usage, newest first, from its end. */
  usageBackwards(tenant: string, limit: number): Promise<readonly LedgerItem[]>;
  history(tenant: string): Promise<TenantHistory>;
}>;

const QUARTER_HOUR = 900n * NS_PER_SECOND;
/** Usage may be ahead of the clock by 5 minutes. */
const AHEAD = 600n * NS_PER_SECOND;
const RECENT = 100;
/** A tenant with more than this in so short a time, or this many definitions, is not looked at: the look is for all, and cheap. */
const MOST_EVENTS = 2_000;
const MOST_DEFINITIONS = 5_000;

/**
 * Adds a recent quarter hour of one tenant up from the ledger, children + direct = parent at every scope, and compares it with the tables. null:
 * nothing to look at, or too much.
 */
export const auditTree = async (reads: AuditReads, ledger: TreeLedger, partition: number): Promise<readonly string[] | null> => {
  const recent = await ledger.last(partition, RECENT);
  const sample = recent.filter(isUsage);
  const chosen = sample[Math.floor(Math.random() * sample.length)];
  if (chosen === undefined || (await reads.definitions(chosen.meta.tenant)) > MOST_DEFINITIONS) return null;
  const { tenant } = chosen.meta;
  const bucket = quarterOf(parseInstant(chosen.data.occurredAt));
  const { position, cells, setAside } = await reads.cells(partition, tenant, bucket);
  const usage = await ledger.usageBackwards(tenant, MOST_EVENTS);
  const first = usage.at(-1);
  const isWhole = usage.length < MOST_EVENTS || (first !== undefined && !isUnreadable(first) && isBefore(first, bucket));
  if (!isWhole) return null;

  const history = await ledger.history(tenant);
  const sums = new TreeSums(history.definitions);
  const said = new CorrectionsMet();
  for (const event of usage) {
    if (isUnreadable(event) || event.position > position || setAside.has(event.position)) continue;
    if (isCorrection(event)) said.add(event);
    if (event.type !== 'UsageRecorded') continue;
    // What is charged by more than the event and what was said of it, this does not add up.
    if (event.data.reservationId !== undefined) return null;
    const corrections = said.take(event.id);
    const { charged } = settledCharge(event, history.definitions, history.arrivals, position, corrections);
    if (quarterOf(charged.effectiveAt) === bucket && !isVoided(corrections)) sums.add(event, charged);
  }
  const where = `${tenant} quarter hour ${bucket / QUARTER_HOUR}`;
  return [
    ...sums.unreached.map(({ scope, position: at }) => `${where}: ${scope} is out of the tree of the usage at position ${at}`),
    ...differences(sums, cells).map((text) => `${where}: ${text}`),
  ];
};

const differences = (sums: TreeSums, cells: readonly CellSum[]): readonly string[] => {
  const table = new Map<string, bigint>(cells.map(({ scope, currency, picos }) => [`${scope} ${currency}`, picos]));
  const counted = new Map<string, bigint>(
    sums.scopes().flatMap((scope) => [...sums.total(scope)].map(([currency, picos]) => [`${scope} ${currency}`, picos] as const)),
  );
  return [...new Set([...table.keys(), ...counted.keys()])].flatMap((key) => {
    const [is, adds] = [table.get(key) ?? 0n, counted.get(key) ?? 0n];
    return is === adds ? [] : [`${key}: ${formatPicos(is)}, but children and direct usage come to ${formatPicos(adds)}`];
  });
};

const isUsage = (item: LedgerItem): item is UsageRecordedEvent => !isUnreadable(item) && item.type === 'UsageRecorded';
const quarterOf = (at: EpochNs): EpochNs => (at / QUARTER_HOUR) * QUARTER_HOUR;
const isBefore = ({ recordedAt }: LedgerEvent, bucket: EpochNs): boolean => parseInstant(recordedAt) + AHEAD < bucket;
