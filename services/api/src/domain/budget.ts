import {
  anchorPeriod,
  type BudgetDefinition,
  canonicalJson,
  changePeriod,
  keepResets,
  type LedgerEvent,
  parseInstant,
  rootScope,
  type ScopeRef,
  scopeType,
  withReset,
} from '@bursar/contracts';
import { type BudgetControls, type ControlEvent, evolveControls, evolveTerms, NO_CONTROLS, type Terms } from '@bursar/contracts/folds';
import type { NewEvent } from './new-event.js';
import {
  evolveGrants,
  type Grant,
  type GrantOverride,
  grantOverride,
  type RevokeAllOverrides,
  type RevokeOverride,
  revokeAllOverrides,
  revokeOverride,
} from './override.js';
import { Rejection } from './rejection.js';
import { type ResetBudget, resetBudget, withoutCuts } from './reset.js';

type Created = Readonly<
  {
    status: 'Active';
    budgetId: string;
    definition: BudgetDefinition;
    controls: BudgetControls;
    /** Every grant there ever was, oldest first. */
    grants: readonly Grant[];
    terms: readonly Terms[];
  } & Stamps
>;
/** Who made it and when, by the store's clock; `updatedAt` is the last event's. RFC 3339, UTC. */
type Stamps = Readonly<{ createdAt: string; updatedAt: string; createdBy: string | null }>;

/** One budget as its commands see it, stream `budget-<tenant>.<budgetId>`. */
export type Budget = Readonly<{ status: 'NotCreated' }> | Created | Readonly<{ status: 'Deleted' }>;
export type ActiveBudget = Created;
export const noBudget: Budget = { status: 'NotCreated' };

export type BudgetEventType = 'BudgetCreated' | 'BudgetChanged' | 'BudgetDeleted' | 'BudgetReset' | ControlEvent['type'];
export type BudgetEvent = NewEvent<BudgetEventType>;

export type BudgetCommand =
  | Readonly<{ type: 'CreateBudget'; tenant: string; budgetId: string; definition: BudgetDefinition }>
  /** `revise` makes the whole new definition of the current one: PUT ignores it, PATCH merges into it. */
  | Readonly<{
      type: 'ChangeBudget';
      tenant: string;
      budgetId: string;
      revise: (current: BudgetDefinition) => BudgetDefinition;
      now: string;
    }>
  | Readonly<{ type: 'DeleteBudget'; budgetId: string }>
  | GrantOverride
  | RevokeOverride
  | RevokeAllOverrides
  | ResetBudget
  | Readonly<{ type: 'PauseBudget'; budgetId: string; reason: string | null }>
  /** `isLatched`: it is paused automatically, which its own stream does not say. */
  | Readonly<{ type: 'ResumeBudget'; budgetId: string; reason: string | null; isLatched: boolean }>;
type Command<T extends BudgetCommand['type']> = Extract<BudgetCommand, { type: T }>;

/** Pure: same command and state, same events. Throws {@link Rejection}. */
export const decideBudget = (command: BudgetCommand, state: Budget): readonly BudgetEvent[] => {
  switch (command.type) {
    case 'CreateBudget':
      return create(command, state);
    case 'ChangeBudget':
      return change(command, state);
    case 'DeleteBudget':
      mustExist(state, command.budgetId);
      return [{ type: 'BudgetDeleted', data: { budgetId: command.budgetId } }];
    case 'PauseBudget':
    case 'ResumeBudget':
      return turn(command, state);
    case 'GrantOverride':
      return grantOverride(command, mustExist(state, command.budgetId));
    case 'RevokeOverride':
      return revokeOverride(command, mustExist(state, command.budgetId));
    case 'RevokeAllOverrides':
      return revokeAllOverrides(command, mustExist(state, command.budgetId));
    case 'ResetBudget':
      return resetBudget(command, mustExist(state, command.budgetId));
  }
};

const create = (command: Command<'CreateBudget'>, state: Budget): readonly BudgetEvent[] => {
  if (state.status !== 'NotCreated') throw new Rejection('already_exists', `Budget ${command.budgetId} exists already.`);
  const definition = accept(command.definition, command.tenant);
  return [{ type: 'BudgetCreated', data: { budgetId: command.budgetId, definition } }];
};

