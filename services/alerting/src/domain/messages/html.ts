import { type AlertRaisedData, fillTemplate, type PlaceholderValues } from '@bursar/contracts';

const COLOURS = { info: '#2563eb', warning: '#b45309', critical: '#b91c1c' } as const;

/** The tenant's HTML filled in, or ours made of the text: `Name: value` lines become a table, the others paragraphs. */
export const htmlOf = (
  severity: AlertRaisedData['severity'],
  subject: string,
  text: string,
  template: string | undefined,
  values: PlaceholderValues,
): string => {
  if (template !== undefined) return fillTemplate(template, values, escapeHtml);
  const body = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(lineOf)
    .join('\n');
  return `<!doctype html>
<html><head><meta charset="utf-8"><title>${escapeHtml(subject)}</title></head>
<body style="font-family:Arial,Helvetica,sans-serif;font-size:15px;line-height:1.5;color:#1f2937">
<h1 style="font-size:18px;border-left:6px solid ${COLOURS[severity]};padding-left:10px">${escapeHtml(subject)}</h1>
${body}
</body></html>
`;
};

const FIELD = /^([A-Z][A-Za-z ]{0,30}): (.*)$/;
const lineOf = (line: string): string => {
  const [, name, value] = FIELD.exec(line) ?? [];
  if (name === undefined || value === undefined) return `<p>${escapeHtml(line)}</p>`;
  return `<p style="margin:2px 0"><strong>${escapeHtml(name)}:</strong> ${escapeHtml(value)}</p>`;
};

/** Text as text, in elements and attributes alike. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"'`]/g, (character) => ENTITIES[character] ?? '');
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;', '`': '&#96;' };
