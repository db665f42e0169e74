import { describe, expect, test } from '@jest/globals';
import { type LitellmNotice, litellmAlert, scopeOfNotice } from './litellm-alert.js';

const notice = (event: string, body: Record<string, unknown> = {}): LitellmNotice => ({
  partition: 0,
  position: 7,
  stream: 'litellm-acme',
  revision: 0,
  id: 'n-1',
  type: 'LiteLlmNotified',
  recordedAt: '2026-11-26T10:00:00.000000Z',
  meta: { tenant: 'acme' },
  data: { event, body: { spend: '9.5', max_budget: '10', team_id: 'ml', token: 'k1', event_group: 'team', ...body } },
});
const unknown = { budget: null, isSaid: false };

describe('a notice of LiteLLM’s', () => {
  test.each([
    ['threshold_crossed', 'WARNING', 'warning'],
    ['soft_budget_crossed', 'WARNING', 'warning'],
    ['budget_crossed', 'CRITICAL', 'critical'],
    ['projected_limit_exceeded', 'FORECAST', 'warning'],
  ])('%s is %s', (event, type, severity) => {
    expect(litellmAlert(notice(event), unknown)).toMatchObject({
      type,
      severity,
      source: 'litellm',
      scope: 'team:ml',
      event: `litellm.${event}`,
    });
  });

  test.each(['spend_tracked', 'key_created', 'unknown', 'constructor'])('%s is no alert', (event) => {
    expect(litellmAlert(notice(event), unknown)).toBeNull();
  });

  test('tells what LiteLLM said, exactly', () => {
    expect(litellmAlert(notice('threshold_crossed', { spend: '9.4999999999999991' }), unknown)).toMatchObject({
      message: 'Warning of LiteLLM: Budget at 95.0% (9.5/10.0 USD)',
      details: { currency: 'USD', currentSpend: '9.5', limit: '10', percentUsed: '95.00' },
    });
    expect(
      litellmAlert(notice('projected_limit_exceeded', { projected_spend: '12', projected_exceeded_date: '12/20/2026' }), unknown),
    ).toMatchObject({
      message: 'Forecast of LiteLLM: projected to spend 12 USD, over its limit on 12/20/2026',
    });
    expect(litellmAlert(notice('budget_crossed', { max_budget: '0', spend: 'nan' }), unknown)).toMatchObject({
      details: { currentSpend: null, limit: '0', percentUsed: null },
    });
  });

  test('said again on the same day it is the same alert; of another kind, team or day it is another', () => {
    const id = (one: LitellmNotice): string | undefined => litellmAlert(one, unknown)?.alertId;
    const first = id(notice('threshold_crossed'));
    expect(id({ ...notice('threshold_crossed', { spend: '9.9' }), id: 'n-2', position: 9 })).toBe(first);
    for (const other of [
      notice('budget_crossed'),
      notice('threshold_crossed', { team_id: 'ops' }),
      { ...notice('threshold_crossed'), recordedAt: '2026-11-27T10:00:00.000000Z' },
    ]) {
      expect(id(other)).not.toBe(first);
    }
  });

  test('says nothing that the budget’s own thresholds have said', () => {
    expect(litellmAlert(notice('threshold_crossed'), { budget: null, isSaid: true })).toBeNull();
  });

  test.each([
    [{ event_group: 'team' }, 'team:ml'],
    [{ event_group: 'key' }, 'key:k1'],
    [{ event_group: 'customer', customer_id: 'krrish12' }, 'customer:krrish12'],
    [{ event_group: 'proxy' }, 'team:ml'],
    [{ event_group: null, team_id: undefined, token: undefined }, null],
  ])('is about whom it names: %j', (body, scope) => expect(scopeOfNotice(notice('threshold_crossed', body))).toBe(scope));
});
