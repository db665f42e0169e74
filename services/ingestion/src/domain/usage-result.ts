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
export type Verdict = 'accepted' | 'duplicate' | 'conflict';

/** The verdict on an event in the words of the API. `position` is null while it has none. */
export const resultOf = (
  { id, source }: Pick<UsageItem, 'id' | 'source'>,
  eventId: string,
  position: string | null,
  verdict: Verdict,
): UsageResult => {
  const where = { eventId, ...(position !== null && { position }) };
  if (verdict !== 'conflict') return { id, source, status: verdict, ...where };
  return {
    id,
    source,
    status: 'rejected',
    ...where,
    problem: makeProblem('idempotency_conflict', 'This id was recorded with other content, which stands.'),
  };
};
