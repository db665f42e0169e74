import type { RunFile } from './files.ts';

/** What a person needs once everything is ready. `tookMs` counts from the command's very beginning, installs included. */
export const announcement = (run: RunFile, dataDir: string, tookMs: number, first: boolean): string => {
  const took = `${(tookMs / 1000).toFixed(1)} s`;
  const event = '{"id":"first","source":"me","scopes":["team:ml"],"cost":{"amount":"0.0125","currency":"USD"}}';
  return [
    `Bursar is ready; ${first ? 'the first start' : 'this start'} took ${took}.`,
    '',
    `  api         ${run.apiUrl}`,
    `  ingestion   ${run.ingestionUrl}`,
    `  enforcement ${run.enforcementUrl}`,
    `  NATS        ${withoutPassword(run.natsUrl)}`,
    `  PostgreSQL  ${withoutPassword(run.databaseUrl)}`,
    `  data, logs  ${dataDir} (addresses with credentials: run.json)`,
    `  admin key   ${run.adminApiKey}`,
    '',
    'Try:',
    `  curl -s ${run.apiUrl}/api/v1/usage -H 'Authorization: Bearer ${run.adminApiKey}' \\`,
    `    -H 'Content-Type: application/json' -d '${event}'`,
    '',
  ].join('\n');
};

const withoutPassword = (url: string): string => url.replace(/(:\/\/[^:/@]*):[^@]*@/, '$1:***@');
