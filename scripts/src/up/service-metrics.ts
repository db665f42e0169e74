import { readState } from './files.ts';

const TIMEOUT_MS = 3_000;

/** What `/metrics` of one process shows: values by series, `name` or `name{labels}`, without the label `service`. */
export type Series = ReadonlyMap<string, number>;

/**
 * Reads the ops listener of every process that `scripts/up` runs, by label (`ingestion`, `ingestion-2` …). One that does not answer is
 * there with nothing to show.
 */
export const readMetrics = async (dataDir: string): Promise<ReadonlyMap<string, Series>> => {
  const ports = Object.entries(readState(dataDir, 'ports') ?? {}).filter(([label]) => label.endsWith('.ops'));
  const read = await Promise.all(ports.map(async ([label, port]) => [label.slice(0, -'.ops'.length), await readOne(port)] as const));
  return new Map(read);
};

const readOne = async (port: number): Promise<Series> => {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return parse(await response.text());
  } catch {
    return new Map(); // whether it answers is what /readyz is for
  }
};

/** The sum of a metric over all its labels; undefined when it is not shown. */
export const sumOf = (series: Series, name: string): number | undefined => {
  const values = [...series].filter(([key]) => key === name || key.startsWith(`${name}{`)).map(([, value]) => value);
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
};

/** The text format of Prometheus, as far as sums need it. */
const parse = (text: string): Series =>
  new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
