import type { RunningSystem } from '../system.ts';

/** A limit that no benchmark comes to. */
const ENDLESS = { amount: '1000000000000', currency: 'USD' };

export type Hot = Readonly<{
  tenant: string;
  scope: string;
  /** Where the owner of the tenant's partition listens. */
  ownerUrl: string;
  headers: Readonly<Record<string, string>>;
}>;

/** One user under a team under an organisation, a strict budget on each: what everybody wants at once. */
export const hotBudget = async (system: RunningSystem, tenant: string): Promise<Hot> => {
  const headers = { authorization: `Bearer ${system.adminApiKey}`, 'bursar-tenant': tenant, 'content-type': 'application/json' };
  const post = async (path: string, body: object, status: number): Promise<Response> => {
    const answer = await fetch(`${system.apiUrl}/api/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    if (answer.status !== status) throw new Error(`POST ${path}: HTTP ${answer.status} ${await answer.text()}`);
    return answer;
  };
  const levels = ['organization:hot', 'team:hot', 'user:hot'];
  for (const [level, scope] of levels.entries()) {
    const [type = '', id = ''] = scope.split(':');
    await post('/scopes', { type, id, ...(level > 0 && { parents: [levels[level - 1]] }) }, 201);
    await post('/budgets', { name: scope, scope, limit: ENDLESS, period: { kind: 'monthly' } }, 201);
  }
  const answer = await post('/check', { scopes: ['user:hot'], amount: '1' }, 200);
  return { tenant, scope: 'user:hot', ownerUrl: answer.headers.get('bursar-owner') ?? system.apiUrl, headers };
};

export const reservationBody = (scope: string): string => JSON.stringify({ scopes: [scope], amount: '0.000001', ttlSeconds: 3_600 });
export const checkBody = (scope: string): string => JSON.stringify({ scopes: [scope], amount: '0.000001' });
