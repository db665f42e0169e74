import { type EventOf, type LedgerEvent, rootScope, type ScopeRef, scopeType } from '@bursar/contracts';
import { mergeAttributes } from '@bursar/contracts/http';
import type { NewEvent } from './new-event.js';
import { Rejection } from './rejection.js';
import { acceptParents } from './scope-tree.js';

/** As many as one request may bring. */
const MAX_ATTRIBUTES = 64;

export type ScopeEntry = Readonly<{
  scope: ScopeRef;
  /** In the order given; empty means directly under the root. */
  parents: readonly ScopeRef[];
  name: string | null;
  attributes: Readonly<Record<string, string>>;
  /** Position of the last event that touched it: its ETag. */
  position: number;
}>;

/** One tenant's registry, stream `scope-<tenant>`. Folded in place: a registry of 10,000 scopes is not copied per event. */
export class ScopeRegistry {
  readonly entries = new Map<ScopeRef, ScopeEntry>();
  /** Registered scopes by a parent they name, whether that parent is registered or not. */
  readonly children = new Map<ScopeRef, Set<ScopeRef>>();
  constructor(readonly tenant: string) {}
}

export type ScopeEventType = 'ScopeRegistered' | 'ScopeMoved' | 'ScopeDescribed' | 'ScopeRemoved';
type ScopeEvent = NewEvent<ScopeEventType>;
type RecordedScopeEvent = EventOf<ScopeEventType>;

export type ScopeCommand =
  | Readonly<{ type: 'RegisterScope'; scope: ScopeRef; parents: readonly ScopeRef[]; name?: string; attributes?: Attributes }>
  | Readonly<{ type: 'ChangeScope'; scope: ScopeRef; parents?: readonly ScopeRef[]; name?: string | null; attributes?: AttributesPatch }>
  | Readonly<{ type: 'RemoveScope'; scope: ScopeRef }>;
type Attributes = Readonly<Record<string, string>>;
/** Merged into what is there; null takes one away, or all of them. */
type AttributesPatch = Readonly<Record<string, string | null>> | null;
type Command<T extends ScopeCommand['type']> = Extract<ScopeCommand, { type: T }>;

/** Pure: same command and registry, same events. Throws {@link Rejection}. */
export const decideScope = (command: ScopeCommand, registry: ScopeRegistry): readonly ScopeEvent[] => {
  refuseTenantScope(command.scope, registry.tenant);
  switch (command.type) {
    case 'RegisterScope':
      return register(command, registry);
    case 'ChangeScope':
      return change(command, registry);
    case 'RemoveScope':
      return remove(command, registry);
  }
};

const register = (command: Command<'RegisterScope'>, registry: ScopeRegistry): readonly ScopeEvent[] => {
  const { scope, name, attributes } = command;
  if (registry.entries.has(scope)) throw new Rejection('already_exists', `Scope ${scope} is registered already.`);
  const parents = acceptParents(registry, scope, command.parents);
  return [
    {
      type: 'ScopeRegistered',
      data: { scope, parents, ...(name === undefined ? {} : { name }), ...(attributes === undefined ? {} : { attributes }) },
    },
  ];
};

const change = (command: Command<'ChangeScope'>, registry: ScopeRegistry): readonly ScopeEvent[] => {
  const { scope } = command;
  const entry = registry.entries.get(scope);
  if (entry === undefined) throw notRegistered(scope);
  const events: ScopeEvent[] = [];
  if (command.parents !== undefined) {
    const parents = acceptParents(registry, scope, command.parents);
    if (!sameList(parents, entry.parents)) events.push({ type: 'ScopeMoved', data: { scope, parents } });
  }
  const name = command.name === undefined || command.name === entry.name ? undefined : command.name;
  const attributes = command.attributes === undefined ? undefined : changedAttributes(entry.attributes, command.attributes);
  if (name !== undefined || attributes !== undefined) {
    events.push({
      type: 'ScopeDescribed',
      data: { scope, ...(name === undefined ? {} : { name }), ...(attributes === undefined ? {} : { attributes }) },
    });
  }
  return events;
};

/** The merged attributes; undefined when they are what they were. */
const changedAttributes = (current: Attributes, patch: AttributesPatch): Record<string, string> | undefined => {
  const merged = mergeAttributes(current, patch);
  const count = Object.keys(merged).length;
  if (count > MAX_ATTRIBUTES)
    throw new Rejection('too_many', `A scope has at most ${MAX_ATTRIBUTES} attributes, not ${count}.`, '/attributes');
  return sameRecord(merged, current) ? undefined : merged;
};

const remove = (command: Command<'RemoveScope'>, registry: ScopeRegistry): readonly ScopeEvent[] => {
  if (!registry.entries.has(command.scope)) throw notRegistered(command.scope);
  if ((registry.children.get(command.scope)?.size ?? 0) > 0) {
    throw new Rejection('in_use', `Scope ${command.scope} has children; move or remove them first.`);
  }
  return [{ type: 'ScopeRemoved', data: { scope: command.scope } }];
};

/** Total: replays any history without throwing; other events change nothing. */
export const evolveScopes = (registry: ScopeRegistry, event: LedgerEvent): void => {
  if (!isScopeEvent(event)) return;
  const before = registry.entries.get(event.data.scope);
  const after = entryAfter(before, event);
  if (before !== undefined) removeEntry(registry, before);
  if (after !== undefined) addEntry(registry, after);
};

const entryAfter = (before: ScopeEntry | undefined, event: RecordedScopeEvent): ScopeEntry | undefined => {
  const { position } = event;
  switch (event.type) {
    case 'ScopeRegistered': {
      const { scope, parents, name = null, attributes = {} } = event.data;
      return { scope, parents, name, attributes, position };
    }
    case 'ScopeMoved':
      return before && { ...before, parents: event.data.parents, position };
    case 'ScopeDescribed': {
      const { name, attributes } = event.data;
      return before && { ...before, name: name === undefined ? before.name : name, attributes: attributes ?? before.attributes, position };
    }
    case 'ScopeRemoved':
      return undefined;
  }
};

const isScopeEvent = (event: LedgerEvent): event is RecordedScopeEvent =>
  event.type === 'ScopeRegistered' || event.type === 'ScopeMoved' || event.type === 'ScopeDescribed' || event.type === 'ScopeRemoved';

const addEntry = (registry: ScopeRegistry, entry: ScopeEntry): void => {
  registry.entries.set(entry.scope, entry);
  for (const parent of entry.parents) {
    const siblings = registry.children.get(parent);
    if (siblings === undefined) registry.children.set(parent, new Set([entry.scope]));
    else siblings.add(entry.scope);
  }
};

const removeEntry = (registry: ScopeRegistry, entry: ScopeEntry): void => {
  registry.entries.delete(entry.scope);
  for (const parent of entry.parents) registry.children.get(parent)?.delete(entry.scope);
};

const refuseTenantScope = (scope: ScopeRef, tenant: string): void => {
  if (scopeType(scope) !== 'tenant') return;
  if (scope !== rootScope(tenant)) throw new Rejection('not_found', `There is no scope ${scope} here.`);
  throw new Rejection('already_exists', `${scope} is the implicit root of everything; it is not registered, moved or removed.`);
};

const notRegistered = (scope: ScopeRef): Rejection => new Rejection('not_found', `Scope ${scope} is not registered.`);
const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item, index) => item === b[index]);
const sameRecord = (a: Attributes, b: Attributes): boolean =>
  Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([key, value]) => Object.hasOwn(b, key) && b[key] === value);
