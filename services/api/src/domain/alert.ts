import { type CrossingData, formatPicos, parsePicos } from '@bursar/contracts';

export type AlertType = 'INFO' | 'WARNING' | 'CRITICAL' | 'LIMIT';

/** One crossing in the shape of API.md "Alerts". Amounts are decimal strings, instants RFC 3339, UTC. */
export type Alert = Readonly<{
  id: string;
  budgetId: string;
  type: AlertType;
  severity: CrossingData['definition']['severity'];
  /** The threshold's own number; absent for one by amount. */
  percent?: number;
  percentUsed: string | null;
  currentSpend: string;
  limit: string | null;
  message: string;
  acknowledged: boolean;
  acknowledgedBy: string | null;
  acknowledgedAt: string | null;
  periodStart: string;
  createdAt: string;
  suppressed: boolean;
  /** Of its event in the ledger; null for the moment between the decision and its being told there. */
  position: string | null;
}>;

export const toAlert = (id: string, data: CrossingData, createdAt: string, position: string | null): Alert => ({
  id,
  budgetId: data.budgetId,
  type: alertType(data),
  severity: data.definition.severity,
  ...(data.definition.percent === undefined ? {} : { percent: Number(data.definition.percent) }),
  percentUsed: data.percentUsed,
  currentSpend: data.spend,
  limit: data.limit,
  message: alertMessage(data),
  acknowledged: false,
  acknowledgedBy: null,
  acknowledgedAt: null,
  periodStart: data.periodStart,
  createdAt,
  suppressed: false,
  position,
});

/** A threshold's alert takes its severity; from 100 % of the limit on it is LIMIT. */
const alertType = ({ definition, limit }: CrossingData): AlertType => {
  const reachesLimit =
    definition.percent === undefined
      ? limit !== null && definition.amount !== undefined && parsePicos(definition.amount) >= parsePicos(limit)
      : Number(definition.percent) >= 100;
  return reachesLimit ? 'LIMIT' : TYPES[definition.severity];
};
const TYPES = { info: 'INFO', warning: 'WARNING', critical: 'CRITICAL' } as const;
const WORDS: Readonly<Record<AlertType, string>> = { INFO: 'Info', WARNING: 'Warning', CRITICAL: 'Critical', LIMIT: 'Limit reached' };

/** `Warning: Budget at 65.1% (650.5/1000.0 EUR)`; without a limit there is no percentage to say. */
const alertMessage = (data: CrossingData): string => {
  const spend = withFraction(parsePicos(data.spend));
  const word = WORDS[alertType(data)];
  if (data.limit === null) return `${word}: Budget at ${spend} ${data.currency}`;
  const amounts = `(${spend}/${withFraction(parsePicos(data.limit))} ${data.currency})`;
  return data.percentUsed === null
    ? `${word}: Budget over its limit ${amounts}`
    : `${word}: Budget at ${oneDigit(data.percentUsed)}% ${amounts}`;
};

/** `1000` as people write it beside `650.5`: with one fraction digit at least. */
const withFraction = (picos: bigint): string => {
  const text = formatPicos(picos);
  return text.includes('.') ? text : `${text}.0`;
};

/** Two digits to one, half up: 65.05 is 65.1. */
const oneDigit = (percent: string): string => {
  const hundredths = parsePicos(percent) / 10n ** 10n;
  const tenths = (hundredths + 5n) / 10n;
  return `${tenths / 10n}.${tenths % 10n}`;
};
