import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findNatsServer, startPostgres } from '@bursar/embedded';
import { closingLine, type JestResults, succeeded } from './test/closing-line.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** Runs jest over all workspaces against one shared PostgreSQL; answers the exit code. The last line printed tells the outcome. */
const main = async (args: readonly string[]): Promise<number> => {
  const directory = mkdtempSync(join(tmpdir(), 'bursar-test-'));
  const postgres = await startPostgres({ dataDir: join(directory, 'postgres'), dieWithParent: true });
  try {
    await findNatsServer((line) => console.error(`bursar: ${line}`)); // once, before tests that start one each
    const output = join(directory, 'results.json');
    const code = await jest(['--json', `--outputFile=${output}`, ...args], postgres.url);
    const results = readResults(output);
    console.log(closingLine(results));
    return code !== 0 || !succeeded(results) ? code || 1 : 0;
  } finally {
    await postgres.stop();
    rmSync(directory, { recursive: true, force: true });
  }
};

const jest = (args: readonly string[], databaseUrl: string): Promise<number> =>
  new Promise((done, fail) => {
    const child = spawn(
      process.execPath,
      [join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js'), '--config', join(ROOT, 'jest.config.js'), ...args],
      {
        cwd: ROOT,
        stdio: ['ignore', 'inherit', 'inherit'],
        env: {
          ...process.env,
          BURSAR_TEST_POSTGRES_URL: databaseUrl,
          NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --experimental-vm-modules --disable-warning=ExperimentalWarning`.trim(),
        },
      },
    );
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => child.kill(name));
    child.once('error', fail);
    child.once('exit', (code) => done(code ?? 1));
  });

const readResults = (file: string): JestResults | undefined => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as JestResults;
  } catch {
    return undefined; // jest ended before it had results; what it said is on stderr
  }
};

const HELP = `usage: ./scripts/test [arguments of jest ...]

Runs every test against real PostgreSQL and NATS, and ends with one line: N passed, N failed. Some arguments:
  services/api            only tests whose path holds this
  -t 'F30'                only tests whose name holds this
  --listTests             which files there are`;

try {
  const args = process.argv.slice(2);
  if (args.includes('--help')) console.log(HELP);
  else process.exitCode = await main(args);
} catch (error) {
  console.error(`bursar: ${(error as Error).message}`);
  console.log(closingLine(undefined));
  process.exitCode = 1;
}
