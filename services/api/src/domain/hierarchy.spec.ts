import { describe, expect, test } from '@jest/globals';
import { MAX_NODES, type TreeNode, treeFrom } from './hierarchy.js';

const graph = (edges: Record<string, string[]>, mentioned: string[] = []) => ({
  root: 'tenant:acme',
  registered: new Map(Object.entries(edges)),
  mentioned,
});
/** `a(b c(d))` */
const text = ({ scope, children, truncated }: TreeNode): string =>
  `${scope}${truncated ? '…' : ''}${children.length === 0 ? '' : `(${children.map(text).join(' ')})`}`;
const count = (node: TreeNode): number => 1 + node.children.reduce((sum, child) => sum + count(child), 0);

describe('the tree', () => {
  test('from the root shows what has no parent, registered or only spoken of', () => {
    const known = graph({ 'team:ml': ['org:a'], 'org:a': [] }, ['user:x', 'team:ml', 'tenant:acme']);
    expect(text(treeFrom('tenant:acme', known))).toBe('tenant:acme(org:a(team:ml) user:x)');
  });
  test('a scope with several parents stands under each', () => {
    expect(text(treeFrom('tenant:acme', graph({ 'org:a': [], 'org:b': [], 'team:ml': ['org:a', 'org:b'] })))).toBe(
      'tenant:acme(org:a(team:ml) org:b(team:ml))',
    );
  });
  test('a parent that nobody registered stands under the root', () => {
    expect(text(treeFrom('tenant:acme', graph({ 'team:ml': ['org:a'] })))).toBe('tenant:acme(org:a(team:ml))');
  });
  test('from a scope down leaves out what is beside it', () => {
    const known = graph({ 'org:a': [], 'team:ml': ['org:a'], 'user:x': ['team:ml'], 'org:b': [] });
    expect(text(treeFrom('team:ml', known))).toBe('team:ml(user:x)');
  });
  test('a scope that is not known is a tree of one', () => expect(text(treeFrom('team:none', graph({})))).toBe('team:none'));
  test('a cycle, were one ever stored, has an end', () => {
    expect(text(treeFrom('a:1', graph({ 'a:1': ['b:1'], 'b:1': ['a:1'] })))).toBe('a:1(b:1)');
  });
  test('a registry with more places than can be shown is cut off and says so', () => {
    const level = (depth: number) => Array.from({ length: 16 }, (_, index) => `l${depth}:${index}`);
    const edges: Record<string, string[]> = {};
    for (let depth = 0; depth < 8; depth += 1) for (const scope of level(depth)) edges[scope] = depth === 0 ? [] : level(depth - 1);
    const tree = treeFrom('tenant:acme', graph(edges));
    expect(count(tree)).toBeLessThanOrEqual(MAX_NODES + 8);
    expect(tree.truncated).toBe(true);
  });
});
