/** `./scripts/bench`: every figure beside its limit or peer of the same run. */
import { parseArgs } from 'node:util';
import { type About, commit, loadAverage, machine, settingsOf } from './bench/about.ts';
import { cleanUpOnSignals } from './bench/cleanup.ts';
import type { BenchRow } from './bench/row.ts';
import { runSuite, type Sizes, type Suite } from './bench/suite.ts';
import { SUITES } from './bench/suites.ts';
import { type RunningSystem, withSystem } from './bench/system.ts';
import { renderRows } from './bench/table.ts';

const HELP = `scripts/bench: figures beside the limits and peers measured in the same run, durability on

  --only a,b    only these suites:
${Object.entries(SUITES)
  .map(([name, { about }]) => `                ${name.padEnd(9)} ${about}`)
  .join('\n')}
  --budgets N   of the largest tenant of the suite reads (100,000)
  --events N    of its longest history (1,000,000)
  --timers N    budgets of the suite periods, which end together (1,000,000)
  --json        for machines
  --help        this

A row without a figure is "not run" and says why. The exit code says that it ran, not how fast: 0 also when a row MISSES its floor,
because figures depend on what else the machine does; 1 when it could not run at all.
NODE_OPTIONS='--cpu-prof --cpu-prof-dir=DIR' profiles every process that it starts.
Keep a figure with its command, commit and machine: ratios carry over to other machines, figures do not.`;

const options = {
  json: { type: 'boolean' },
  only: { type: 'string' },
  budgets: { type: 'string', default: '100000' },
  events: { type: 'string', default: '1000000' },
  timers: { type: 'string', default: '1000000' },
  help: { type: 'boolean' },
} as const;

const main = async (): Promise<void> => {
  const { values } = parseArgs({ options });
  if (values.help === true) return void process.stdout.write(`${HELP}\n`);
  const chosen = choose(values.only);
  const sizes = { budgets: count(values.budgets), events: count(values.events), timers: count(values.timers) };
  cleanUpOnSignals();
  const startedAt = performance.now();
  const before = loadAverage();
  const at = { commit: commit(), date: new Date().toISOString(), machine: machine() };
  const { rows, settings } = await runAll(chosen, sizes);
  const about: About = {
    ...at,
    settings,
    load: { before, after: loadAverage() },
    seconds: Math.round((performance.now() - startedAt) / 1000),
  };
  process.stdout.write(values.json === true ? `${JSON.stringify({ ...about, rows }, null, 2)}\n` : renderRows(about, rows));
};

/** Throws `TypeError` for what is no count. */
const count = (text: string): number => {
  if (/^[1-9][0-9]{1,7}$/.test(text)) return Number(text);
  throw new TypeError(`${text}: expected a number from 10 to 99999999`);
};

/** Throws `TypeError` when a name is unknown. */
const choose = (only: string | undefined): readonly (readonly [string, Suite])[] => {
  const names = only?.split(',').map((name) => name.trim()) ?? Object.keys(SUITES);
  return names.map((name) => {
    const suite = SUITES[name];
    if (suite === undefined) throw new TypeError(`--only ${name}: there is ${Object.keys(SUITES).join(', ')}`);
    return [name, suite];
  });
};

/** One after the other; suites that share a system share one, which ends before those with systems of their own begin. */
const runAll = async (chosen: readonly (readonly [string, Suite])[], sizes: Sizes) => {
  const rows: BenchRow[] = [];
  let settings: About['settings'] = {};
  const run = async (suites: readonly (readonly [string, Suite])[], system: () => Promise<RunningSystem>): Promise<void> => {
    for (const [name, suite] of suites) {
      process.stderr.write(`${name} …\n`);
      rows.push(...(await runSuite(name, suite, system, sizes)));
    }
  };
  const sharing = chosen.filter(([, suite]) => suite.ownSystem !== true);
  const alone = chosen.filter(([, suite]) => suite.ownSystem === true);
  if (sharing.length > 0) {
    const shared = async (system: RunningSystem): Promise<void> => {
      settings = await settingsOf(system.databaseUrl);
      await run(sharing, async () => system);
    };
    await withSystem({}, shared).catch(async (error: unknown) => {
      if (rows.length === 0) await run(sharing, () => Promise.reject(error));
      else process.stderr.write(`bench: ${String(error)}\n`);
    });
  }
  await run(alone, () => Promise.reject(new Error('this suite has a system of its own')));
  return { rows, settings };
};

try {
  await main();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
