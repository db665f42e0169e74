import { z } from 'zod';
import { CheckBody, ReleaseBody, ReservationBody } from '../../http/enforcement/check.js';
import { NotYet } from '../../http/responses/common.js';
import { CheckAnswer, ReservationAnswer } from '../../http/responses/enforcement.js';
import { budgetsSubject } from '../index.js';
import type { Channel } from './channel.js';
import { notYetHeaders, positionHeaders, readHeaders } from './headers.js';
import { problemMessage } from './usage.js';

type Answer = Readonly<{ summary: string; payload: z.ZodType }>;

const asked = (what: 'check' | 'reserve' | 'release', summary: string, payload: z.ZodType, answer: Answer): Channel => {
  const name = `${what[0]?.toUpperCase()}${what.slice(1)}`;
  return {
    id: `budgets${name}`,
    address: budgetsSubject('{tenant}', what),
    summary,
    action: 'receive',
    operationId: `${what}ByRequest`,
    messages: [{ name: `${what}Request`, summary, contentType: 'application/json', headers: readHeaders, payload }],
    reply: {
      id: `budgets${name}Reply`,
      summary: answer.summary,
      messages: [
        {
          name: `${what}Answer`,
          summary: answer.summary,
          contentType: 'application/json',
          headers: positionHeaders,
          payload: answer.payload,
        },
        {
          name: `${what}NotYet`,
          summary: 'A 202: Bursar-Min-Position is not folded yet, and nothing was decided',
          contentType: 'application/json',
          headers: notYetHeaders,
          payload: NotYet,
        },
        problemMessage(`${what}Problem`),
      ],
    },
    queue: 'budget-projector',
  };
};

/** Discoverable as a NATS service. The answers are those of the HTTP calls of the same names. */
export const enforcementChannels: readonly Channel[] = [
  asked('check', 'May these scopes spend this?', CheckBody, {
    summary: 'Allowed or not, always an answer',
    payload: CheckAnswer,
  }),
  asked('reserve', 'Hold an amount on every applicable budget, all or none', ReservationBody, {
    summary: 'The hold',
    payload: ReservationAnswer,
  }),
  asked('release', 'Release a hold', ReleaseBody, { summary: 'Nothing is held any more: an empty object', payload: z.strictObject({}) }),
];
