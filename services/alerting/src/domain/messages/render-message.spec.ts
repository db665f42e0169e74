import { type AlertRaisedData, fillTemplate, htmlTemplateProblem, templateProblem } from '@bursar/contracts';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { renderMessage } from './render-message.js';
import { valuesOf } from './values.js';

const alert = (more: Partial<AlertRaisedData> = {}, details: Partial<AlertRaisedData['details']> = {}): AlertRaisedData => ({
  alertId: 'a1',
  event: 'threshold.crossed',
  type: 'WARNING',
  severity: 'warning',
  budgetId: 'b1',
  budgetName: 'AI monthly',
  scope: 'team:ml',
  message: 'Warning: Budget at 65.1% (650.5/1000.0 EUR)',
  details: {
    currency: 'EUR',
    currentSpend: '650.5',
    limit: '1000',
    percentUsed: '65.05',
    periodStart: '2025-10-20T22:00:00Z',
    periodEnd: '2025-11-20T23:00:00Z',
    timezone: 'Europe/Berlin',
    blockPoint: '1100',
    next: { kind: 'threshold', percent: '95', severity: 'critical', actions: ['notify', 'restrict-models'] },
    percent: '65',
    threshold: '65%',
    episode: 1,
    actions: ['notify'],
    ...details,
  },
  source: 'bursar',
  causePosition: 7,
  at: '2025-11-06T09:00:00Z',
  ...more,
});
const DRIVERS = [{ name: 'gpt-4o', amount: '400', percent: '61' }];

describe('a message (PRODUCT D6)', () => {
  test('says spend, limit, percentage, reset with its date in the budget’s zone, next step, actions and drivers', () => {
    const { subject, text } = renderMessage(alert(), 'text', { tenant: 'acme', drivers: DRIVERS });
    expect(subject).toBe('[warning] AI monthly at 65.1% of its limit');
    expect(text).toBe(
      [
        'Warning: Budget at 65.1% (650.5/1000.0 EUR)',
        '',
        'Budget: AI monthly (team:ml)',
        'Threshold: 65%',
        'Spend: 650.50 EUR',
        'Limit: 1000.00 EUR',
        'Used: 65.1%',
        'Remaining: 349.50 EUR',
        'Period: resets in 15 days (2025-11-21)',
        'Next step: At 95% (critical): notify, restrict-models.',
        'Top drivers: gpt-4o 400.00 EUR (61%)',
        'Recommended: Review what drives the spend. Raise the limit, or grant a temporary override',
      ].join('\n'),
    );
  });

  test('says of a pause when it ends: one by the breaker with its period too, one by hand only when it is resumed', () => {
    const next = (automatic: boolean): string => {
      const paused = alert({ event: 'budget.paused', type: 'PAUSED', message: 'Paused' }, { automatic });
      return valuesOf('acme', paused, []).next ?? '';
    };
    expect([true, false].map(next)).toEqual([
      'Calls are refused until it is resumed, or its period ends.',
      'Calls are refused until it is resumed.',
    ]);
  });

  test.each([
    ['threshold.crossed', 'LIMIT', {}],
    ['call.blocked', 'BLOCKED', {}],
    ['budget.paused', 'PAUSED', { automatic: true }],
  ])('of %s tells nobody to wait for the reset of a one-off budget, which only ends', (event, type, details) => {
    const values = (more: object) => valuesOf('acme', alert({ event, type }, { ...details, ...more }), []);
    expect(values({})).toMatchObject({ actions: expect.stringMatching(/Or wait for the reset$/), daysUntilReset: '15' });
    const once = values({ oneOff: true });
    expect(once.actions).not.toMatch(/reset/);
    expect(once.actions).not.toBe('');
    expect(once).toMatchObject({ resets: 'ends in 15 days (2025-11-21)', resetDate: '', daysUntilReset: '', periodEnd: '2025-11-21' });
  });

  test.each([
    ['budget_exceeded', /the limit is raised/, 'Raise the limit, or grant a temporary override. Or wait for the reset'],
    ['budget_paused', /until the budget is resumed/, 'Review what drives the spend. Resume the budget when it may be spent again'],
    ['rate_missing', /until an exchange rate/, 'Set an exchange rate from USD to EUR'],
    ['model_not_allowed', /other models/, /^Use one of the models that the budget allows\. Raise the limit/],
    ['approval_required', /until they are approved/, /^Raise the limit/],
    ['budget_incomplete', /every event of the budget is counted/, 'Have an operator look at what could not be counted (./scripts/doctor)'],
    ['of_a_later_release', /the limit is raised/, /^Raise the limit/],
  ])('of a call refused as %s says what ends that', (code, until, actions) => {
    const refused = { code, amount: { amount: '5', currency: 'USD' }, scopes: ['team:ml'] };
    const values = valuesOf('acme', alert({ event: 'call.blocked', type: 'BLOCKED' }, { refused }), []);
    expect(values.next).toMatch(until);
    const unpriced = { code, scopes: ['team:ml'], units: ['things'] };
    const without = valuesOf('acme', alert({ event: 'call.blocked', type: 'BLOCKED' }, { unpriced }), []);
    if (code !== 'rate_missing') expect([without.next, without.actions]).toEqual([values.next, values.actions]);
    if (typeof actions === 'string') expect(values.actions).toBe(actions);
    else expect(values.actions).toMatch(actions);
  });

  test('leaves out what an alert has not', () => {
    const { text } = renderMessage(
      alert(
        { event: 'budget.resumed', type: 'RESUMED', message: 'Resumed' },
        { next: null, periodEnd: null, limit: null, percentUsed: null },
      ),
      'text',
      { tenant: 'acme' },
    );
    expect(text).toBe('Resumed\n\nBudget: AI monthly (team:ml)\nSpend: 650.50 EUR\nLimit: unlimited');
  });

  test.each([
    ['threshold.crossed', 'WARNING', { percent: '80', threshold: '80%' }, 'Budget Alert: 80% LLM Usage Reached'],
    ['threshold.crossed', 'LIMIT', { percent: '100', threshold: '100%' }, 'CRITICAL: Budget Limit Reached'],
    ['budget.reset', 'RESET', {}, 'Budget Reset'],
    ['override.granted', 'OVERRIDE_GRANTED', {}, 'Temporary budget increase granted'],
    ['call.blocked', 'BLOCKED', {}, 'Agent execution blocked due to budget limit'],
  ])('of the tenant profile: %s %s', (event, type, details, subject) => {
    expect(renderMessage(alert({ event, type }, details), 'text', { tenant: 'acme', profile: 'tenant' }).subject).toBe(subject);
  });

  test('a tenant’s own template takes the place of ours', () => {
    const template = { subject: 'Achtung: {{budget}}', text: '{{spend}} von {{limit}}', html: '<b>{{spend}}</b>' };
    expect(renderMessage(alert(), 'html', { tenant: 'acme', template })).toEqual({
      subject: 'Achtung: AI monthly',
      text: '650.50 EUR von 1000.00 EUR',
      html: '<b>650.50 EUR</b>',
    });
  });
});

