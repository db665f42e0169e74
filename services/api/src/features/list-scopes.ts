import { rootScope, type ScopeRef } from '@bursar/contracts';
import type { Database } from '@bursar/database';
import { Problem } from '@bursar/platform';
import { Injectable } from '@nestjs/common';
import { Kysely } from 'kysely';
import { findScope, pageOfScopes, type ScopeFilter } from '../adapters/sql/scopes.js';
import { type Answer, etag, ok } from './answer.js';
import { Cursors } from './cursors.js';
import { showScope } from './decided-scope.js';
import type { PageQuery } from './paging.js';

/** GET /scopes and GET /scopes/:type/:id. */
@Injectable()
export class ListScopes {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly cursors: Cursors,
  ) {}

  async page(tenant: string, { limit, cursor }: PageQuery, filter: ScopeFilter): Promise<Answer> {
    const list = ['scopes', filter];
    const after = cursor === undefined ? null : String(this.cursors.read(tenant, list, cursor)[0]);
    const { rows, searchedTo } = await pageOfScopes(this.db, tenant, filter, after, limit + 1);
    const shown = rows.slice(0, limit);
    const last = rows.length > limit ? shown.at(-1)?.scope : searchedTo;
    return ok({ data: shown.map(showScope), nextCursor: last == null ? null : this.cursors.write(tenant, list, [last]) });
  }

  /** The root is there though nobody registered it. Other scopes that nobody registered are legal but have no page of their own. */
  async one(tenant: string, scope: ScopeRef): Promise<Answer> {
    if (scope === rootScope(tenant)) return ok(showScope({ scope, parents: [], name: null, attributes: {} }));
    const row = await findScope(this.db, tenant, scope);
    if (row === undefined) throw new Problem('not_found', 'There is no such scope.');
    return ok(showScope(row), { etag: etag(row.position) });
  }
}
