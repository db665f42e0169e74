import { z } from 'zod';
import { CheckBody, ReservationBody } from '../../http/enforcement/check.js';
import { plainText } from '../../http/fields/text.js';
import { Anything } from '../../http/responses/common.js';
import { CheckAnswer } from '../../http/responses/enforcement.js';
import { LIMITS } from '../../http/usage/limits.js';
import { budgetsSubject } from '../index.js';
import type { Channel } from './channel.js';
import { positionHeaders, readHeaders } from './headers.js';
import { problemMessage } from './usage.js';

/** Whoever asks over NATS asks what HTTP is asked; a release names the reservation that the path names there. */
const ReleaseBody = z.strictObject({ reservationId: plainText(LIMITS.reservationId) }).meta({ id: 'ReleaseInput' });

type Answer = Readonly<{ summary: string; payload: z.ZodType; built: boolean }>;

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
        problemMessage(`${what}Problem`),
      ],
    },
    queue: 'budget-projector',
    ...(!answer.built && { coming: 'step 4' }),
  };
};

/** Discoverable as a NATS service. The answers are those of the HTTP calls of the same names. */
export const enforcementChannels: readonly Channel[] = [
  asked('check', 'May these scopes spend this?', CheckBody, {
    summary: 'Allowed or not, always an answer',
    payload: CheckAnswer,
    built: true,
  }),
  asked('reserve', 'Hold an amount on every applicable budget, all or none', ReservationBody, {
    summary: 'The hold',
    payload: Anything,
    built: false,
  }),
  asked('release', 'Release a hold', ReleaseBody, { summary: 'Released', payload: Anything, built: false }),
];
