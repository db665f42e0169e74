/** `./scripts/replay-trace FILE`: a real trace becomes usage of a running Bursar, then the tree with balances is printed. */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { z } from 'zod';
import type { Target } from './replay/client.ts';
import { sendRows, type Tally } from './replay/send.ts';
import { ensureBudgets, ensurePrices, ensureScopes } from './replay/setup.ts';
import { shuffled } from './replay/shuffle.ts';
import { loadState, saveState, statePath } from './replay/state.ts';
import { readTrace, type Trace } from './replay/trace.ts';
import { readTree, renderTree } from './replay/tree.ts';

const USAGE = `usage: scripts/replay-trace FILE [options]
  --data DIR        the running system's directory (default .bursar)
  --tenant ID       whose usage it is (default "default")
  --shift-to-now    move the trace so that its last row is now; the shift is fixed by the first run
  --batch N         events a request, 1 to 1000 (default 100)
  --rate N          events per second (default: as fast as answered)
  --concurrency N   requests at a time (default 4)
  --shuffle SEED    send in another order
  --budgets         make a monthly budget for every organisation and team of the trace first
  --demo            the code trace of scripts/data, shifted to now, with budgets
  --json            print the tree as JSON
Sample traces are in scripts/data.`;

const DEMO_TRACE = join(import.meta.dirname, '../data/azure-llm-2023-code.csv.gz');

const positive = z.coerce.number().int().positive();
const Options = z.object({
  data: z.string().default('.bursar'),
  tenant: z.string().default('default'),
  'shift-to-now': z.boolean().default(false),
  batch: positive.max(1000).default(100),
  rate: positive.nullable().default(null),
  concurrency: positive.max(64).default(4),
  shuffle: z.coerce.number().int().nullable().default(null),
  budgets: z.boolean().default(false),
  json: z.boolean().default(false),
});

const Run = z.object({ apiUrl: z.string(), adminApiKey: z.string() });

const findTarget = async (dataDir: string, tenant: string): Promise<Target> => {
  const path = join(dataDir, 'run.json');
  const text = await readFile(path, 'utf8').catch(() => {
    throw new Error(`${path} is not there: start Bursar first (./scripts/up --detach)`);
  });
  return { ...Run.parse(JSON.parse(text)), tenant };
};

/** Added to every time: none for calendar traces by default; else so that the last row is now. */
const shiftOf = (trace: Trace, toNow: boolean): bigint => {
  if (trace.calendar && !toNow) return 0n;
  const last = trace.rows.reduce((latest, row) => (row.at > latest ? row.at : latest), 0n);
  return BigInt(Date.now()) * 1_000_000n - last;
};

const main = async (): Promise<void> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      data: { type: 'string' },
      tenant: { type: 'string' },
      'shift-to-now': { type: 'boolean' },
      batch: { type: 'string' },
      rate: { type: 'string' },
      concurrency: { type: 'string' },
      shuffle: { type: 'string' },
      budgets: { type: 'boolean' },
      demo: { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  const { demo = false, help = false, ...rest } = values;
  if (help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const [file = demo ? DEMO_TRACE : undefined] = positionals;
  if (file === undefined || positionals.length > 1) throw new Error(USAGE);
  const parsed = Options.safeParse(demo ? { ...rest, 'shift-to-now': true, budgets: true } : rest);
  if (!parsed.success) throw new Error(`--${parsed.error.issues[0]?.path.join('.')}: ${parsed.error.issues[0]?.message}\n${USAGE}`);
  const options = parsed.data;

  const trace = await readTrace(file);
  const target = await findTarget(resolve(options.data), options.tenant);
  const path = statePath(resolve(options.data), trace.stem, options.tenant);
  const earlier = await loadState(path);
  const sameOrder = earlier !== null && earlier.seed === options.shuffle && earlier.done < trace.rows.length;
  // The shift of the first run stays, or a second run would be other events.
  const shiftNs =
    earlier !== null && (options['shift-to-now'] || !trace.calendar) ? BigInt(earlier.shiftNs) : shiftOf(trace, options['shift-to-now']);
  const from = sameOrder && BigInt(earlier.shiftNs) === shiftNs ? earlier.done : 0;
  const rows = options.shuffle === null ? trace.rows : shuffled(trace.rows, options.shuffle);
  const save = (done: number): Promise<void> => saveState(path, { shiftNs: shiftNs.toString(), done, seed: options.shuffle });
  await save(from);

  await ensurePrices(target, trace.rows);
  const scopes = await ensureScopes(target, trace.rows);
  if (options.budgets) await ensureBudgets(target, trace.rows);
  process.stderr.write(`${trace.stem}: ${rows.length} events${from > 0 ? `, resumed at ${from}` : ''}, ${scopes} scopes\n`);
  const tally = await sendWithBar(
    target,
    { stem: trace.stem, rows, from, shiftNs, batch: options.batch, concurrency: options.concurrency, rate: options.rate },
    save,
  );
  await save(rows.length);

  const reasons = [...tally.reasons].map(([code, times]) => `${code} ${times}`).join(', ');
  process.stderr.write(
    `accepted ${tally.accepted}, duplicate ${tally.duplicate}, rejected ${tally.rejected}${reasons === '' ? '' : ` (${reasons})`}\n`,
  );
  const tree = await readTree(target, tally.position);
  process.stdout.write(`${options.json ? JSON.stringify(tree, null, 2) : renderTree(tree)}\n`);
};

const sendWithBar = async (
  target: Target,
  options: Omit<Parameters<typeof sendRows>[1], 'progress'>,
  save: (done: number) => Promise<void>,
): Promise<Tally> => {
  const bar = new SingleBar({
    format: '{bar} {percentage}% | {value}/{total} | {rate} events/s | ETA {eta_formatted}',
    noTTYOutput: true,
    notTTYSchedule: 2000,
    etaBuffer: 50,
    stream: process.stderr,
  });
  const startedAt = performance.now();
  bar.start(options.rows.length, options.from, { rate: 0 });
  let saving = Promise.resolve();
  let saved = options.from;
  try {
    return await sendRows(target, {
      ...options,
      progress: (done) => {
        bar.update(done, { rate: Math.round(((done - options.from) * 1000) / (performance.now() - startedAt)) });
        if (done - saved >= 1000) {
          saved = done;
          saving = saving.then(() => save(done));
        }
      },
    });
  } finally {
    bar.stop();
    await saving;
  }
};

main().catch((error: unknown) => {
  process.stderr.write(`replay-trace: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
