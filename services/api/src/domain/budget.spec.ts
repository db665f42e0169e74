import type { BudgetDefinition, LedgerEvent } from '@bursar/contracts';
import { describe, expect, test } from '@jest/globals';
import { type BudgetCommand, type BudgetEventType, decideBudget, evolveBudget, noBudget } from './budget.js';
import type { NewEvent } from './new-event.js';
import { Rejection } from './rejection.js';

type BudgetEvent = NewEvent<BudgetEventType>;
const CREATED_AT = '2026-03-10T12:00:00.000001Z';

const monthly: BudgetDefinition = {
  name: 'Monthly',
  scope: 'team:ml',
  limit: { amount: '1000', currency: 'EUR' },
  period: { kind: 'monthly', timezone: 'Europe/Berlin', recurring: true },
  thresholds: [{ percent: '80', severity: 'warning', actions: ['notify'] }],
  levels: { yellow: 75, orange: 90, red: 100 },
  enforcement: { mode: 'block', blockAtPercent: 100, autoPause: false },
  rollover: { mode: 'none' },
  permissions: { budgetVisibleToUser: true, userCanModifyLimit: false, userCanResetBudget: false },
  validFrom: null,
  validUntil: null,
  metadata: {},
};
const withPeriod = (period: Partial<BudgetDefinition['period']>): BudgetDefinition => ({
  ...monthly,
  period: { ...monthly.period, ...period },
});

const record = (event: BudgetEvent, index: number): LedgerEvent =>
  ({
    ...event,
    partition: 0,
    position: index + 1,
    stream: 'budget-acme.b1',
    revision: index,
    id: String(index),
    recordedAt: index === 0 ? CREATED_AT : '2026-03-11T00:00:00.000000Z',
    meta: { tenant: 'acme', actor: 'admin' },
  }) as LedgerEvent;

const given = (...history: BudgetEvent[]) => {
  const state = history.map(record).reduce(evolveBudget, noBudget);
  return {
    state,
    when: (command: BudgetCommand) => ({
      thenRecorded: (...events: BudgetEvent[]) => expect(decideBudget(command, state)).toEqual(events),
      thenRejected: (code: string, pointer?: string) => {
        try {
          decideBudget(command, state);
        } catch (error) {
          if (!(error instanceof Rejection)) throw error;
          expect([error.code, error.pointer]).toEqual([code, pointer]);
          return;
        }
        throw new Error('nothing was rejected');
      },
    }),
  };
};

const created = (definition: BudgetDefinition): BudgetEvent => ({ type: 'BudgetCreated', data: { budgetId: 'b1', definition } });
const changed = (definition: BudgetDefinition): BudgetEvent => ({ type: 'BudgetChanged', data: { budgetId: 'b1', definition } });
const deleted: BudgetEvent = { type: 'BudgetDeleted', data: { budgetId: 'b1' } };
const create = (definition: BudgetDefinition): BudgetCommand => ({
  type: 'CreateBudget',
  tenant: 'acme',
  budgetId: 'b1',
  definition,
});
const change = (definition: BudgetDefinition): BudgetCommand => ({
  type: 'ChangeBudget',
  tenant: 'acme',
  budgetId: 'b1',
  revise: () => definition,
  now: '2026-03-11T00:00:00Z',
});
const remove: BudgetCommand = { type: 'DeleteBudget', budgetId: 'b1' };

describe('creating', () => {
  test('stores the whole definition', () => given().when(create(monthly)).thenRecorded(created(monthly)));
  test('an id is used once, also after deletion', () => {
    given(created(monthly)).when(create(monthly)).thenRejected('already_exists');
    given(created(monthly), deleted).when(create(monthly)).thenRejected('already_exists');
  });
  test('a rolling budget without an anchor starts when the store says it was created', () => {
    const rolling = withPeriod({ kind: 'rolling', length: 'P30D' });
    given().when(create(rolling)).thenRecorded(created(rolling));
    given(created(rolling))
      .when(change({ ...rolling, name: 'Other' }))
      .thenRecorded(changed({ ...rolling, name: 'Other', period: { ...rolling.period, anchor: CREATED_AT } }));
  });
  test('a one-off month is the month of its creation, in its zone', () => {
    const once = withPeriod({ recurring: false });
    given(created(once))
      .when(change({ ...once, name: 'Other' }))
      .thenRecorded(changed({ ...once, name: 'Other', period: { ...once.period, anchor: '2026-02-28T23:00:00Z' } }));
  });
  test("another tenant's root is no scope of a budget (404), its own is", () => {
    given()
      .when(create({ ...monthly, scope: 'tenant:other' }))
      .thenRejected('not_found', '/scope');
    given()
      .when(create({ ...monthly, members: ['team:a', 'tenant:other'] }))
      .thenRejected('not_found', '/members/1');
    given()
      .when(create({ ...monthly, scope: 'tenant:acme' }))
      .thenRecorded(created({ ...monthly, scope: 'tenant:acme' }));
  });
});

