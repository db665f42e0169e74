/**
 * Texts with placeholders, `{{spend}}`: no sections, no expressions, no code. A template is read once, when it is saved, and what it may
 * name is a closed list, so a mistake is told to who makes it and never to who gets the message.
 */
export type TemplateProblem = Readonly<{ code: 'placeholder_unknown' | 'placeholder_malformed' | 'active_content'; message: string }>;

/** What a message template may name. What does not apply to an alert is empty; a line of nothing else is left out. */
export const PLACEHOLDERS = [
  'tenant',
  'budget',
  'budgetId',
  'scope',
  'event',
  'type',
  'severity',
  'message',
  'currency',
  'spend',
  'limit',
  'remaining',
  'percentUsed',
  'threshold',
  'blockPoint',
  'periodStart',
  'periodEnd',
  'resets',
  'resetDate',
  'daysUntilReset',
  'next',
  'actions',
  'drivers',
  'report',
  'reason',
  'by',
  'overrideAmount',
  'overrideExpires',
  'previousLimit',
  'previousSpend',
  'newLimit',
  'refusedAmount',
  'refusedReason',
] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];
export type PlaceholderValues = Readonly<Record<Placeholder, string>>;

const KNOWN: ReadonlySet<string> = new Set(PLACEHOLDERS);
const PLACEHOLDER = /\{\{\s*([A-Za-z]+)\s*\}\}/g;

/** The first thing wrong with a text that is to be filled; null when it may be used. */
export const templateProblem = (text: string): TemplateProblem | null => {
  for (const [, name = ''] of text.matchAll(PLACEHOLDER)) {
    if (!KNOWN.has(name)) return { code: 'placeholder_unknown', message: `There is no {{${name}}}; there are ${PLACEHOLDERS.join(', ')}` };
  }
  const rest = text.replace(PLACEHOLDER, '\u0000');
  if (/\{[{\u0000]|[}\u0000]\}/.test(rest))
    return { code: 'placeholder_malformed', message: 'A placeholder is {{name}}, and nothing else stands in double braces' };
  return null;
};

/** What runs, loads or submits in a mail reader that lets it. */
const ACTIVE =
  /<\s*\/?\s*(?:script|style|iframe|frame|object|embed|applet|form|input|button|link|meta|base|svg|math|template)\b|\bon[a-z]+\s*=|=\s*["']?\s*(?:javascript|vbscript|data)\s*:/i;
/** Within a tag a value could leave its attribute, or be an address: values stand between tags only. */
const IN_TAG = /<[^>]*\{\{/;
/** Nor is anything written in a tag that only a reader would decode. */
const CODED_IN_TAG = /<[^>]*&(?!amp;)/;

/** As {@link templateProblem}, of an HTML text. */
export const htmlTemplateProblem = (html: string): TemplateProblem | null => {
  if (ACTIVE.test(html) || CODED_IN_TAG.test(html))
    return { code: 'active_content', message: 'Scripts, styles, forms, embedded content and event handlers are not allowed' };
  if (IN_TAG.test(html)) return { code: 'placeholder_malformed', message: 'A placeholder stands between tags, never inside one' };
  return templateProblem(html);
};

/** Replaces every placeholder by its value, escaped for where it goes. What is put in is not read again. */
export const fillTemplate = (text: string, values: PlaceholderValues, encode: (value: string) => string): string =>
  text
    .split('\n')
    .filter((line) => !isEmptied(line, values))
    .map((line) => line.replace(PLACEHOLDER, (_, name: Placeholder) => encode(values[name] ?? '')))
    .join('\n');

/** A line that has placeholders, none of which has a value. */
const isEmptied = (line: string, values: PlaceholderValues): boolean => {
  const names = [...line.matchAll(PLACEHOLDER)].map(([, name]) => name as Placeholder);
  return names.length > 0 && names.every((name) => (values[name] ?? '') === '');
};
