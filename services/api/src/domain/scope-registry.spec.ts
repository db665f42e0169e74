import type { LedgerEvent } from '@bursar/contracts';
import { describe, expect, test } from '@jest/globals';
import type { NewEvent } from './new-event.js';
import { Rejection } from './rejection.js';
import { decideScope, evolveScopes, type ScopeCommand, type ScopeEventType, ScopeRegistry } from './scope-registry.js';

type ScopeEvent = NewEvent<ScopeEventType>;

const record = (event: ScopeEvent, index: number): LedgerEvent =>
  ({
    ...event,
    partition: 0,
    position: index + 1,
    stream: 'scope-acme',
    revision: index,
    id: String(index),
    recordedAt: '2026-01-01T00:00:00.000000Z',
    meta: { tenant: 'acme' },
  }) as LedgerEvent;

const given = (...history: ScopeEvent[]) => {
  const registry = new ScopeRegistry('acme');
  history.map(record).forEach((event) => {
    evolveScopes(registry, event);
  });
  return {
    registry,
    when: (command: ScopeCommand) => ({
      thenRecorded: (...events: ScopeEvent[]) => expect(decideScope(command, registry)).toEqual(events),
      thenNothing: () => expect(decideScope(command, registry)).toEqual([]),
      thenRejected: (code: string, pointer?: string) => {
        try {
          decideScope(command, registry);
        } catch (error) {
          if (!(error instanceof Rejection)) throw error;
          expect([error.code, error.pointer]).toEqual([code, pointer]);
          return;
        }
        throw new Error('nothing was rejected');
      },
    }),
  };
};

const registered = (scope: string, ...parents: string[]): ScopeEvent => ({ type: 'ScopeRegistered', data: { scope, parents } });
const moved = (scope: string, ...parents: string[]): ScopeEvent => ({ type: 'ScopeMoved', data: { scope, parents } });
const removed = (scope: string): ScopeEvent => ({ type: 'ScopeRemoved', data: { scope } });
const register = (scope: string, ...parents: string[]): ScopeCommand => ({ type: 'RegisterScope', scope, parents });
const move = (scope: string, ...parents: string[]): ScopeCommand => ({ type: 'ChangeScope', scope, parents });
const chain = (length: number): ScopeEvent[] =>
  Array.from({ length }, (_, index) => (index === 0 ? registered('level:1') : registered(`level:${index + 1}`, `level:${index}`)));

describe('registering', () => {
  test('a scope may have several parents, also ones nobody registered', () =>
    given()
      .when(register('team:ml', 'project:x', 'department:rnd'))
      .thenRecorded(registered('team:ml', 'project:x', 'department:rnd')));
  test('a parent named twice counts once, and the implicit root is no parent', () =>
    given()
      .when(register('team:ml', 'project:x', 'project:x', 'tenant:acme'))
      .thenRecorded(registered('team:ml', 'project:x')));
  test('a scope is registered once', () => given(registered('team:ml')).when(register('team:ml')).thenRejected('already_exists'));
  test('a removed scope can come back', () =>
    given(registered('team:ml', 'department:rnd'), removed('team:ml')).when(register('team:ml')).thenRecorded(registered('team:ml')));
  test('the implicit root is not registered', () => given().when(register('tenant:acme')).thenRejected('already_exists'));
  test('IN-G5 the root of another tenant is no parent', () =>
    given()
      .when(register('team:ml', 'project:x', 'tenant:other'))
      .thenRejected('not_found', '/parents/1'));
  test('IN-G3 no scope is its own parent', () => given().when(register('team:ml', 'team:ml')).thenRejected('scope_cycle'));
  test('IN-G3 a scope that others name as parent cannot be registered below them', () =>
    given(registered('team:b', 'team:a')).when(register('team:a', 'team:b')).thenRejected('scope_cycle'));
});

describe('moving', () => {
  test('parents are replaced from then on', () =>
    given(registered('team:ml', 'department:a')).when(move('team:ml', 'department:b')).thenRecorded(moved('team:ml', 'department:b')));
  test('a move to where it is records nothing', () =>
    given(registered('team:ml', 'department:a')).when(move('team:ml', 'department:a')).thenNothing());
  test('an unregistered scope cannot be moved', () => given().when(move('team:ml', 'department:a')).thenRejected('not_found'));
  test('IN-G3 a cycle over three scopes is refused', () =>
    given(registered('a:1'), registered('b:1', 'a:1'), registered('c:1', 'b:1')).when(move('a:1', 'c:1')).thenRejected('scope_cycle'));
  test('after a move the old parent may go below', () =>
    given(registered('a:1'), registered('b:1', 'a:1'), moved('b:1')).when(move('a:1', 'b:1')).thenRecorded(moved('a:1', 'b:1')));
});

