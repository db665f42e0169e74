import { rootScope, type ScopeRef } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { Kysely } from 'kysely';
import { findScope, pageOfScopes } from '../adapters/sql/scopes.js';
import { type Answer, etag, ok } from './answer.js';
import { Cursors } from './cursors.js';
import { showScope } from './decided-scope.js';
import { type PageQuery, pageOf } from './paging.js';

type Filter = Readonly<{ type?: string; parent?: ScopeRef; text?: string }>;

/** GET /scopes and GET /scopes/:type/:id. */
@Injectable()
export class ListScopes {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly cursors: Cursors,
  ) {}

  async page(tenant: string, query: PageQuery, filter: Filter): Promise<Answer> {
    const page = await pageOf(
      this.cursors,
      tenant,
      ['scopes', filter],
      query,
      (after, limit) => pageOfScopes(this.db, tenant, filter, after === null ? null : String(after[0]), limit),
      (row) => [row.scope],
      showScope,
    );
    return ok(page);
  }

  /** The root is there though nobody registered it. Other scopes that nobody registered are legal but have no page of their own. */
  async one(tenant: string, scope: ScopeRef): Promise<Answer> {
    if (scope === rootScope(tenant)) return ok(showScope({ scope, parents: [], name: null, attributes: {} }));
    const row = await findScope(this.db, tenant, scope);
    if (row === undefined) throw new Problem('not_found', 'There is no such scope.');
    return ok(showScope(row), { etag: etag(row.position) });
  }
}
