import type { EventOf } from '../events/registry.js';
import { type EpochNs, formatInstant, parseInstant } from '../values/instant.js';
import { parsePicos, type WireMoney } from '../values/money.js';

/** By hand. Instants here are RFC 3339, UTC; all of it is plain JSON, as tables keep it. */
export type Pause = Readonly<{ since: string; by: string | null; reason: string | null }>;

/** A grant, as it was given: it never changes. */
export type Override = Readonly<{
  overrideId: string;
  /** Increase of the limit; null: none. */
  amount: WireMoney | null;
  enforcement: 'off' | null;
  /** Live before this instant. */
  expiresAt: string;
  reason: string;
  createdBy: string | null;
  createdAt: string;
}>;

/** A budget with `autoPause` that has latched: it belongs to the period whose spend reached the block point, and is over with it. */
export type AutomaticPause = Readonly<{ since: string; periodStart: string; periodEnd: string | null }>;

/** What was done to a budget beside its definition: pauses, and grants that were not revoked. Whether one is live is the clock's to say. */
export type BudgetControls = Readonly<{ pause: Pause | null; overrides: readonly Override[]; automatic?: AutomaticPause }>;
export const NO_CONTROLS: BudgetControls = { pause: null, overrides: [] };

export type ControlEvent = EventOf<'BudgetPaused' | 'BudgetResumed' | 'OverrideGranted' | 'OverrideRevoked'>;

/** Total. Grants that had ended when the next was recorded are left out: no later question can find them live. */
export const evolveControls = (controls: BudgetControls, event: ControlEvent): BudgetControls => {
  switch (event.type) {
    case 'BudgetPaused': {
      if (event.data.automatic !== undefined) return latched(controls, event.data.automatic, event.recordedAt);
      if (controls.pause !== null) return controls;
      return { ...controls, pause: { since: canonical(event.recordedAt), by: event.meta.actor ?? null, reason: event.data.reason } };
    }
    case 'BudgetResumed': {
      const { automatic, ...byHand } = controls;
      if (event.data.automatic === undefined) return { ...byHand, pause: null };
      return automatic?.periodStart === event.data.automatic.periodStart ? byHand : controls;
    }
    case 'OverrideGranted':
      return { ...controls, overrides: [...liveOverrides(controls, parseInstant(event.recordedAt)), readGrant(event)] };
    case 'OverrideRevoked':
      return { ...controls, overrides: controls.overrides.filter(({ overrideId }) => overrideId !== event.data.overrideId) };
  }
};

/** A reset by hand ends the period, and with it the automatic pause that belongs to it. */
export const cutAutomatic = (controls: BudgetControls, recordedAt: string): BudgetControls =>
  controls.automatic === undefined ? controls : { ...controls, automatic: { ...controls.automatic, periodEnd: canonical(recordedAt) } };

/** One of the same period stands as it is; that of an earlier period is over. */
const latched = (controls: BudgetControls, { periodStart, periodEnd }: AutomaticData, recordedAt: string): BudgetControls =>
  controls.automatic?.periodStart === periodStart
    ? controls
    : { ...controls, automatic: { since: canonical(recordedAt), periodStart, periodEnd } };
type AutomaticData = NonNullable<EventOf<'BudgetPaused'>['data']['automatic']>;

/** The automatic pause that holds now; null: none, or its period is over. The clock ends it, without an event. */
export const automaticPause = ({ automatic }: BudgetControls, now: EpochNs): AutomaticPause | null =>
  automatic !== undefined && (automatic.periodEnd === null || now < parseInstant(automatic.periodEnd)) ? automatic : null;

/** By hand, or automatically. */
export const isPaused = (controls: BudgetControls, now: EpochNs): boolean =>
  controls.pause !== null || automaticPause(controls, now) !== null;

export const readGrant = ({ data, meta, recordedAt }: EventOf<'OverrideGranted'>): Override => ({
  overrideId: data.overrideId,
  amount: data.amount,
  enforcement: data.enforcement,
  expiresAt: data.expiresAt,
  reason: data.reason,
  createdBy: meta.actor ?? null,
  createdAt: canonical(recordedAt),
});

/** In the order they were granted. */
export const liveOverrides = ({ overrides }: BudgetControls, now: EpochNs): readonly Override[] =>
  overrides.length === 0 ? overrides : overrides.filter(({ expiresAt }) => parseInstant(expiresAt) > now);

/** When the first live grant ends; null when none is live. */
export const nextExpiry = (controls: BudgetControls, now: EpochNs): EpochNs | null => {
  let next: EpochNs | null = null;
  for (const { expiresAt } of liveOverrides(controls, now)) {
    const at = parseInstant(expiresAt);
    if (next === null || at < next) next = at;
  }
  return next;
};

/** Live increases together, in picos. One in another currency dates from before the budget's changed: it increases nothing. */
export const liveIncrease = (controls: BudgetControls, currency: string, now: EpochNs): bigint =>
  liveOverrides(controls, now).reduce((sum, { amount }) => (amount?.currency === currency ? sum + parsePicos(amount.amount) : sum), 0n);

/** Does a live grant switch enforcement off? */
export const isEnforcementOff = (controls: BudgetControls, now: EpochNs): boolean =>
  liveOverrides(controls, now).some(({ enforcement }) => enforcement === 'off');

const canonical = (recordedAt: string): string => formatInstant(parseInstant(recordedAt));
