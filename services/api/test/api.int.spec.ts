import { afterAll, beforeAll, describe } from '@jest/globals';
import { access } from './suites/access.js';
import { alerts } from './suites/alerts.js';
import { asOf } from './suites/as-of.js';
import { budgetCorpus } from './suites/budget-corpus.js';
import { budgetUsage } from './suites/budget-usage.js';
import { budgets } from './suites/budgets.js';
import { bulk } from './suites/bulk.js';
import { channels } from './suites/channels.js';
import { check } from './suites/check.js';
import { controls } from './suites/controls.js';
import { corrections } from './suites/corrections.js';
import { documents } from './suites/documents.js';
import { explain } from './suites/explain.js';
import { idempotency } from './suites/idempotency.js';
import { incomplete } from './suites/incomplete.js';
import { liveStream } from './suites/live-stream.js';
import { mutations } from './suites/mutations.js';
import { notificationTemplates } from './suites/notification-templates.js';
import { periods } from './suites/periods.js';
import { positions } from './suites/positions.js';
import { priceCorrections } from './suites/price-corrections.js';
import { prices } from './suites/prices.js';
import { resets } from './suites/resets.js';
import { scopes } from './suites/scopes.js';
import { settings } from './suites/settings.js';
import { spend } from './suites/spend.js';
import { usageHistory } from './suites/usage-history.js';
import { Client } from './support/client.js';
import { startSystem, type TestSystem } from './support/system.js';

/** One system serves all suites: each works in tenants of its own. */
let system: TestSystem;
const api = (): Client => new Client(system.url, 'unused');

beforeAll(async () => {
  system = await startSystem();
}, 240_000);
afterAll(() => system?.stop());

describe('api', () => {
  budgets(api);
  budgetCorpus(api);
  controls(api);
  check(api);
  explain(api);
  alerts(api);
  notificationTemplates(api);
  liveStream(api);
  channels(api, () => system.database.url);
  scopes(api);
  spend(api);
  usageHistory(api);
  asOf(api);
  bulk(api);
  budgetUsage(api);
  corrections(api);
  prices(api);
  priceCorrections(api);
  periods(api);
  resets(api, () => system.startScheduler());
  positions(api);
  idempotency(api, () => system.database.url);
  documents(api);
  access(api);
  settings(api);
  incomplete(api, () => system.database.url);
  mutations(api);
});
