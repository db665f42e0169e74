import { z } from 'zod';
import { wholeNumber } from '../fields/amount.js';
import { coded } from '../fields/field.js';
import { patchOf } from '../fields/nullish.js';
import { label, oneOf, plainText } from '../fields/text.js';
import { durationText } from '../fields/time.js';

const shape = {
  type: oneOf('webhook', 'slack', 'email', 'file'),
  name: label(200),
  url: plainText(2_048).optional(),
  to: z.array(plainText(320)).min(1).max(50).optional(),
  secret: plainText(256).optional(),
  events: z.array(plainText(64)).min(1).max(50).optional(),
  minSeverity: oneOf('info', 'warning', 'critical').optional(),
  rateLimit: z.strictObject({ max: wholeNumber(1, 100_000), per: durationText }).optional(),
};

/** `POST /channels`. Whether a target is safe to call is for alerting to say. */
export const ChannelBody = z
  .strictObject(shape)
  .refine(({ type, to }) => (type === 'email') === (to !== undefined), coded('exclusive', ['to'], 'E-mail has `to`, the others have not'))
  .refine(({ type, url }) => (type === 'email') === (url === undefined), coded('exclusive', ['url'], 'All but e-mail have `url`'))
  .meta({ id: 'ChannelInput' });

export const ChannelPatch = patchOf('ChannelInput', Object.keys(shape) as (keyof typeof shape)[]).meta({ id: 'ChannelPatch' });
