import { afterAll, beforeAll, describe } from '@jest/globals';
import { budgetCorpus } from './suites/budget-corpus.js';
import { budgets } from './suites/budgets.js';
import { prices } from './suites/prices.js';
import { scopes } from './suites/scopes.js';
import { spend } from './suites/spend.js';
import { Client } from './support/client.js';
import { startSystem, type TestSystem } from './support/system.js';

/** One system serves all suites: each works in tenants of its own. */
let system: TestSystem;
const api = (): Client => new Client(system.url, 'unused');

beforeAll(async () => {
  system = await startSystem();
}, 60_000);
afterAll(() => system?.stop());

describe('api', () => {
  budgets(api);
  budgetCorpus(api);
  scopes(api);
  spend(api);
  prices(api);
});
