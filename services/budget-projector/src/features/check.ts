import { type EpochNs, parsePicos, partitionOf } from '@bursar/contracts';
import type { CheckBody, CheckConstraintsBody, LedgerPosition } from '@bursar/contracts/http';
import type { z } from 'zod';
import type { Question } from '../domain/check/standing.js';
import type { Answer } from './answer.js';
import { checkAnswer, constraintsAnswer } from './check-answer.js';
import type { DecideAtOwner, Decision } from './decide-at-owner.js';
import type { Decisions } from './decisions.js';
import type { Call } from './owners.js';

/** How the question came. */
export type Way = Readonly<{ call: Call; minPosition: LedgerPosition | null; isForwarded: boolean }>;

/** The clock decisions go by: the database's. */
export abstract class DecisionClock {
  abstract now(): EpochNs;
}

/** Answers check and check-constraints. */
export class Check {
  constructor(
    private readonly desk: DecideAtOwner,
    private readonly clock: DecisionClock,
    private readonly partitions: number,
  ) {}

  /** At once, where it can be told from memory: everybody asks before every spend. */
  check(body: z.output<typeof CheckBody>, way: Way): Answer | Promise<Answer> {
    return this.#ask(questionOf(body, { scopes: body.scopes }), way, checkAnswer);
  }

  constraints(budgetId: string, body: z.output<typeof CheckConstraintsBody>, way: Way): Answer | Promise<Answer> {
    return this.#ask(questionOf(body, { budgetId }), way, constraintsAnswer);
  }

  #ask(question: Question, way: Way, say: typeof checkAnswer): Answer | Promise<Answer> {
    const { tenant, audience } = way.call;
    const partition = partitionOf(tenant, this.partitions);
    const answer = this.desk.answerNow(way, (decisions) => {
      const decided = decisions.checkNow(tenant, question, this.clock.now());
      return decided === null || decided === 'counting' ? null : say(decided, partition, audience);
    });
    if (answer !== null) return answer;
    const decide = async (decisions: Decisions): Promise<Decision> => {
      const decided = await decisions.check(tenant, question, () => this.clock.now());
      return decided === 'counting' ? decided : { answer: say(decided, partition, audience), isFenced: false };
    };
    return this.desk.answer({ ...way, decide });
  }
}

const questionOf = (body: z.output<typeof CheckConstraintsBody>, about: Question['about']): Question => {
  const { amount, currency = null, category, dimensions } = body;
  return {
    about,
    amount: parsePicos(amount),
    currency,
    ...(category !== undefined && { category }),
    ...(dimensions !== undefined && { dimensions }),
  };
};
