import { expect, test } from '@jest/globals';
import { type Message, summarise } from './summary.js';

const message: Message = {
  subject: 'Budget at 83%',
  text: 'Spend: 830',
  html: '<!doctype html>\n<html><body style="x">\n<h1>Budget</h1></body></html>',
  slack: { text: ':warning: Budget at 83%', blocks: [{ type: 'section' }] },
};

test('tells how many were held back, before the newest of them, in every form', () => {
  const { subject, text, html, slack } = summarise(message, { count: 2, from: '2026-11-26T10:00:00Z', to: '2026-11-26T10:20:00Z' });
  expect(subject).toBe('[2 more] Budget at 83%');
  expect(text).toMatch(/^2 more notices of this kind .*2026-11-26T10:00:00Z to 2026-11-26T10:20:00Z.*\n\nSpend: 830$/s);
  expect(html).toMatch(/<body style="x">\n<p>2 more notices/);
  expect(slack).toMatchObject({ text: '[2 more] :warning: Budget at 83%', blocks: [{ type: 'context' }, { type: 'section' }] });
});

test('one is one, and a template without a body is kept as it is', () => {
  const { text, html } = summarise({ ...message, html: '<b>ours</b>' }, { count: 1, from: 'x', to: 'x' });
  expect(text).toContain('1 more notice of this kind since the last one (x)');
  expect(html).toMatch(/^<p>1 more notice.*<\/p>\n<b>ours<\/b>$/);
});
