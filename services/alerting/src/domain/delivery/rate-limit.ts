import type { AlertRaisedData } from '@bursar/contracts';

/** At most `max` notices of a kind within any window of `windowMs`. */
export type NoticeLimit = Readonly<{ max: number; windowMs: number }>;
export type Notices = Readonly<{
  /** Instants of those sent within the window, epoch ms, oldest first. */
  sent: readonly number[];
  /** When what is held back now is summed up. */
  summaryAt: number | null;
}>;
export type NoticeDecision = Readonly<{
  send: boolean;
  notices: Notices;
  /** The first that is held back: a summary follows then. */
  beginsSummary: boolean;
}>;

export const NO_NOTICES: Notices = { sent: [], summaryAt: null };

/** What repeats: the same threshold of a budget crossed or cleared again, or the same lifecycle event. Never two thresholds in one. */
export const noticeOf = ({ event, budgetId, details }: Pick<AlertRaisedData, 'event' | 'budgetId' | 'details'>): string =>
  JSON.stringify([budgetId, event, details.threshold ?? null]);

/**
 * Whether e-mail and Slack hear of it (PRODUCT D3). Instants never decrease from call to call, so the same alerts are held back whoever
 * decides, however often. A summary is due when the window of the oldest notice that held this one back ends.
 */
export const decideNotice = (notices: Notices, at: number, { max, windowMs }: NoticeLimit): NoticeDecision => {
  const sent = notices.sent.filter((instant) => instant > at - windowMs);
  const summaryAt = notices.summaryAt !== null && notices.summaryAt > at ? notices.summaryAt : null;
  const [oldest] = sent;
  if (oldest === undefined || sent.length < max) return { send: true, notices: { sent: [...sent, at], summaryAt }, beginsSummary: false };
  return { send: false, notices: { sent, summaryAt: summaryAt ?? oldest + windowMs }, beginsSummary: summaryAt === null };
};
