import { z } from 'zod';

/**
 * Tells on `appended.<partition>` that something was appended, without it: the last position, and which types of events there are. Not kept
 * and not to be trusted: whoever hears it looks into the store, sooner where a type is of use to him.
 */
export const AppendNotice = z.object({
  last: z.int().min(1).meta({ description: 'The last position of what was appended' }),
  types: z.array(z.string()).meta({ description: 'The types of the events, each once', examples: [['UsageRecorded']] }),
});
export type AppendNotice = z.infer<typeof AppendNotice>;
