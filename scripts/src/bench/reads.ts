import { Checkpoints } from './checkpoints.ts';
import { tenantsApart } from './load.ts';
import { type Question, rateRow, timeRow } from './reads-ask.ts';
import { LedgerWriter, PRICED_MODEL } from './reads-data.ts';
import type { BenchRow } from './row.ts';
import type { Sizes, Suite } from './suite.ts';
import { type RunningSystem, withSystem } from './system.ts';

/** What `scripts/up` gives the services. */
const PARTITIONS = 16;
const FIRST = 1;
const SECOND = 1_000;
const OTHERS = 'status, a tenant of 1 budget beside all the others';

/** By the budgets of the tenant. A tree is cut at 2,000 scopes and budgets (`truncated`), so past those its cost is that of the cut. */
const KINDS: readonly (readonly [kind: string, path: (budgetId: string, tenant: string) => string])[] = [
  ['status', (budgetId) => `/budgets/${budgetId}/status`],
  ['hierarchy of one team of 50', () => '/budgets/hierarchy/team/t0'],
  ['hierarchy from the root, cut at 2,000', (_, tenant) => `/budgets/hierarchy/tenant/${tenant}`],
  ['page of 50 budgets', () => '/budgets'],
  ['budgets of one scope', () => '/budgets/scope/user/u0'],
];
const rowName = (kind: string, budgets: number): string => `${kind}, a tenant of ${budgets.toLocaleString('en')} budgets`;

/**
 * Questions over HTTP at the api, 8 connections: how their cost grows with the budgets of a tenant, with other tenants, and with events.
 * All of it is in one system with data on disk; sizes by `--budgets` and `--events`.
 */
export const readsSuite: Suite = {
  about: 'status, trees and lists with 1, 1,000 and 100,000 budgets; breakdown and as-of over 1 M events (--budgets, --events)',
  rows: [...[FIRST, SECOND].flatMap((budgets) => KINDS.map(([kind]) => rowName(kind, budgets))), OTHERS],
  ownSystem: true,
  run: (_shared, emit, sizes) => withSystem({}, (system) => measureAll(system, emit, sizes)),
};

type Emit = (...rows: readonly BenchRow[]) => void;
type Given = Readonly<{ system: RunningSystem; writer: LedgerWriter; settled: () => Promise<void>; emit: Emit }>;

const measureAll = async (system: RunningSystem, emit: Emit, { budgets, events }: Sizes): Promise<void> => {
  const [first = '', second = '', third = '', busy = ''] = tenantsApart(4, PARTITIONS);
  await LedgerWriter.using(system, (writer) =>
    Checkpoints.using(system.databaseUrl, async (checkpoints) => {
      const settled = async (): Promise<void> => {
        await checkpoints.reach('budget', writer.positions, 50);
        await checkpoints.reach('breakdown', writer.positions, 50);
        await checkpoints.counted(50);
      };
      const given = { system, writer, settled, emit };
      const alone = new Map<string, number>();
      const id = await byBudgets(given, first, FIRST, alone);
      await byBudgets(given, second, SECOND, alone);
      await byBudgets(given, third, budgets, alone);
      emit(await rateRow(system, first, OTHERS, `/budgets/${id}/status`, alone.get('status')));
      await byEvents(given, busy, events);
    }),
  );
};

/** Answers the id of a budget. `alone`: what the smallest tenant got of each kind. */
const byBudgets = async (
  { system, writer, settled, emit }: Given,
  tenant: string,
  budgets: number,
  alone: Map<string, number>,
): Promise<string> => {
  const id = await writer.tenant(tenant, budgets);
  await writer.usage(tenant, 2_000);
  await settled();
  for (const [kind, path] of KINDS) {
    const row = await rateRow(system, tenant, rowName(kind, budgets), path(id, tenant), alone.get(kind));
    if (row.value !== null && !alone.has(kind)) alone.set(kind, row.value);
    emit(row);
  }
  return id;
};

const byEvents = async ({ system, writer, settled, emit }: Given, tenant: string, events: number): Promise<void> => {
  const list = await writer.prices(tenant);
  const id = await writer.tenant(tenant, 20);
  await writer.usage(tenant, events, { priced: true });
  await settled();
  const [partition, last] = [...writer.positions].find(([at]) => at === writer.partitionOf(tenant)) ?? [0, 0];
  const [atEnd, atHalf] = [`${partition}:${last}`, `${partition}:${last - Math.floor(events / 2)}`];
  const shown = `${events.toLocaleString('en')} events`;
  const get = (path: string): Question => ({ method: 'GET', path });
  const price = { meter: 'llm.tokens', match: { model: PRICED_MODEL }, unit: 'inputTokens', amount: '2', per: 1_000_000 };
  const dryRun: Question = { method: 'POST', path: `/price-lists/${list}/correct`, body: { prices: [price], dryRun: true } };
  const rows: readonly (readonly [string, Question])[] = [
    [`breakdown by model and hour, ${shown}`, get('/scopes/organization/acme/usage/breakdown?by=model&granularity=hour')],
    [`budget's breakdown by campaign, ${shown}`, get(`/budgets/${id}/usage/breakdown?by=campaign`)],
    [`status as of a position, ${shown} before it`, get(`/budgets/${id}/status?asOf=${atEnd}`)],
    [`status as of a position, half of ${shown} before it`, get(`/budgets/${id}/status?asOf=${atHalf}`)],
    [`hierarchy as of a position, ${shown} before it`, get(`/budgets/hierarchy/organization/acme?asOf=${atEnd}`)],
    [`dry run of a price correction that changes a third of ${shown}`, dryRun],
  ];
  for (const [name, question] of rows) emit(await timeRow(system, tenant, name, question));
};
