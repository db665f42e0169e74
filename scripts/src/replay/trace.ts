import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { azure } from './formats/azure.ts';
import { burstgpt } from './formats/burstgpt.ts';
import { focus } from './formats/focus.ts';
import { mooncake } from './formats/mooncake.ts';
import { servegen } from './formats/servegen.ts';
import type { TraceFormat, TraceRow } from './row.ts';

const FORMATS: readonly TraceFormat[] = [azure, burstgpt, mooncake, servegen, focus];

export type Trace = Readonly<{ stem: string; calendar: boolean; rows: readonly TraceRow[] }>;

/** Reads a trace file (CSV, gzip or plain); its format is known by its columns. Throws one clear line when it is none of ours. */
export const readTrace = async (path: string): Promise<Trace> => {
  const bytes = await readFile(path);
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  const records = parseCsv(path, text);
  const columns = new Set(Object.keys(records[0] ?? {}));
  const format = FORMATS.find((candidate) => candidate.columns.every((column) => columns.has(column)));
  if (format === undefined) throw new Error(`${path}: not a trace this command knows (columns ${[...columns].join(', ') || 'none'})`);
  const stem = basename(path)
    .replace(/\.gz$/, '')
    .replace(/\.csv$/, '');
  return { stem, calendar: format.calendar, rows: format.rows(records, stem) };
};

const parseCsv = (path: string, text: string): Record<string, string>[] => {
  try {
    return parse(text, { columns: true, skip_empty_lines: true, bom: true });
  } catch (cause) {
    throw new Error(`${path}: not a trace this command knows (not CSV: ${cause instanceof Error ? cause.message : String(cause)})`, {
      cause,
    });
  }
};
