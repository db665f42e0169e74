import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { type Client, type Reply, WAIT } from './client.js';

const MAX_TRIES = 600;

/** A tenant nobody else uses. */
export const freshTenant = (): string => `t-${randomUUID().slice(0, 18)}`;

/** The least a budget needs; `more` overrides. A key of undefined is left out. */
export const budgetBody = (more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  name: 'Monthly',
  scope: 'team:ml',
  limit: { amount: '1000', currency: 'USD' },
  period: { kind: 'monthly' },
  ...more,
});

export const makeBudget = async (client: Client, more: Readonly<Record<string, unknown>> = {}): Promise<Reply['body']> => {
  const reply = await client.post('budgets', budgetBody(more));
  if (reply.status !== 201) throw new Error(`no budget was made: ${reply.status} ${reply.text}`);
  // Where the tenant has usage, what it had in the period is counted first, and nothing is reserved until then.
  let { body } = reply;
  for (let tries = 0; body.status.status === 'counting'; tries += 1) {
    if (tries === MAX_TRIES) throw new Error(`budget ${body.id} is never counted`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const read = await client.get(`budgets/${reply.body.id}?minPosition=${reply.headers.get('bursar-position')}`, WAIT);
    if (read.status === 200) ({ body } = read);
  }
  return body;
};

export const usageOf = (amount: string, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  id: randomUUID(),
  source: 'test',
  scopes: ['team:ml'],
  cost: { amount, currency: 'USD' },
  ...more,
});

/** A problem document with this status and code; `pointer` is where the first field error is. */
export const expectProblem = (reply: Reply, status: number, code?: string, pointer?: string): void => {
  expect({
    status: reply.status,
    code: reply.body?.code,
    ...(pointer !== undefined && { pointer: reply.body?.errors?.[0]?.pointer }),
  }).toEqual({
    status,
    code: code ?? reply.body?.code,
    ...(pointer !== undefined && { pointer }),
  });
  expect(reply.headers.get('content-type')).toBe('application/problem+json');
  expect(reply.body).toMatchObject({ status, title: expect.any(String), type: expect.stringContaining('://'), detail: expect.any(String) });
};
