import type { Finding, Level } from './finding.ts';

/** What doctor found, and whether anything runs at all. */
export type Report = Readonly<{ running: boolean; dataDir: string; findings: readonly Finding[] }>;

const MARKS: Readonly<Record<Level, string>> = { ok: 'ok  ', warn: 'LOOK', bad: 'BAD ' };

/** For a person: by area, each problem with what to do about it, the outcome last. */
export const asText = ({ running, dataDir, findings }: Report): string => {
  const lines: string[] = [];
  let area = '';
  for (const finding of findings) {
    if (finding.area !== area) lines.push(...(area === '' ? [] : ['']), finding.area);
    area = finding.area;
    lines.push(`  ${MARKS[finding.level]}  ${finding.text}`);
    if (finding.todo !== undefined) lines.push(`        → ${finding.todo}`);
  }
  if (!running) lines.push('', `nothing runs on ${dataDir}: start it with scripts/up`);
  return [...lines, '', outcome(findings)].join('\n');
};

/** For a program. `ok` is false when doctor exits with 1. */
export const asJson = ({ running, dataDir, findings }: Report): string =>
  JSON.stringify({ ok: isWell(findings), running, dataDir, findings }, null, 2);

export const isWell = (findings: readonly Finding[]): boolean => count(findings, 'bad') === 0;

const count = (findings: readonly Finding[], level: Level): number => findings.filter((finding) => finding.level === level).length;

const outcome = (findings: readonly Finding[]): string => {
  const bad = count(findings, 'bad');
  const look = count(findings, 'warn');
  if (bad === 0 && look === 0) return 'all is well';
  const parts = [...(bad > 0 ? [`${bad} wrong`] : []), ...(look > 0 ? [`${look} to look at`] : [])];
  return parts.join(', ');
};
