import { describe, expect, test } from '@jest/globals';
import { type Audience, audienceOf, visibleMembers } from './audience.js';

describe('who an answer is for', () => {
  test.each<[readonly string[], string | undefined, Audience]>([
    [['platform-admin'], undefined, 'operator'],
    [['tenant-admin'], undefined, 'operator'],
    [['reader'], undefined, 'operator'],
    [['producer'], undefined, 'user'],
    [[], undefined, 'user'],
    [['platform-admin'], 'user', 'user'],
    [['platform-admin'], ' User ', 'user'],
    [['producer'], 'operator', 'user'],
    [['platform-admin'], 'anything', 'operator'],
  ])('roles %j, asked %s: %s', (roles, asked, audience) => expect(audienceOf(roles, asked)).toBe(audience));
});

describe('what is told of a refusal', () => {
  const members = {
    decisionId: 'd',
    budgetId: 'b',
    budgetName: 'B',
    scope: 'team:ml',
    currency: 'USD',
    currentSpend: '1',
    reserved: '2',
    limit: '3',
    blockPoint: '3',
    remaining: '0',
    graceRemaining: '0',
    amount: '5',
    category: null,
    resetAt: '2026-01-01T00:00:00Z',
    remediation: 'Ask.',
    position: '0:1',
    anythingNew: '9',
  };
  const budget = (budgetVisibleToUser: boolean) => ({
    permissions: { budgetVisibleToUser, userCanModifyLimit: false, userCanResetBudget: false },
  });

  test('everything to operators, and to users of a budget they may see', () => {
    expect(visibleMembers(members, 'operator', budget(false))).toBe(members);
    expect(visibleMembers(members, 'user', budget(true))).toBe(members);
  });
  test('nothing of a hidden budget to a user, not even what is added later', () => {
    expect(visibleMembers(members, 'user', budget(false))).toEqual({
      decisionId: 'd',
      category: null,
      resetAt: '2026-01-01T00:00:00Z',
      remediation: 'Ask.',
      position: '0:1',
    });
  });
});
