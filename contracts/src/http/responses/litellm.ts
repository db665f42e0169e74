import { z } from 'zod';
import { Position } from './common.js';
import { UsageResult } from './usage.js';

/** `POST /budget-alerts`. `ignored`: kept, without effect. */
export const LitellmAlertReceipt = z
  .object({
    status: z.enum(['accepted', 'duplicate', 'ignored']),
    event: z.string(),
    tenant: z.string(),
    position: Position,
    /** What became of the spend that a `spend_tracked` reports. */
    usage: UsageResult.optional(),
  })
  .meta({ id: 'LitellmAlertReceipt' });

/** `POST /litellm/logs`: `rejected` ones are kept in quarantine; LiteLLM itself looks at nothing of this. */
export const LitellmLogResults = z
  .object({ accepted: z.number().int(), duplicate: z.number().int(), rejected: z.number().int(), results: z.array(UsageResult) })
  .meta({ id: 'LitellmLogResults' });
