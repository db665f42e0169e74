import type { Ledger, LedgerItem } from './ledger.js';

const PAGE = 1_000;

/**
 * A tenant's stream of usage from its beginning, in order, page by page. The store ends a page at some megabytes too, so that only an empty
 * one is the end; revisions are dense.
 */
export async function* usagePages(ledger: Pick<Ledger, 'usage'>, tenant: string): AsyncGenerator<readonly LedgerItem[], void> {
  for (let revision = 0; ; ) {
    const page = await ledger.usage(tenant, revision, PAGE);
    if (page.length === 0) return;
    yield page;
    revision += page.length;
  }
}