describe('what an alert carries is text', () => {
  const EVIL = `<img src=x onerror=alert(1)>&"'\`<!channel> *bold* <https://evil|x>\r\nBcc: all@evil.com\u2028{{spend}}\u202e`;
  const evil = alert({ budgetName: EVIL, scope: 'team:<ml>' });

  test('in HTML it is escaped', () => {
    const { html } = renderMessage(evil, 'html', { tenant: 'acme' });
    expect(html).not.toMatch(/<img|<https|<!channel/);
    expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;');
  });

  test('in a subject it ends no header', () => {
    expect(renderMessage(evil, 'text', { tenant: 'acme' }).subject).not.toMatch(/[\r\n\u2028\u0000-\u001f\u202e]/);
  });

  test('in Slack it mentions nobody and links nowhere', () => {
    const message = JSON.stringify(renderMessage(evil, 'slack', { tenant: 'acme' }).blocks[1]);
    expect(message).not.toMatch(/[<>]/);
    expect(message).toContain('&lt;!channel&gt;');
  });

  test('it is not read as a template again', () => {
    const text = fillTemplate('{{budget}}', valuesOf('acme', alert({ budgetName: '{{spend}}' }), []), (value) => value);
    expect(text).toBe('{{spend}}');
  });

  test('whatever it is, Slack’s and mail’s limits hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 4_000 }), (name) => {
        const of = alert({ budgetName: name, message: name });
        const { blocks } = renderMessage(of, 'slack', { tenant: 'acme' });
        for (const block of blocks) expect((block.text as { text: string }).text.length).toBeLessThanOrEqual(3_000);
        const { subject, html } = renderMessage(of, 'html', { tenant: 'acme' });
        expect(subject.length).toBeLessThanOrEqual(200);
        expect(html.match(/<script/i)).toBeNull();
      }),
      { numRuns: 30 },
    );
  });
});

describe('a template', () => {
  test.each([
    ['{{spend}} {{ limit }}', null],
    ['{{spent}}', 'placeholder_unknown'],
    ['{{constructor}}', 'placeholder_unknown'],
    ['{{#if x}}', 'placeholder_malformed'],
    ['{{{spend}}}', 'placeholder_malformed'],
    ['}}', 'placeholder_malformed'],
  ])('%s: %s', (text, code) => {
    expect(templateProblem(text)?.code ?? null).toBe(code);
  });

  test.each([
    ['<p>{{spend}}</p>', null],
    ['<a href="https://bursar.example/{{budgetId}}">x</a>', 'placeholder_malformed'],
    ['<script>1</script>', 'active_content'],
    ['<p onclick="x()">', 'active_content'],
    ['<a href="javascript:x">', 'active_content'],
    ['<iframe src="https://x">', 'active_content'],
    ['<a href="java&#115;cript:x">', 'active_content'],
    ['<p>Our data: {{report}}</p>', null],
  ])('in HTML %s: %s', (html, code) => {
    expect(htmlTemplateProblem(html)?.code ?? null).toBe(code);
  });
});
