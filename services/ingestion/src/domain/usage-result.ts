import { makeProblem, type Problem, type UsageItem } from '@bursar/contracts/http';

/** What happened to one event of a request (API.md, "Usage"). `position` is `<partition>:<position>`. */
export type UsageResult = Readonly<{
  id: string | null;
  source: string | null;
  status: 'accepted' | 'duplicate' | 'rejected';
  eventId?: string;
  position?: string;
  problem?: Problem;
}>;

export const rejected = (item: Pick<UsageItem, 'id' | 'source'>, problem: Problem): UsageResult => ({
  id: item.id,
  source: item.source,
  status: 'rejected',
  problem,
});

/** What the ledger says about an event: stored now, stored before, or its id is taken by other content. */
export type Verdict = Readonly<{ status: 'accepted' | 'duplicate' | 'conflict'; position: number }>;

/** The store's verdict on an event in the words of the API. */
export const resultOf = (item: Pick<UsageItem, 'id' | 'source'>, eventId: string, partition: number, outcome: Verdict): UsageResult => {
  const position = `${partition}:${outcome.position}`;
  if (outcome.status !== 'conflict') return { id: item.id, source: item.source, status: outcome.status, eventId, position };
  return {
    id: item.id,
    source: item.source,
    status: 'rejected',
    eventId,
    position,
    problem: makeProblem('idempotency_conflict', 'This id was recorded with other content, which stands.'),
  };
};
