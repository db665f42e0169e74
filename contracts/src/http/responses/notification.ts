import { z } from 'zod';
import { PLACEHOLDERS } from '../../values/message-template.js';

const words = { subject: z.string(), text: z.string(), html: z.string().nullable().meta({ description: 'null: made of the text' }) };

/** What a notice of one event says: the tenant's own words, or those shipped. */
export const NotificationTemplate = z
  .object({
    event: z.string(),
    ...words,
    isDefault: z.boolean(),
    shipped: z.object({ subject: z.string(), text: z.string() }),
    placeholders: z.array(z.enum(PLACEHOLDERS)),
  })
  .meta({ id: 'NotificationTemplate' });
