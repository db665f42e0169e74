import { hash, randomUUIDv7 } from 'node:crypto';
import { canonicalJson, derivedId, NS_PER_SECOND, parsePicos, remembering } from '@bursar/contracts';
import type { ReservationBody } from '@bursar/contracts/http';
import { Problem } from '@bursar/platform';
import type { z } from 'zod';
import { type Decision as CheckDecision, tightestIn } from '../domain/check/decide-check.js';
import type { Ask } from '../domain/holds/ask.js';
import type { Answer } from './answer.js';
import type { Way } from './check.js';
import type { DecideAtOwner, Decision } from './decide-at-owner.js';
import type { Decisions } from './decisions.js';
import type { Fenced, ReserveOutcome } from './hold-outcomes.js';
import type { Refusals } from './refusals.js';
import { heldAnswer, notHere, refusal, reservationAnswer, type Said } from './reservation-answer.js';

type Body = z.output<typeof ReservationBody>;

/** Reserve, release, and what a reservation is: decided by the owner, whoever is asked. */
export class Reserve {
  constructor(
    private readonly owner: DecideAtOwner,
    private readonly refusals: Refusals,
  ) {}

  /**
   * 201; rejects with 402 with the budget that refuses, 409 where the id means another body, 503 `counting` where a count takes too long, 503
   * `outcome_unknown` when it may be held or not: the same id may be sent again. `key`: the Idempotency-Key, which names the reservation where the body does not.
   */
  reserve(body: Body, { call, minPosition, isForwarded }: Way, key: string | null): Promise<Answer> {
    const { tenant, audience } = call;
    const named = body.id ?? (key === null ? null : derivedId('reservation', tenant, key));
    // In order of time, so that its row goes beside the one before it.
    const ask = askOf(body, named ?? randomUUIDv7(), named !== null);
    // Asked again of another owner it is the same reservation, also where nobody named it; and here, once another was asked: it may be held.
    let isSent = false;
    const passedOn = (): string => {
      isSent = true;
      return JSON.stringify({ ...body, id: ask.reservationId });
    };
    const isKeyed = body.id === undefined && key !== null;
    const decide = (decisions: Decisions, partition: number): Promise<Decision> =>
      decisions.desk.reserve(tenant, isSent ? { ...ask, isCallers: true } : ask).then(({ outcome, isFenced }) => {
        if (outcome.is !== 'held') return this.#refuse(call, ask, outcome, partition, isKeyed);
        const { held } = outcome;
        const sees = decisions.seenBy(audience, tenant);
        // Nobody waits for what is at hand: it comes by thousands a second.
        if (sees instanceof Promise) return sees.then((visible) => ({ answer: heldAnswer(held, partition, visible), isFenced }));
        return { answer: heldAnswer(held, partition, sees), isFenced };
      });
    const answer = this.owner.answer({ call, minPosition, isForwarded, passedOn, decide });
    return isKeyed ? answer.then(notReused) : answer;
  }

  /** 204, also when nothing is held any more; throws 409 where it is settled, 404 where there never was one. */
  release(reservationId: string, way: Way): Promise<Answer> {
    const { tenant } = way.call;
    const decide = async (decisions: Decisions, partition: number): Promise<Decision> => {
      // A settlement that the caller saw accepted is in the store, and perhaps not folded yet.
      await decisions.caughtUp();
      const { outcome, isFenced }: Fenced<{ is: string; position: number }> = await decisions.desk.release(tenant, reservationId);
      if (outcome.is === 'unknown') throw notHere();
      if (outcome.is === 'settled') throw new Problem('reservation_settled', 'The reservation is settled: its usage counts.');
      const headers = { 'bursar-position': `${partition}:${outcome.position}` };
      return { answer: { status: 204, headers, body: '' }, isFenced };
    };
    return this.owner.answer({ ...way, decide });
  }

  /** Throws 404. */
  find(reservationId: string, way: Way): Promise<Answer> {
    const decide = async (decisions: Decisions, partition: number): Promise<Decision> => {
      await decisions.caughtUp();
      const { tenant, audience } = way.call;
      const hold = await decisions.hold(tenant, reservationId);
      return { answer: reservationAnswer(hold, partition, await decisions.seenBy(audience, tenant)), isFenced: false };
    };
    return this.owner.answer({ ...way, decide });
  }

  #refuse(call: Way['call'], ask: Ask, outcome: Exclude<ReserveOutcome, { is: 'held' }>, partition: number, isKeyed: boolean): Decision {
    switch (outcome.is) {
      case 'conflict':
        throw new Problem(isKeyed ? 'idempotency_key_reused' : 'reservation_conflict');
      case 'counting':
        return 'counting';
      case 'unpriced': {
        const reason = `No price covers: ${outcome.units.join(', ').slice(0, 64)}.`;
        return this.#refused(
          call,
          ask,
          outcome,
          partition,
          { code: 'price_missing', reason },
          { deciding: outcome.deciding, tightest: tightestIn(outcome.scene) },
        );
      }
      case 'refused': {
        const { refusal: said, deciding } = outcome.decision;
        if (said === null || deciding === null) throw new Error('refused by nobody');
        return this.#refused(call, ask, outcome, partition, said, outcome.decision);
      }
    }
  }

  /** Recorded once it is the answer. */
  #refused(
    { tenant, audience }: Way['call'],
    ask: Ask,
    { scene, question, position }: Extract<ReserveOutcome, { is: 'refused' | 'unpriced' }>,
    partition: number,
    said: Said,
    { deciding: standing, tightest }: Pick<CheckDecision, 'deciding' | 'tightest'>,
  ): Decision {
    const reservationId = ask.isCallers ? ask.reservationId : null;
    const currency = scene.asked.currency;
    const refusing = { tenant, reservationId, code: said.code, question, currency, standing, position, at: scene.now };
    const refuse = (): Problem => {
      const decisionId = this.refusals.refused(refusing);
      return refusal(said, { standing, tightest }, question, { decisionId, position: `${partition}:${position}`, audience });
    };
    return { refuse, isFenced: false };
  }
}

/** An owner elsewhere was told the id alone, and finds fault with that. */
const notReused = (answer: Answer): Answer => {
  if (answer.status === 409) throw new Problem('idempotency_key_reused');
  return answer;
};

/** Callers in a loop ask for the same again and again. */
const hashOf = remembering((body: string): string => hash('sha256', body, 'hex'), 256);
const picosOf = remembering(parsePicos, 64);

const askOf = (body: Body, reservationId: string, isCallers: boolean): Ask => {
  const { id: _, scopes, amount, currency = null, quantities, meter, category, dimensions, ttlSeconds } = body;
  return {
    reservationId,
    isCallers,
    bodyHash: hashOf(canonicalJson({ amount, category, currency, dimensions, meter, quantities, scopes, ttlSeconds })),
    scopes,
    what:
      amount === undefined
        ? { quantities: { ...(meter !== undefined && { meter }), quantities }, currency }
        : { amount: picosOf(amount), currency },
    ...(category !== undefined && { category }),
    ...(dimensions !== undefined && { dimensions }),
    ttlNs: BigInt(ttlSeconds) * NS_PER_SECOND,
  };
};
