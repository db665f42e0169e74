import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../../..');

export type Cruise = Readonly<{ modules: number; problems: readonly string[] }>;

type Report = Readonly<{
  summary: {
    totalCruised: number;
    violations: readonly { from: string; to: string; rule: { name: string }; cycle?: readonly { name: string }[] }[];
  };
}>;

/** Applies `.dependency-cruiser.cjs` to the folders `paths` of `directory`. Throws when the tool itself fails. */
export const cruise = (directory: string, paths: readonly string[]): Cruise => {
  const args = [
    join(ROOT, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs'),
    '--config',
    join(ROOT, '.dependency-cruiser.cjs'),
  ];
  const { stdout, stderr } = spawnSync(process.execPath, [...args, '--output-type', 'json', ...paths], {
    cwd: directory,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  let report: Report;
  try {
    report = JSON.parse(stdout) as Report;
  } catch (cause) {
    throw new Error(`dependency-cruiser failed: ${stderr.trim()}`, { cause });
  }
  const { totalCruised, violations } = report.summary;
  return {
    modules: totalCruised,
    problems: violations.map(
      ({ rule, from, to, cycle }) => `${rule.name}: ${from} → ${cycle ? cycle.map(({ name }) => name).join(' → ') : to}`,
    ),
  };
};

/** Fewer modules than this mean that dependency-cruiser did not understand the sources: it then passes whatever they import. */
const LEAST_MODULES = 60;

/** What is wrong; empty when all is well. */
export const verdict = ({ modules, problems }: Cruise): readonly string[] =>
  modules < LEAST_MODULES ? [`only ${modules} modules were looked at: the import rules were not applied`] : problems;
