import { parseInstant } from '@bursar/contracts';
import { field, type TraceFormat } from '../row.ts';

/** FOCUS 1.0 cloud bills: rated amounts. Credits are negative and are answered `rejected`: usage never lowers a balance. */
export const focus: TraceFormat = {
  columns: [
    'BilledCost',
    'BillingAccountName',
    'BillingCurrency',
    'ChargePeriodStart',
    'SubAccountName',
    'ServiceName',
    'ProviderName',
    'Tags',
  ],
  calendar: true,
  rows: (records) =>
    records.map((record, index) => {
      const row = index + 1;
      const organisation = `organization:${known(field(record, 'BillingAccountName', row)) ?? 'unknown'}`;
      const subAccount = known(field(record, 'SubAccountName', row));
      const unit = businessUnit(field(record, 'Tags', row));
      const scopes = [subAccount === null ? null : `project:${subAccount}`, unit === null ? null : `team:${unit}`].filter(
        (scope) => scope !== null,
      );
      return {
        row,
        at: parseInstant(`${field(record, 'ChargePeriodStart', row).replace(' ', 'T')}Z`),
        scopes: scopes.length === 0 ? [organisation] : scopes,
        meter: 'cloud.charge',
        cost: { amount: decimal(field(record, 'BilledCost', row)), currency: field(record, 'BillingCurrency', row) },
        dimensions: {
          provider: known(field(record, 'ProviderName', row)) ?? 'unknown',
          service: known(field(record, 'ServiceName', row)) ?? 'unknown',
        },
        parents: Object.fromEntries(scopes.map((scope) => [scope, [organisation]])),
      };
    }),
};

const known = (text: string): string | null => (text === 'NULL' || text.trim() === '' ? null : text);

/** `Tags` is JSON or NULL; a tag set without a business unit belongs to no team. */
const businessUnit = (tags: string): string | null => {
  if (known(tags) === null) return null;
  const parsed: unknown = JSON.parse(tags);
  const unit = typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>).business_unit : undefined;
  return typeof unit === 'string' ? known(unit) : null;
};

/** Their amounts have 11 places and may lack the leading zero or carry trailing ones. */
const decimal = (text: string): string =>
  text
    .replace(/^(-?)\./, '$10.')
    .replace(/(\.[0-9]*?)0+$/, '$1')
    .replace(/\.$/, '');
