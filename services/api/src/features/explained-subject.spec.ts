import type { EventStore } from '@bursar/event-store';
import { describe, expect, test } from '@jest/globals';
import type { Holds } from '../adapters/sql/holds.js';
import type { FoundEvents } from '../adapters/store/found-events.js';
import type { Moments } from '../adapters/store/moments.js';
import { ExplainedSubjects } from './explained-subject.js';
import type { OwnerChecks, Verdict } from './owner-checks.js';
import type { PastBudgets } from './past-budgets.js';
import type { RefusalBehind } from './refusal-behind.js';
import type { SettingsOfTenant } from './settings-of-tenant.js';
import type { Sender } from './usage-intake.js';

/** Explains what 12 would meet, with an owner that answers so, once after the other, and a clock that moves on whenever it is read. */
const explain = async (...allowed: readonly boolean[]) => {
  let [asked, micros] = [0, 0];
  const check = async (): Promise<Verdict> => {
    const answer = { allowed: allowed[asked], budgetId: 'b', position: `0:${asked}` };
    asked += 1;
    return { answer, headers: {} } as unknown as Verdict;
  };
  const subjects = new ExplainedSubjects(
    {} as FoundEvents,
    { check } as unknown as OwnerChecks,
    { clock: async () => ++micros / 1_000 } as unknown as EventStore,
    { of: async () => ({ currency: 'USD' }) } as unknown as SettingsOfTenant,
    {} as Holds,
    {} as Moments,
    {} as PastBudgets,
    {} as RefusalBehind,
  );
  const subject = await subjects.find('acme', {} as Sender, { scopes: ['team:a'], amount: '12' });
  return { allowed: subject.allowed, position: subject.moment.position, asked };
};

describe('a check that is explained', () => {
  test('is the decision that stood when the clock was read', async () => {
    expect(await explain(true, true)).toEqual({ allowed: true, position: 0, asked: 2 });
  });

  test('is asked for again where another decision followed before the clock was read', async () => {
    expect(await explain(true, false, false)).toEqual({ allowed: false, position: 1, asked: 3 });
  });

  test('is the last of some where one follows the other', async () => {
    expect(await explain(true, false, true, false, true)).toEqual({ allowed: false, position: 3, asked: 4 });
  });
});
