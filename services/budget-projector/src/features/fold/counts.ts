import { type BudgetCountedEvent, beginThresholds, countedBudget, countedPostings, foldCounted } from '../../domain/fold-counted.js';
import type { Flush, OpenChanges } from './open-changes.js';

/** Adds a budget's past, as it was counted beside the loop. */
export const addCount = async (open: OpenChanges, event: BudgetCountedEvent, flush: Flush): Promise<void> => {
  const tenant = await open.memory.tenant(event.meta.tenant);
  const budget = countedBudget(tenant, event);
  if (budget === null) return;
  const corrections = await open.corrections(
    event.meta.tenant,
    event.data.waitingForRate.map(({ position }) => position),
  );
  const part = open.attempt(event, () => countedPostings(tenant, budget, event, corrections));
  if (part === null) return;
  if (part.waiting.length > 0 && open.lackWaiting) await flush();
  await open.memory.load([...part.sums.map(({ period }) => ({ budget, period })), ...part.rated]);
  open.attempt(event, () => foldCounted(tenant, part, event, open.now, open.memory.step));
  if (!event.data.complete) return;
  await open.memory.loadEndingAfter(budget, budget.state.createdAt);
  beginThresholds(budget, event, open.now);
};
