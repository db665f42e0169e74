import { budgetStream, derivedId, scopeStream, usageStream } from '@bursar/contracts';
import { ADMIN_KEY } from './processes.js';
import { append, eventually, type Real } from './real.js';
import { type BudgetShape, definitionOf } from './stories.js';
import { TENANT } from './world.js';

type Definition = ReturnType<typeof definitionOf>;
const PLAIN: BudgetShape = { scope: 'team:ml', model: null, limit: 100, currency: 'USD', kind: 'monthly', percents: [], amount: null };

/** A budget that refuses past so many percent. */
export const block = (blockAtPercent = 100) => ({ enforcement: { mode: 'block' as const, blockAtPercent, autoPause: false } });

/** What a test writes into the ledger of one real store, as ingestion and api would. Each answers the position. */
export class Writer {
  #count = 0;

  constructor(
    private readonly at: Pick<Real, 'store'>,
    private readonly label: string,
  ) {}

  scope(scope: string, parents: readonly string[] = []): Promise<number> {
    return this.put(scopeStream(TENANT), 'ScopeRegistered', { scope, parents });
  }

  budget(budgetId: string, shape: Partial<BudgetShape>, more: Partial<Definition> = {}, type = 'BudgetCreated'): Promise<number> {
    const definition = { ...definitionOf({ ...PLAIN, ...shape }), name: budgetId, ...more };
    return this.put(budgetStream(TENANT, budgetId), type, { budgetId, definition });
  }

  use(scope: string, amount: string, more: Readonly<Record<string, unknown>> = {}): Promise<number> {
    this.#count += 1;
    return this.put(usageStream(TENANT), 'UsageRecorded', {
      id: `${this.label}-${this.#count}`,
      source: 't',
      occurredAt: new Date().toISOString(),
      scopes: [scope],
      status: 'succeeded',
      cost: { amount, currency: 'USD' },
      ...more,
    });
  }

  put(stream: string, type: string, data: unknown): Promise<number> {
    this.#count += 1;
    return append(this.at.store, { stream, id: derivedId('check', this.label, String(this.#count)), type, data, meta: { tenant: TENANT } });
  }
}

export type Asked = Readonly<{ status: number; headers: Headers; body: Readonly<Record<string, unknown>> }>;

/** POSTs as a client does; waits for the position first where there is one, and until the past of new budgets is counted. */
export const ask = async (url: string, path: string, body: object, position?: number): Promise<Asked> =>
  eventually(
    () => askOnce(url, path, body, position),
    (answer) => answer.body.code !== 'counting',
  );

const askOnce = (url: string, path: string, body: object, position?: number): Promise<Asked> => {
  const query = position === undefined ? '' : `?minPosition=0:${position}`;
  return send(url, 'POST', `${path}${query}`, body);
};

/** One request as a client makes it, as often as it is answered with whatever. */
export const send = async (url: string, method: string, path: string, body?: object, more: Record<string, string> = {}): Promise<Asked> => {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${ADMIN_KEY}`,
      'bursar-tenant': TENANT,
      prefer: 'wait=7',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...more,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: (text === '' ? {} : JSON.parse(text)) as Asked['body'] };
};