const change = (command: Command<'ChangeBudget'>, state: Budget): readonly BudgetEvent[] => {
  const current = mustExist(state, command.budgetId);
  const revised = accept(anchored(command.revise(current.definition), startOf(current)), command.tenant);
  const period = changePeriod(current.definition.period, revised.period, parseInstant(command.now));
  const definition = { ...revised, period: keepResets(period, current.definition.period) };
  if (canonicalJson(definition) === canonicalJson(current.definition)) return [];
  return [{ type: 'BudgetChanged', data: { budgetId: command.budgetId, definition: withoutCuts(definition) } }];
};

/** Pausing what is paused, resuming what runs: it is so already. */
const turn = (command: Command<'PauseBudget' | 'ResumeBudget'>, state: Budget): readonly BudgetEvent[] => {
  const { type, budgetId, reason } = command;
  const isPaused = mustExist(state, budgetId).controls.pause !== null;
  if (type === 'PauseBudget') return isPaused ? [] : [{ type: 'BudgetPaused', data: { budgetId, reason } }];
  return isPaused || command.isLatched ? [{ type: 'BudgetResumed', data: { budgetId, reason } }] : [];
};

/** Total: a recorded fact cannot be refused; events of other budgets' kinds change nothing. */
export const evolveBudget = (state: Budget, event: LedgerEvent): Budget => {
  switch (event.type) {
    case 'BudgetCreated': {
      const { budgetId } = event.data;
      const createdBy = event.meta.actor ?? null;
      const definition = anchored(event.data.definition, event.recordedAt);
      const stamps = { createdAt: event.recordedAt, updatedAt: event.recordedAt, createdBy };
      return { status: 'Active', budgetId, definition, controls: NO_CONTROLS, grants: [], terms: evolveTerms([], event), ...stamps };
    }
    case 'BudgetChanged':
      if (state.status !== 'Active') return state;
      return {
        ...state,
        definition: { ...event.data.definition, period: keepResets(event.data.definition.period, state.definition.period) },
        terms: evolveTerms(state.terms, event),
        updatedAt: event.recordedAt,
      };
    case 'BudgetReset': {
      if (state.status !== 'Active') return state;
      const period = withReset(state.definition.period, event.recordedAt, event.position);
      return { ...state, definition: { ...state.definition, period }, updatedAt: event.recordedAt };
    }
    case 'BudgetDeleted':
      return { status: 'Deleted' };
    case 'BudgetPaused':
    case 'BudgetResumed':
    case 'OverrideGranted':
    case 'OverrideRevoked':
      if (state.status !== 'Active') return state;
      return {
        ...state,
        controls: evolveControls(state.controls, event),
        grants: evolveGrants(state.grants, event),
        updatedAt: event.recordedAt,
      };
    default:
      return state;
  }
};

/** A rolling budget keeps the anchor it has until another is given; one that becomes rolling starts at its creation. */
const startOf = ({ definition: { period }, createdAt }: ActiveBudget): string =>
  (period.kind === 'rolling' ? period.anchor : undefined) ?? createdAt;

const anchored = (definition: BudgetDefinition, startsAt: string): BudgetDefinition => ({
  ...definition,
  period: anchorPeriod(definition.period, startsAt),
});

/** What no schema can say, because it depends on whose budget it is. */
const accept = (definition: BudgetDefinition, tenant: string): BudgetDefinition => {
  refuseForeign(definition.scope, tenant, '/scope');
  definition.members?.forEach((member, index) => {
    refuseForeign(member, tenant, `/members/${index}`);
  });
  return definition;
};

/** `tenant:<other>` names another tenant's root: the same 404 as for anything of theirs. */
const refuseForeign = (scope: ScopeRef, tenant: string, pointer: string): void => {
  if (scopeType(scope) === 'tenant' && scope !== rootScope(tenant))
    throw new Rejection('not_found', `There is no scope ${scope} here.`, pointer);
};

/** A deleted budget is as absent as one that never was (API.md: 404). */
const mustExist = (state: Budget, budgetId: string): ActiveBudget => {
  if (state.status === 'Active') return state;
  throw new Rejection('not_found', `There is no budget ${budgetId}.`);
};
