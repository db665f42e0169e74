/** One measured figure, beside the limit or peer measured in the same run. */
export type BenchRow = Readonly<{
  name: string;
  /** null: not run, for the reason in `note`. Never a figure from elsewhere. */
  value: number | null;
  unit: string;
  limitName?: string;
  limit?: number | null;
  /** value ÷ limit. */
  ratio?: number | null;
  /** Less (or, where `lowerIsBetter`, more) is a defect. */
  floor?: number;
  goal?: number;
  lowerIsBetter?: boolean;
  note?: string;
}>;

/** A figure as a share of its limit. */
export const against = (name: string, value: number, unit: string, limitName: string, limit: number): BenchRow => ({
  name,
  value,
  unit,
  limitName,
  limit,
  ratio: value / limit,
});
