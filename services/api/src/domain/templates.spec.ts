import { BudgetBody, parseWith } from '@bursar/contracts/http';
import { expect, test } from '@jest/globals';
import { SHIPPED } from './templates.js';

test.each(SHIPPED.map((template) => [template.name, template] as const))('a budget can be made of template %s', (_, { budget }) => {
  const body = { name: 'n', scope: 'team:ml', limit: null, period: { kind: 'monthly' }, ...budget };
  expect(parseWith(BudgetBody, body)).toMatchObject({ ok: true });
});
