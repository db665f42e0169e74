import { formatPicos, oneOff, readOnce } from '@bursar/contracts';
import { blockPoint } from '@bursar/contracts/folds';
import { PROBLEMS } from '@bursar/contracts/http';
import { Problem } from '@bursar/platform';
import { type Audience, type Sees, seesFigures, visibleMembers } from '../domain/check/audience.js';
import type { Standing } from '../domain/check/standing.js';
import { endOf, remainingOf, roomOf } from '../domain/check/standing.js';
import { type Refusal, sentencesOf } from '../domain/check/verdict.js';
import type { Asked } from '../domain/holds/ask.js';
import { partsAbout, partsOf, quoted, type TermsParts, termsMembers } from '../domain/holds/grant-text.js';
import type { Hold } from '../domain/holds/hold.js';
import type { RefusedFor } from '../domain/refusal-event.js';
import type { Answer } from './answer.js';
import { amountTexts, budgetHeader } from './budget-header.js';
import type { Held } from './hold-outcomes.js';

const JSON_TYPE = 'application/json; charset=utf-8';

/** `POST /reservations` (contracts `ReservationAnswer`): the same for whoever sends the same id and body again, as far as he may see it. */
export const heldAnswer = (held: Held, partition: number, sees: Sees): Answer => {
  const { reservationId, parts, left, status, position, tightest, isNew } = held;
  const at = `${partition}:${position}`;
  const { members, budgetId, room } = saidBy(partsAbout(parts, sees));
  const isSeen = left === null || sees(budgetId);
  // On every answer, and of parts that are JSON already, so put together by hand, of few pieces.
  const [remaining, grace] = left === null ? ['null', 'null'] : [quoted(left.remaining), quoted(left.graceRemaining)];
  const about = isSeen ? `${room}${remaining},"graceRemaining":${grace}` : '';
  const body = `{"reservationId":${JSON.stringify(reservationId)},"status":"${status}${members}${about},"worstOvershoot":"0","position":"${at}"}`;
  const headers = {
    'content-type': JSON_TYPE,
    'bursar-position': at,
    ...(tightest !== null && isSeen && { 'bursar-budget': budgetHeader(tightest, amountTexts(tightest, isNew ? left : null)) }),
  };
  return { status: 201, headers, body };
};

/** What is granted on the same terms says them alike. */
const saidBy = readOnce((parts: TermsParts) => {
  const { tightest } = parts;
  const budgetId = JSON.parse(tightest) as string | null;
  return {
    members: `",${termsMembers(parts)}`,
    /** '': no budget applied. */
    budgetId: budgetId ?? '',
    room: budgetId === null ? ',"remaining":' : `,"budgetId":${tightest},"remaining":`,
  };
});

/** `GET /reservations/:id` (contracts `Reservation`). Throws 404. */
export const reservationAnswer = (hold: Hold | null, partition: number, sees: Sees): Answer => {
  if (hold?.grant == null) throw notHere();
  const at = `${partition}:${hold.position}`;
  const rest = {
    endedAt: hold.end?.at ?? null,
    settledBy: hold.settledBy,
    actual: hold.actual === null ? null : formatPicos(hold.actual),
    flags: hold.flags,
    position: at,
  };
  const parts = partsAbout(partsOf(hold.grant.terms.wire), sees);
  const body = `{"reservationId":${JSON.stringify(hold.id)},"status":"${hold.status}",${termsMembers(parts)},${JSON.stringify(rest).slice(1)}`;
  return { status: 200, headers: { 'content-type': JSON_TYPE, 'bursar-position': at }, body };
};

export const notHere = (): Problem => new Problem('not_found', 'There is no such reservation.');

const REMEDIES: Readonly<Record<RefusedFor, string>> = {
  budget_exceeded: 'Contact your administrator to increase budget',
  budget_paused: 'Contact your administrator to resume the budget',
  rate_missing: 'Contact your administrator to set an exchange rate for these currencies',
  model_not_allowed: 'Use one of the models that the budget allows',
  budget_incomplete: 'Contact your administrator: an event could not be counted',
  approval_required: 'Ask for approval',
  price_missing: 'Contact your administrator to set prices for these units',
};
/** What a new period cures too. */
const OR_WAIT: Readonly<Partial<Record<RefusedFor, string>>> = {
  budget_exceeded: ' or wait for the reset',
  approval_required: ', or wait for the reset',
};

/** Why, in words, and what is held. */
export type Said = Pick<Refusal, 'reason' | 'reserved'> & Readonly<{ code: RefusedFor }>;

/** 402 of API.md by the budget that refuses (`standing`), amounts in its currency, or none where its reader may not see the budget, or no budget is why. */
export const refusal = (
  said: Said,
  { standing, tightest }: Readonly<{ standing: Standing | null; tightest: Standing | null }>,
  question: Asked,
  { decisionId, position, audience }: Readonly<{ decisionId: string; position: string; audience: Audience }>,
): Problem => {
  const { code } = said;
  const definition = standing?.state.definition;
  // Nothing begins anew after the only period of a one-off budget.
  const resetAt = standing !== null && oneOff(standing.state.definition.period) === null ? endOf(standing.period) : null;
  const remediation = `${REMEDIES[code]}${resetAt === null ? '' : (OR_WAIT[code] ?? '')}.`;
  const isVisible = definition === undefined || seesFigures(audience, definition);
  const { unpriced } = question;
  const members = {
    decisionId,
    ...(standing !== null && figuresOf(standing)),
    category: question.category ?? definition?.filter?.category ?? null,
    amount: unpriced === undefined ? text(standing?.amount ?? null) : null,
    ...(unpriced !== undefined && { unpriced }),
    resetAt,
    remediation,
    position,
  };
  return new Problem(code, sentencesOf(isVisible ? said : { reason: `${PROBLEMS[code].title}.` }, remediation), {
    extensions: definition === undefined ? members : visibleMembers(members, audience, definition),
    headers: {
      'bursar-position': position,
      ...(tightest !== null && seesFigures(audience, tightest.state.definition) && { 'bursar-budget': budgetHeader(tightest) }),
    },
  });
};

const figuresOf = (standing: Standing): object => {
  const { state, limit, spend, reserved } = standing;
  const { budgetId, definition, currency } = state;
  return {
    budgetId,
    budgetName: definition.name,
    scope: definition.scope,
    currency,
    currentSpend: formatPicos(spend),
    reserved: formatPicos(reserved),
    limit: text(limit),
    blockPoint: text(blockPoint(definition, limit)),
    remaining: text(remainingOf(standing)),
    graceRemaining: text(roomOf(standing)),
  };
};

const text = (picos: bigint | null): string | null => (picos === null ? null : formatPicos(picos));
