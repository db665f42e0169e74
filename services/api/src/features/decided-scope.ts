import { type ScopeRef, scopeId, scopeStream, scopeType } from '@bursar/contracts';
import { Injectable } from '@nestjs/common';
import { positionText } from '../adapters/sql/snapshot.js';
import { type Aggregate, Streams } from '../adapters/store/streams.js';
import { decideScope, evolveScopes, type ScopeCommand, type ScopeEntry, ScopeRegistry } from '../domain/scope-registry.js';
import { type Answer, etag } from './answer.js';
import type { CommandContext } from './command-context.js';
import { type IfMatch, requireMatch } from './if-match.js';
import { Settled } from './settled.js';

const REGISTRY: Aggregate<ScopeRegistry> = {
  initial: (tenant) => new ScopeRegistry(tenant),
  evolve: (registry, event) => {
    evolveScopes(registry, event);
    return registry;
  },
  // A registry has thousands of events and each command needs all of them.
  live: true,
};

export type ShownScope = Readonly<{
  scope: ScopeRef;
  type: string;
  id: string;
  parents: readonly ScopeRef[];
  name: string | null;
  attributes: Readonly<Record<string, string>>;
}>;

export const showScope = ({ scope, parents, name, attributes }: Omit<ScopeEntry, 'position'>): ShownScope => ({
  scope,
  type: scopeType(scope),
  id: scopeId(scope),
  parents,
  name,
  attributes,
});

/**
 * Runs scope commands. All scopes of a tenant are one stream, appended at its loaded revision: of two moves that would close a cycle
 * together one is decided anew and refused (RELIABILITY IN-G3).
 */
@Injectable()
export class DecidedScope {
  constructor(
    private readonly streams: Streams,
    private readonly settled: Settled,
  ) {}

  /** A scope's ETag is the position of its last event. */
  async run(context: CommandContext, command: ScopeCommand, status: number, ifMatch: IfMatch = null): Promise<Answer> {
    const outcome = await this.streams.transact(scopeStream(context.tenant), context, REGISTRY, ({ state }) => {
      const entry = state.entries.get(command.scope);
      if (entry !== undefined) requireMatch(ifMatch, entry.position);
      return decideScope(command, state);
    });
    // Taken before waiting: the registry is one live object that later commands change.
    const entry = outcome.state.entries.get(command.scope);
    await this.settled.at(outcome);
    const headers = { 'bursar-position': positionText(outcome.partition, outcome.position) };
    if (entry === undefined) return { status, headers };
    return { status, body: showScope(entry), headers: { ...headers, etag: etag(entry.position) } };
  }
}
