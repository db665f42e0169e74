import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { z } from 'zod';

export const HELP = `scripts/chaos: three projectors under load, killed and frozen at random, and NATS broken in every way; every figure is checked against
the ledger at the end

  --minutes N    how long faults are made (default 10; fractions are fine)
  --seed N       the same faults, load and victims again, as far as timing allows (default: any)
  --rate N       usage events per second, all tenants together (default 200)
  --tenants N    each on a partition of its own (default 8)
  --all          also kill and freeze ingestion, NATS and PostgreSQL
  --data DIR     where data and logs go (default: a temporary directory, kept when the run fails)

Exits 1 when a figure is wrong, and when the run saw no lost compare-and-set, no gap read from the store, or no fault of NATS: it proved
nothing then.`;

const positive = z.coerce.number().positive();
const Options = z.object({
  minutes: positive.max(24 * 60).default(10),
  seed: z.coerce
    .number()
    .int()
    .min(0)
    .default(() => randomInt(2 ** 32)),
  rate: positive.max(10_000).default(200),
  tenants: positive.int().max(16).default(8),
  all: z.boolean().default(false),
  data: z.string().optional(),
});
export type ChaosOptions = z.infer<typeof Options>;

/** null: help was asked for. Throws an Error of one line on what it does not understand. */
export const parseChaosOptions = (args: readonly string[]): ChaosOptions | null => {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { minutes: text, seed: text, rate: text, tenants: text, all: flag, data: text, help: flag },
  });
  if (values.help) return null;
  const parsed = Options.safeParse(values);
  if (!parsed.success) throw new Error(`--${parsed.error.issues[0]?.path.join('.')}: ${parsed.error.issues[0]?.message}`);
  return parsed.data;
};
