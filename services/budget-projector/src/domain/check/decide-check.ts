import type { EpochNs, ThresholdDefinition } from '@bursar/contracts';
import { blocks, type Question, reachedGates, roomOf, type Scene, type Standing } from './standing.js';
import { REFUSALS, type Refusal, refusalOf } from './verdict.js';

/** What a reached threshold asks of whoever spends. */
export type SuggestedAction = Readonly<{
  action: 'restrict-models' | 'require-approval' | 'block-all' | 'auto-downgrade';
  budgetId: string;
  allowedModels?: readonly string[];
  downgrade?: Readonly<Record<string, string>>;
}>;

export type Decision = Readonly<{
  allowed: boolean;
  /** Of the budget that decided; null when allowed. */
  refusal: Refusal | null;
  /** The gravest of those that refuse, the tightest of equals; when allowed, {@link tightest}. null: no budget applies. */
  deciding: Standing | null;
  /** Of those that could refuse, or else of all, the one with the least room: what `Bursar-Budget` tells of (API.md). */
  tightest: Standing | null;
  actions: readonly SuggestedAction[];
  /**
   * By how much this spend may pass the deciding budget's block point, in its currency: nothing is held for a check, so others may use the
   * room up meanwhile, and then all of it does. 0 when it is refused, and where nothing blocks.
   */
  worstOvershoot: bigint;
}>;

/** `counting`: a budget that blocks does not know its own past yet, so nothing can be decided. */
export const decideCheck = ({ standings, now }: Scene, question: Question): Decision | 'counting' => {
  const blocking = standings.filter((standing) => blocks(standing, now));
  if (blocking.some(({ counting }) => counting)) return 'counting';
  const actions = standings.flatMap(actionsOf);
  const first = gravest(blocking, question, now);
  const tightest = tightestAmong(blocking, standings);
  if (first !== null) return { allowed: false, refusal: first.refusal, deciding: first.standing, tightest, actions, worstOvershoot: 0n };
  const canBePassed = tightest !== null && blocks(tightest, now) && roomOf(tightest) !== null;
  return {
    allowed: true,
    refusal: null,
    deciding: tightest,
    tightest,
    actions,
    worstOvershoot: canBePassed ? (tightest.amount ?? 0n) : 0n,
  };
};

type Refusing = Readonly<{ standing: Standing; refusal: Refusal }>;

/** The budget that speaks for all that refuse; null: none does. */
const gravest = (blocking: readonly Standing[], question: Question, now: EpochNs): Refusing | null => {
  let first: Refusing | null = null;
  for (const standing of blocking) {
    const refusal = refusalOf(standing, question, now);
    if (refusal === null) continue;
    const isGraver = first === null || (gravity(refusal) - gravity(first.refusal) || byRoom(standing, first.standing)) < 0;
    if (isGraver) first = { standing, refusal };
  }
  return first;
};

const gravity = ({ code }: Refusal): number => REFUSALS.indexOf(code);

/** Of those that could refuse, or else of all, the one with the least room; null: no budget applies. */
export const tightestIn = ({ standings, now }: Pick<Scene, 'standings' | 'now'>): Standing | null =>
  tightestAmong(
    standings.filter((standing) => blocks(standing, now)),
    standings,
  );

const tightestAmong = (blocking: readonly Standing[], all: readonly Standing[]): Standing | null =>
  tightestOf(blocking.length > 0 ? blocking : all);

/** The first of those with the least room; null of none. */
const tightestOf = (standings: readonly Standing[]): Standing | null => {
  let tightest: Standing | null = null;
  for (const standing of standings) if (tightest === null || byRoom(standing, tightest) < 0) tightest = standing;
  return tightest;
};

/** Least room first, also across currencies; endless last. Equal ones stay as they come: nearest scope first. */
const byRoom = (a: Standing, b: Standing): number => {
  const [roomA, roomB] = [roomOf(a), roomOf(b)];
  if (roomA === null || roomB === null) return Number(roomA === null) - Number(roomB === null);
  const [left, right] = [roomA * b.unit, roomB * a.unit];
  return left < right ? -1 : left > right ? 1 : 0;
};

/** A budget that is off asks nothing. */
const actionsOf = (standing: Standing): readonly SuggestedAction[] => {
  const { budgetId, definition } = standing.state;
  if (definition.enforcement.mode === 'off') return [];
  return reachedGates(standing).flatMap((threshold) => threshold.actions.flatMap((action) => suggest(action, threshold, budgetId)));
};

type Action = ThresholdDefinition['actions'][number];

const suggest = (
  action: Action,
  { allowedModels = [], downgrade = {} }: ThresholdDefinition,
  budgetId: string,
): readonly SuggestedAction[] => {
  switch (action) {
    case 'notify':
      return [];
    case 'restrict-models':
      return [{ action, budgetId, allowedModels }];
    case 'auto-downgrade':
      return [{ action, budgetId, downgrade }];
    case 'require-approval':
    case 'block-all':
      return [{ action, budgetId }];
  }
};
