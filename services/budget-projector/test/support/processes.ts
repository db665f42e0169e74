import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually, type Real } from './real.js';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
export const ADMIN_KEY = 'bsr_test_0123456789abcdef';

/** One line of a service's log. */
export type LogLine = Readonly<{ msg: string; url?: string; opsUrl?: string; projection?: string }>;

/** The breakdown begins beside who owns the partition, and is said late by who was frozen meanwhile. */
const isTakeOver = ({ msg, projection }: LogLine): boolean => msg === 'taken over' && projection === 'budget';

export type Projector = Readonly<{ process: ChildProcess; url: string; opsUrl: string; lines: readonly LogLine[] }>;

/** Projector processes of a test, as `up` runs them, on one real database with one partition. */
export class Projectors {
  /** Whoever took the partition last, as far as its log says. */
  owner: Projector | null = null;
  /** Log lines of all there ever were, by what they say. */
  readonly said = new Map<string, number>();
  readonly #children = new Set<ChildProcess>();

  constructor(
    private readonly at: Real,
    private readonly env: Readonly<Record<string, string>> = {},
  ) {}

  /** Resolves once it listens. */
  async start(): Promise<Projector> {
    const { url } = this.at;
    const own = { DATABASE_URL: url, EVENT_STORE_URL: url, PARTITIONS: '1', BURSAR_ADMIN_KEY: ADMIN_KEY, PORT: '0', OPS_PORT: '0' };
    const env = { ...process.env, NODE_OPTIONS: '', ...own, ...this.env };
    const child = spawn(process.execPath, ['--enable-source-maps', MAIN], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    const lines: LogLine[] = [];
    let started: Projector | null = null;
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = JSON.parse(text) as LogLine;
      lines.push(line);
      this.said.set(line.msg, (this.said.get(line.msg) ?? 0) + 1);
      if (isTakeOver(line) && started !== null) this.owner = started;
    });
    const listening = await eventually(
      () => lines.find(({ msg }) => msg === 'listening'),
      (line) => line !== undefined,
    );
    started = { process: child, url: listening?.url ?? '', opsUrl: listening?.opsUrl ?? '', lines };
    if (lines.some(isTakeOver)) this.owner = started;
    return started;
  }

  async kill({ process: child }: Projector): Promise<void> {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Exit codes, in order. */
  async stop(...projectors: readonly Projector[]): Promise<readonly (number | null)[]> {
    const exits = projectors.map(({ process: child }) => once(child, 'exit'));
    for (const { process: child } of projectors) child.kill('SIGTERM');
    return (await Promise.all(exits)).map(([code]) => code as number | null);
  }

  /** Whatever is left, frozen ones too. */
  killAll(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }
}

/** A metric of one process, summed over its labels; 0 when it does not answer. */
export const metricOf = async ({ opsUrl }: Projector, name: string): Promise<number> => {
  const text = await fetch(`${opsUrl}/metrics`, { signal: AbortSignal.timeout(1_000) }).then(
    (response) => response.text(),
    () => '',
  );
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
};
