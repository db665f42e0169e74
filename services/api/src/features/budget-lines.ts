import { MAX_BULK } from '@bursar/contracts/http';
import { Problem } from '@bursar/platform';
import { CsvError, parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { type Cells, COLUMNS, type Column, isColumn } from '../domain/budget-csv.js';

/** A line of a file; `cells` null: it has another number of them than the header. */
export type Line = Readonly<{ cells: Cells | null; row: number }>;

/** RFC 4180, every text quoted, with a header. */
export const writeCsv = (lines: readonly Readonly<Record<Column, string>>[]): string =>
  stringify([...lines], { header: true, columns: [...COLUMNS], quoted_string: true, record_delimiter: 'windows' });

/** Throws 400 for text that is no CSV, for columns nobody knows, and for too many lines. */
export const readCsv = (text: string): readonly Line[] => {
  const [header, ...records] = recordsOf(text);
  if (header === undefined) throw refused('too_few', 'There is no header line');
  const columns = header.map((name) => {
    if (!isColumn(name)) throw refused('unknown_field', `Unknown column ${JSON.stringify(name.slice(0, 64))}`);
    return name;
  });
  if (new Set(columns).size < columns.length) throw refused('duplicate', 'A column is there twice');
  if (records.length === 0) throw refused('too_few', 'There is no line after the header');
  if (records.length > MAX_BULK) throw refused('too_many', `More than ${MAX_BULK} lines`);
  return records.map((cells, index) => ({
    cells: cells.length === columns.length ? Object.fromEntries(columns.map((name, place) => [name, cells[place] ?? ''])) : null,
    row: index + 2,
  }));
};

const recordsOf = (text: string): readonly (readonly string[])[] => {
  try {
    return parse(text, { bom: true, relax_column_count: true, skip_empty_lines: true });
  } catch (error) {
    if (error instanceof CsvError) throw refused('text_format', 'Not CSV: a quote is left open, or stands where none may');
    throw error;
  }
};

const refused = (code: 'too_few' | 'too_many' | 'unknown_field' | 'duplicate' | 'text_format', message: string): Problem =>
  new Problem(code, message, { errors: [{ pointer: '', message, code }] });
