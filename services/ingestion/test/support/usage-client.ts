import { KEY } from './world.js';

export type Result = Readonly<{
  id: string | null;
  source: string | null;
  status: 'accepted' | 'duplicate' | 'rejected';
  eventId?: string;
  position?: string;
  problem?: { code: string; errors?: { pointer: string; code: string; message: string }[] };
  cost?: unknown;
  unpriced?: string[];
  budgets?: unknown[];
}>;
export type Answer = Readonly<{
  status: number;
  headers: Headers;
  text: string;
  body: { results: Result[]; code?: string; detail?: string; errors?: { pointer: string; code: string }[]; [name: string]: unknown };
}>;

export type Send = Readonly<{ tenant?: string; headers?: Record<string, string>; query?: string; method?: string; key?: string | null }>;

/** POST /usage with a body as it is, or as JSON. */
export const send = async (url: string, body: string | Uint8Array<ArrayBuffer> | object, options: Send = {}): Promise<Answer> => {
  const { tenant = 'default', headers = {}, query = '', method = 'POST', key = KEY } = options;
  const response = await fetch(`${url}/api/v1/usage${query}`, {
    method,
    headers: {
      ...(key !== null && { authorization: `Bearer ${key}` }),
      'bursar-tenant': tenant,
      'content-type': 'application/json',
      ...headers,
    },
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: text === '' ? {} : JSON.parse(text) };
};

/** A usage event that is good as it is. */
export const usage = (fields: Record<string, unknown> = {}): Record<string, unknown> => ({
  id: crypto.randomUUID(),
  source: 'test',
  scopes: ['team:ml'],
  cost: { amount: '1.25', currency: 'USD' },
  ...fields,
});