describe('changing', () => {
  const dearer = { ...monthly, limit: { amount: '2000', currency: 'EUR' } };
  test('stores the whole new definition', () => given(created(monthly)).when(change(dearer)).thenRecorded(changed(dearer)));
  test('a change to what it is records nothing', () =>
    given(created(monthly))
      .when(change({ ...monthly }))
      .thenRecorded());
  test('a merge sees the current definition', () =>
    given(created(monthly), changed(dearer))
      .when({ type: 'ChangeBudget', tenant: 'acme', budgetId: 'b1', revise: (current) => ({ ...current, name: 'Other' }), now: CREATED_AT })
      .thenRecorded(changed({ ...dearer, name: 'Other' })));
  test('a rolling budget keeps its anchor', () => {
    const anchored = withPeriod({ kind: 'rolling', length: 'P30D', anchor: '2026-01-01T00:00:00Z' });
    given(created(anchored))
      .when(change(withPeriod({ kind: 'rolling', length: 'P60D' })))
      .thenRecorded(changed(withPeriod({ kind: 'rolling', length: 'P60D', anchor: '2026-01-01T00:00:00Z' })));
  });
  test('one that becomes rolling starts at its creation', () =>
    given(created(monthly))
      .when(change(withPeriod({ kind: 'rolling', length: 'P30D' })))
      .thenRecorded(changed(withPeriod({ kind: 'rolling', length: 'P30D', anchor: CREATED_AT }))));
  test('IN-D14 another time zone begins with the next period', () => {
    const tokyo = withPeriod({ timezone: 'Asia/Tokyo' });
    const preceding = { until: '2026-03-31T22:00:00Z', period: monthly.period };
    given(created(monthly))
      .when(change(tokyo))
      .thenRecorded(changed(withPeriod({ timezone: 'Asia/Tokyo', preceding })));
    given(created(monthly), changed(withPeriod({ timezone: 'Asia/Tokyo', preceding })))
      .when(change(tokyo))
      .thenRecorded();
  });
  test('neither a missing nor a deleted budget can be changed', () => {
    given().when(change(monthly)).thenRejected('not_found');
    given(created(monthly), deleted).when(change(monthly)).thenRejected('not_found');
  });
});

describe('deleting', () => {
  test('is recorded once', () => {
    given(created(monthly)).when(remove).thenRecorded(deleted);
    given(created(monthly), deleted).when(remove).thenRejected('not_found');
  });
});

test('the state carries who made it and when, by the clock of the store', () => {
  const { state } = given(created(monthly), changed({ ...monthly, name: 'Other' }));
  expect(state).toMatchObject({ createdAt: CREATED_AT, updatedAt: '2026-03-11T00:00:00.000000Z', createdBy: 'admin' });
});

describe('pausing', () => {
  const pause: BudgetCommand = { type: 'PauseBudget', budgetId: 'b1', reason: 'audit' };
  const resume: BudgetCommand = { type: 'ResumeBudget', budgetId: 'b1', reason: null, isLatched: false };
  const paused: BudgetEvent = { type: 'BudgetPaused', data: { budgetId: 'b1', reason: 'audit' } };
  const resumed: BudgetEvent = { type: 'BudgetResumed', data: { budgetId: 'b1', reason: null } };

  test('is recorded once, and so is resuming', () => {
    given(created(monthly)).when(pause).thenRecorded(paused);
    given(created(monthly), paused).when(pause).thenRecorded();
    given(created(monthly), paused).when(resume).thenRecorded(resumed);
    given(created(monthly)).when(resume).thenRecorded();
    given(created(monthly), paused, resumed).when(pause).thenRecorded(paused);
  });
  test('what is paused automatically is resumed too, though its own stream does not say so', () => {
    given(created(monthly))
      .when({ ...resume, isLatched: true })
      .thenRecorded(resumed);
    given(created(monthly)).when(pause).thenRecorded(paused);
  });
  test('outlasts a change of the definition', () => {
    given(created(monthly), paused, changed({ ...monthly, name: 'Other' }))
      .when(pause)
      .thenRecorded();
  });
  test('what is not there cannot be paused', () => {
    given().when(pause).thenRejected('not_found');
    given(created(monthly), deleted).when(pause).thenRejected('not_found');
    given(created(monthly), deleted).when(resume).thenRejected('not_found');
  });
});
