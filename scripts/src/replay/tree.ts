import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { expectStatus, request, type Target } from './client.ts';

export type Node = {
  scope: string;
  name?: string | null;
  spend: { amount: string; currency: string }[];
  budgets: { name: string; currency: string; currentSpend: string; limit: string | null; percentUsed?: string | null; status: string }[];
  children: Node[];
};

const Node: z.ZodType<Node> = z.object({
  scope: z.string(),
  name: z.string().nullish(),
  spend: z.array(z.object({ amount: z.string(), currency: z.string() })),
  budgets: z.array(
    z.object({
      name: z.string(),
      currency: z.string(),
      currentSpend: z.string(),
      limit: z.string().nullable(),
      percentUsed: z.string().nullish(),
      status: z.string(),
    }),
  ),
  get children() {
    return z.array(Node);
  },
});

/** The whole tenant as a tree with balances, once everything up to the position has been counted. */
export const readTree = async (target: Target, position: string | null): Promise<Node> => {
  const query = position === null ? '' : `?minPosition=${position}`;
  for (;;) {
    const answer = expectStatus(
      'GET /budgets/hierarchy',
      await request(target, 'GET', `/budgets/hierarchy/tenant/${target.tenant}${query}`),
      200,
      202,
    );
    if (answer.status === 200) return Node.parse(answer.body);
    await delay(200);
  }
};

/** Lines as a person reads them: one a scope, its budgets below it. */
export const renderTree = (root: Node): string => {
  const lines: [label: string, spend: string][] = [];
  const visit = (node: Node, lead: string, below: string): void => {
    const spend = node.spend.map((money) => `${money.amount} ${money.currency}`).join(' + ') || '0';
    lines.push([`${lead}${node.scope}${node.name ? ` (${node.name})` : ''}`, spend]);
    for (const budget of node.budgets) {
      const share = budget.percentUsed ? ` (${budget.percentUsed} %)` : '';
      lines.push([
        `${below}· budget ${budget.name}`,
        `${budget.currentSpend} of ${budget.limit ?? 'unlimited'} ${budget.currency}${share}, ${budget.status}`,
      ]);
    }
    node.children.forEach((child, index) => {
      const last = index === node.children.length - 1;
      visit(child, `${below}${last ? '└─ ' : '├─ '}`, `${below}${last ? '   ' : '│  '}`);
    });
  };
  visit(root, '', '');
  const width = Math.max(...lines.map(([label]) => label.length));
  return lines.map(([label, spend]) => `${label.padEnd(width + 2)}${spend}`).join('\n');
};
