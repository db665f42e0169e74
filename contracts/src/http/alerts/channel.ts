import { z } from 'zod';
import { ALERT_EVENTS } from '../../events/alert.js';
import { wholeNumber } from '../fields/amount.js';
import { Complaint } from '../fields/complaint.js';
import { obeying } from '../fields/field.js';
import { orAbsent, patchOf } from '../fields/nullish.js';
import { label, oneOf, plainText } from '../fields/text.js';
import { durationText } from '../fields/time.js';
import { emailAddress, filePath, webhookSecret } from './target.js';

const shape = {
  type: oneOf('webhook', 'slack', 'email', 'file'),
  name: label(200),
  url: orAbsent(plainText(2_048)),
  to: orAbsent(z.array(emailAddress).min(1).max(50)),
  secret: orAbsent(webhookSecret),
  events: orAbsent(
    z
      .array(oneOf(...ALERT_EVENTS))
      .min(1)
      .max(50),
  ),
  minSeverity: orAbsent(oneOf('info', 'warning', 'critical')),
  /** At most `max` notices of one kind of a budget `per` that time; e-mail and Slack only, the others carry every alert. */
  rateLimit: orAbsent(z.strictObject({ max: wholeNumber(1, 1_000), per: durationText })),
};

const Sent = z.strictObject(shape);
type Sent = z.infer<typeof Sent>;

/** `POST /channels`. Whether an address is one that may be called is the api's to say; here it is text. */
export const ChannelBody = Sent.superRefine(obeying(complaintOf)).meta({ id: 'ChannelInput' });
export type ChannelInput = z.infer<typeof ChannelBody>;

export const CHANNEL_KEYS = Object.keys(shape) as (keyof typeof shape)[];
/** `PATCH /channels/:id`: merged into what is there and checked as a whole; a `secret` of null makes a new one. */
export const ChannelPatch = patchOf('ChannelInput', CHANNEL_KEYS).meta({ id: 'ChannelPatch' });
export type ChannelPatch = Readonly<Partial<Record<keyof typeof shape, unknown>>>;

function complaintOf({ type, url, to, secret }: Sent): Complaint | null {
  if ((type === 'email') !== (to !== undefined)) return new Complaint('exclusive', 'E-mail has `to`, the others have not', ['to']);
  if ((type === 'email') === (url !== undefined)) return new Complaint('exclusive', 'All but e-mail have `url`', ['url']);
  if (type !== 'webhook' && secret !== undefined) return new Complaint('exclusive', 'A webhook is signed, the others are not', ['secret']);
  const path = type === 'file' ? filePath(url) : null;
  return path instanceof Complaint ? new Complaint(path.code, path.message, ['url']) : null;
}
