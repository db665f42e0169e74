import { type Fields, own, scopeOf } from './fields.js';

/** Where spend goes that names nobody, so that it is seen (RELIABILITY IN-L12). */
export const UNASSIGNED = 'litellm:unassigned';
/** What a proxy calls whoever has no user of their own. */
const NOBODY = 'default_user_id';

type Identity = Readonly<{ organization?: unknown; team?: unknown; project?: unknown; user?: unknown; customer?: unknown; key?: unknown }>;

const scopesOf = (identity: Identity): readonly string[] => {
  const scopes = Object.entries(identity).flatMap(([type, value]) => (value === NOBODY ? [] : (scopeOf(type, value) ?? [])));
  return scopes.length === 0 ? [UNASSIGNED] : scopes;
};

/** Of a log record: by the `metadata` of the key that made the call. */
export const scopesOfRecord = (record: Fields, metadata: Fields): readonly string[] =>
  scopesOf({
    organization: own(metadata, 'user_api_key_org_id'),
    team: own(metadata, 'user_api_key_team_id'),
    project: own(metadata, 'user_api_key_project_id'),
    user: own(metadata, 'user_api_key_user_id'),
    customer: own(metadata, 'user_api_key_end_user_id') ?? own(record, 'end_user'),
    key: own(metadata, 'user_api_key_hash'),
  });

/** Of the budget webhook. */
export const scopesOfNotice = (body: Fields): readonly string[] =>
  scopesOf({
    organization: own(body, 'organization_id'),
    team: own(body, 'team_id'),
    user: own(body, 'user_id'),
    customer: own(body, 'customer_id'),
    key: own(body, 'token'),
  });
