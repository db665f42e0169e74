import type { LedgerEvent } from '@bursar/contracts';

/** Fields of a budget but for its scope, as they would be sent. */
export type Template = Readonly<{ name: string; builtIn: boolean; budget: Readonly<Record<string, unknown>> }>;

const limit = (amount: string): object => ({ amount, currency: 'USD' });
const warnAt = (...percents: readonly [number, 'warning' | 'critical'][]): object[] =>
  percents.map(([percent, severity]) => ({ percent, severity }));

/** Shipped: three sizes, and what a budget is by the door it is made by (PRODUCT B6, B13). */
export const SHIPPED: readonly Template[] = [
  shipped('starter', { limit: limit('100'), period: { kind: 'monthly' }, thresholds: warnAt([80, 'warning'], [95, 'critical']) }),
  shipped('growth', {
    limit: limit('2500'),
    period: { kind: 'monthly' },
    thresholds: warnAt([50, 'warning'], [80, 'warning'], [95, 'critical']),
    enforcement: { mode: 'block', blockAtPercent: 110 },
  }),
  shipped('enterprise', {
    limit: limit('50000'),
    period: { kind: 'quarterly' },
    thresholds: warnAt([50, 'warning'], [75, 'warning'], [90, 'critical'], [100, 'critical']),
    enforcement: { mode: 'notify' },
    rollover: { mode: 'unused', cap: '5000' },
  }),
  shipped('budget', { thresholds: warnAt([80, 'warning'], [95, 'critical']), enforcement: { mode: 'block', blockAtPercent: 100 } }),
  shipped('tenant', {
    limit: limit('500.00'),
    period: { kind: 'rolling', length: '30d' },
    thresholds: warnAt([80, 'warning'], [100, 'critical']),
    levels: { yellow: 80, orange: null, red: 100 },
    enforcement: { mode: 'block', blockAtPercent: 110 },
  }),
  shipped('user', { limit: limit('30'), period: { kind: 'monthly' }, levels: { yellow: 75, orange: 90, red: 100 } }),
  shipped('admin', { limit: limit('100'), period: { kind: 'monthly' }, levels: { yellow: 75, orange: 90, red: 100 } }),
  shipped('monthly-cap', {
    limit: limit('1000'),
    period: { kind: 'monthly' },
    thresholds: warnAt([80, 'warning'], [95, 'critical'], [100, 'critical']),
  }),
];

function shipped(name: string, budget: Template['budget']): Template {
  return { name, builtIn: true, budget };
}

/** Templates by name, those of the tenant in front of the shipped ones they are called like. Total; folded in place. */
export class Templates {
  readonly byName = new Map(SHIPPED.map((template) => [template.name, template]));

  apply(event: LedgerEvent): void {
    if (event.type === 'TemplateSaved') {
      const { name, budget } = event.data;
      this.byName.set(name, { name, builtIn: false, budget });
    } else if (event.type === 'TemplateRemoved') {
      const shippedOne = SHIPPED.find(({ name }) => name === event.data.name);
      if (shippedOne === undefined) this.byName.delete(event.data.name);
      else this.byName.set(shippedOne.name, shippedOne);
    }
  }

  /** In code-point order. */
  list(): readonly Template[] {
    return [...this.byName.values()].sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
  }
}
