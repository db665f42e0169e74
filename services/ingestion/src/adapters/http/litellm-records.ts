import { Problem, readForeignJson } from '@bursar/platform';

/** The records of a log callback: an array, one object, or a line each (NDJSON comes as `application/json` too). */
export const recordsOf = (body: Buffer | null): readonly unknown[] => {
  if (body === null || body.length === 0) throw new Problem('empty_body');
  const whole = tryForeign(body);
  if (whole.ok) return Array.isArray(whole.value) ? whole.value : [whole.value];
  const lines = linesOf(body);
  const read = lines.map(tryForeign);
  // One line that is none is one bad record among others; where none is JSON, the body is not NDJSON either.
  if (lines.length < 2 || !read.some(({ ok }) => ok)) throw whole.problem;
  return read.map((line) => (line.ok ? line.value : undefined));
};

type Reading = Readonly<{ ok: true; value: unknown } | { ok: false; problem: Problem }>;

const tryForeign = (bytes: Buffer): Reading => {
  try {
    return { ok: true, value: readForeignJson(bytes) };
  } catch (error) {
    if (error instanceof Problem) return { ok: false, problem: error };
    throw error;
  }
};

const NEWLINE = 0x0a;

const linesOf = (body: Buffer): readonly Buffer[] => {
  const lines: Buffer[] = [];
  for (let from = 0; from < body.length; ) {
    const end = body.indexOf(NEWLINE, from);
    const to = end === -1 ? body.length : end;
    const line = body.subarray(from, to);
    if (line.some((byte) => byte > 0x20)) lines.push(line);
    from = to + 1;
  }
  return lines;
};
