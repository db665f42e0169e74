import { type EpochNs, fnv1a32 } from '@bursar/contracts';

/** One row of a trace as usage: everything of the event but its id, source and final time. */
export type TraceRow = Readonly<{
  /** Counts from 1, header not counted; with the file's stem it is the event's id, so that a replay is idempotent. */
  row: number;
  /** When it happened, on the trace's own clock. */
  at: EpochNs;
  scopes: readonly string[];
  meter: string;
  quantities?: Readonly<Record<string, string>>;
  cost?: Readonly<{ amount: string; currency: string }>;
  dimensions: Readonly<Record<string, string>>;
  description?: string;
  /** Registry edges that this row needs: child → parents. */
  parents: Readonly<Record<string, readonly string[]>>;
}>;

/** How one public trace becomes usage. Deterministic: the same file gives the same events. */
export type TraceFormat = Readonly<{
  /** Matches by the columns of the header, so a renamed file still works. */
  columns: readonly string[];
  /** True when its times are calendar times; others only make sense shifted. */
  calendar: boolean;
  rows: (records: readonly Readonly<Record<string, string>>[], stem: string) => readonly TraceRow[];
}>;

/** The field of a record, or an error that names it: a truncated file must not replay as zeros. */
export const field = (record: Readonly<Record<string, string>>, name: string, row: number): string => {
  const value = record[name];
  if (value === undefined) throw new Error(`row ${row} has no column ${name}`);
  return value;
};

/**
 * Who used it, for traces without users: three heavy users and a long tail, decided by FNV-1a of the row number.
 * user → team (user mod 5) → organisation; project (two a team) → team.
 */
export const organisationOf = (row: number): Pick<TraceRow, 'scopes' | 'parents'> => {
  const b = fnv1a32(String(row)) % 100;
  const user = b < 30 ? 0 : b < 45 ? 1 : b < 55 ? 2 : 3 + ((b - 55) % 17);
  const team = user % 5;
  const project = team * 2 + (b % 2);
  const scopes = [`user:user-${String(user).padStart(2, '0')}`, `project:proj-${project}`];
  const teamScope = `team:team-${team}`;
  const parents = {
    [teamScope]: [`organization:org-${team <= 2 ? 'a' : 'b'}`],
    ...Object.fromEntries(scopes.map((scope) => [scope, [teamScope]])),
  };
  return { scopes, parents };
};