describe('IN-G4 depth and children', () => {
  test('eight scopes deep is fine, nine is not', () => {
    given(...chain(7))
      .when(register('level:8', 'level:7'))
      .thenRecorded(registered('level:8', 'level:7'));
    given(...chain(8))
      .when(register('level:9', 'level:8'))
      .thenRejected('too_many', '/parents');
  });
  test('a move brings what hangs below it along', () => {
    const below = [registered('low:1'), registered('low:2', 'low:1')];
    given(...chain(6), ...below)
      .when(move('low:1', 'level:6'))
      .thenRecorded(moved('low:1', 'level:6'));
    given(...chain(7), ...below)
      .when(move('low:1', 'level:7'))
      .thenRejected('too_many', '/parents');
  });
  test('the 10,001st child is refused, a move within the same parent is not', () => {
    const full = Array.from({ length: 10_000 }, (_, index) => registered(`user:${index}`, 'team:ml'));
    const tenant = given(...full);
    tenant.when(register('user:new', 'team:ml')).thenRejected('too_many', '/parents');
    tenant.when(move('user:1', 'team:ml', 'project:x')).thenRecorded(moved('user:1', 'team:ml', 'project:x'));
  });
});

describe('describing and removing', () => {
  const described: ScopeEvent = { type: 'ScopeDescribed', data: { scope: 'team:ml', name: 'ML', attributes: { site: 'Graz' } } };
  test('name and attributes change together, and not twice', () => {
    const change: ScopeCommand = { type: 'ChangeScope', scope: 'team:ml', name: 'ML', attributes: { site: 'Graz' } };
    given(registered('team:ml')).when(change).thenRecorded(described);
    given(registered('team:ml'), described).when(change).thenNothing();
  });
  test('a name can be taken away', () =>
    given(registered('team:ml'), described)
      .when({ type: 'ChangeScope', scope: 'team:ml', name: null })
      .thenRecorded({ type: 'ScopeDescribed', data: { scope: 'team:ml', name: null } }));
  test('attributes are merged, null takes one away, and all of them', () => {
    const before: ScopeEvent = { type: 'ScopeDescribed', data: { scope: 'team:ml', attributes: { site: 'Graz', cost: '1' } } };
    const change = (attributes: Record<string, string | null> | null): ScopeCommand => ({
      type: 'ChangeScope',
      scope: 'team:ml',
      attributes,
    });
    const after = (attributes: Record<string, string>): ScopeEvent => ({ type: 'ScopeDescribed', data: { scope: 'team:ml', attributes } });
    const team = given(registered('team:ml'), before);
    team.when(change({ cost: null, floor: '3' })).thenRecorded(after({ site: 'Graz', floor: '3' }));
    team.when(change(null)).thenRecorded(after({}));
    team.when(change({ site: 'Graz' })).thenNothing();
  });
  test('IN-C9 a 65th attribute is refused', () => {
    const many = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`k${index}`, 'v']));
    const full: ScopeEvent = { type: 'ScopeDescribed', data: { scope: 'team:ml', attributes: many } };
    given(registered('team:ml'), full)
      .when({ type: 'ChangeScope', scope: 'team:ml', attributes: { one: 'more' } })
      .thenRejected('too_many', '/attributes');
  });
  test('attribute names of Object.prototype are plain names (IN-C5)', () => {
    const odd = Object.fromEntries([['constructor', 'x']]);
    given(registered('team:ml'))
      .when({ type: 'ChangeScope', scope: 'team:ml', attributes: odd })
      .thenRecorded({ type: 'ScopeDescribed', data: { scope: 'team:ml', attributes: odd } });
  });
  test('IN-G9 a scope with children is not removed', () =>
    given(registered('team:ml'), registered('user:a', 'team:ml')).when({ type: 'RemoveScope', scope: 'team:ml' }).thenRejected('in_use'));
  test('once its children moved away it is', () =>
    given(registered('team:ml'), registered('user:a', 'team:ml'), moved('user:a'))
      .when({ type: 'RemoveScope', scope: 'team:ml' })
      .thenRecorded(removed('team:ml')));
});
