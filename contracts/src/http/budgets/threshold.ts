import { z } from 'zod';
import type { ThresholdDefinition } from '../../events/budget.js';
import { percentText } from '../fields/amount.js';
import { Complaint } from '../fields/complaint.js';
import { field, obeying } from '../fields/field.js';
import { type SpokenAmount, spokenAmount } from '../fields/money.js';
import { compact, orAbsent, orDefault } from '../fields/nullish.js';
import { oneOf, plainText } from '../fields/text.js';
import { readDimensions } from '../usage/parts.js';

const ACTIONS = ['notify', 'restrict-models', 'require-approval', 'block-all', 'auto-downgrade'] as const;
type Action = (typeof ACTIONS)[number];
const NOTIFY: Action[] = ['notify'];
const models = z.array(plainText(256)).min(1).max(100);

const Sent = z.strictObject({
  percent: orAbsent(percentText(1000)),
  amount: orAbsent(spokenAmount({ positive: true })),
  severity: oneOf('info', 'warning', 'critical'),
  actions: orDefault(z.array(oneOf(...ACTIONS)).max(ACTIONS.length), NOTIFY).optional(),
  allowedModels: orAbsent(models),
  downgrade: orAbsent(
    field({ type: 'object', maxProperties: 64, additionalProperties: { type: 'string' }, description: '{from: to}' }, readDimensions),
  ),
  channels: orAbsent(z.array(plainText(200)).max(50)),
});

/** A threshold as sent: with `currency` where its amount named one, which has to be the budget's. */
export type SentThreshold = Omit<ThresholdDefinition, 'amount'> & Readonly<{ amount?: SpokenAmount }>;

export const ThresholdBody = Sent.superRefine(obeying(complaintOf))
  .transform((sent): SentThreshold => compact({ ...sent, actions: [...new Set(sent.actions ?? NOTIFY)] }))
  .meta({ id: 'ThresholdInput' });

function complaintOf({ percent, amount, actions = [], allowedModels, downgrade }: z.infer<typeof Sent>): Complaint | null {
  if ((percent === undefined) === (amount === undefined)) return new Complaint('exclusive', 'Either percent or amount', ['percent']);
  const restricts = actions.includes('restrict-models');
  if (restricts !== (allowedModels !== undefined)) {
    return new Complaint(restricts ? 'required' : 'exclusive', 'allowedModels goes with restrict-models', ['allowedModels']);
  }
  const downgrades = actions.includes('auto-downgrade');
  if (downgrades !== (downgrade !== undefined)) {
    return new Complaint(downgrades ? 'required' : 'exclusive', 'downgrade goes with auto-downgrade', ['downgrade']);
  }
  return null;
}

/** 80 % warning, 95 % critical (API.md). */
export const DEFAULT_THRESHOLDS: readonly SentThreshold[] = [
  { percent: '80', severity: 'warning', actions: ['notify'] },
  { percent: '95', severity: 'critical', actions: ['notify'] },
];
