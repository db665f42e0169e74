import { makeProblem, type Problem, type UsageItem } from '@bursar/contracts/http';
import type { EventOutcome } from '@bursar/event-store';

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

/** The store's verdict on an event in the words of the API. */
export const resultOf = (
  item: Pick<UsageItem, 'id' | 'source'>,
  eventId: string,
  partition: number,
  outcome: EventOutcome,
): UsageResult => {
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
