import { partitionOf } from '@bursar/contracts';
import type { Caller, Reply } from './caller.ts';

export const USERS = 4;
const TEAMS = 2;
export const PERCENTS = [25, 50, 80, 100, 150];
const DAY_MS = 86_400_000;

/** A tenant with two teams of two users; a budget on one user, on each team and on the whole, all of one period. */
export type Tenant = Readonly<{ name: string; partition: number; budgets: readonly string[] }>;

/** Names that fall on as many different partitions. */
export const tenantNames = (count: number, partitions: number): readonly string[] => {
  const names = new Map<number, string>();
  for (let n = 0; names.size < Math.min(count, partitions); n += 1) {
    const name = `chaos-${n}`;
    if (!names.has(partitionOf(name, partitions))) names.set(partitionOf(name, partitions), name);
  }
  return [...names.values()];
};

/** Scopes and budgets, before there is any usage. */
export const makeTenant = async (caller: Caller, name: string, partitions: number): Promise<Tenant> => {
  const post = async (path: string, body: unknown): Promise<Reply> => {
    const reply = await caller.call(name, 'POST', path, body);
    if (reply === null || reply.status >= 300) throw new Error(`POST ${path} of ${name}: ${reply?.status} ${JSON.stringify(reply?.body)}`);
    return reply;
  };
  for (let team = 0; team < TEAMS; team += 1) await post('/scopes', { type: 'team', id: String(team) });
  for (let user = 0; user < USERS; user += 1) {
    await post('/scopes', { type: 'user', id: String(user), parents: [`team:${user % TEAMS}`] });
  }
  const budgets: string[] = [];
  for (const scope of [`tenant:${name}`, 'team:0', 'team:1', 'user:0']) {
    const { body } = await post('/budgets', budgetOn(scope));
    budgets.push((body as { id: string }).id);
  }
  return { name, partition: partitionOf(name, partitions), budgets };
};

const budgetOn = (scope: string) => ({
  name: `all of ${scope}`,
  scope,
  limit: { amount: '100', currency: 'USD' },
  // One period for the whole run, whatever midnight it runs over.
  period: { kind: 'custom', start: new Date(Date.now() - DAY_MS).toISOString(), end: new Date(Date.now() + 30 * DAY_MS).toISOString() },
  thresholds: PERCENTS.map((percent) => ({ percent, severity: 'warning' })),
});
