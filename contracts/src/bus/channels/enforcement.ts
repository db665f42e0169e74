import { z } from 'zod';
import { CheckBody, ReservationBody } from '../../http/enforcement/check.js';
import { plainText } from '../../http/fields/text.js';
import { Anything } from '../../http/responses/common.js';
import { LIMITS } from '../../http/usage/limits.js';
import type { Channel } from './channel.js';
import { positionHeaders, receivedHeaders } from './headers.js';
import { problemMessage } from './usage.js';

/** Whoever asks over NATS asks what HTTP is asked; a release names the reservation that the path names there. */
const ReleaseBody = z.strictObject({ reservationId: plainText(LIMITS.reservationId) }).meta({ id: 'ReleaseInput' });

const asked = (what: 'check' | 'reserve' | 'release', summary: string, payload: z.ZodType, answer: string): Channel => {
  const name = `${what[0]?.toUpperCase()}${what.slice(1)}`;
  return {
    id: `budgets${name}`,
    address: `budgets.{tenant}.${what}`,
    summary,
    action: 'receive',
    operationId: `${what}ByRequest`,
    messages: [
      { name: `${what}Request`, summary, contentType: 'application/json', headers: receivedHeaders('application/json').partial(), payload },
    ],
    reply: {
      id: `budgets${name}Reply`,
      summary: answer,
      messages: [
        { name: `${what}Answer`, summary: answer, contentType: 'application/json', headers: positionHeaders, payload: Anything },
        problemMessage(`${what}Problem`),
      ],
    },
    queue: 'budget-projector',
    coming: 'step 4',
  };
};

/** Discoverable as a NATS service. The answers are those of the HTTP calls of the same names. */
export const enforcementChannels: readonly Channel[] = [
  asked('check', 'May these scopes spend this?', CheckBody, 'Allowed or not, always an answer'),
  asked('reserve', 'Hold an amount on every applicable budget, all or none', ReservationBody, 'The hold'),
  asked('release', 'Release a hold', ReleaseBody, 'Released'),
];
