import { z } from 'zod';
import { Problem } from '../problem.js';
import { listOf } from './common.js';

/** What became of one budget of many. `row` is the line of a CSV, the header being 1. */
const BulkResult = z
  .object({
    index: z.int(),
    row: z.int().optional(),
    status: z.enum(['created', 'updated', 'unchanged', 'rejected']),
    id: z.string().nullable(),
    revision: z.int().optional(),
    problem: Problem.optional(),
  })
  .meta({ id: 'BulkResult' });
export const BulkResults = z.object({ results: z.array(BulkResult) }).meta({ id: 'BulkResults' });

/** `builtIn`: shipped, and not saved under this name by the tenant. */
export const Template = z
  .object({ name: z.string(), builtIn: z.boolean(), budget: z.looseObject({}).describe('Fields of a budget but for its scope') })
  .meta({ id: 'Template' });
export const TemplateList = listOf(Template).meta({ id: 'TemplateList' });
