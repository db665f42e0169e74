import { DEFAULT_STREAM_LIMITS, wantedStreams } from '../../nats/streams.js';

const firstToken = (subject: string): string => {
  const end = subject.indexOf('.');
  return end === -1 ? subject : subject.slice(0, end);
};

/** First tokens of what streams take: whoever could have us publish there would publish in our name. */
const STREAMS = wantedStreams(DEFAULT_STREAM_LIMITS).flatMap(({ subjects }) => subjects.map(firstToken));

/**
 * May a reply go there? The requester chooses the subject, and we publish on it with our own rights: never on what streams take, on what
 * we answer ourselves, or on what is the server's (`$…`), so that nobody has us forge a range or ask JetStream for something (IN-E10).
 */
export type MayReplyTo = (reply: string | undefined) => boolean;

export const mayReplyTo = (answered: readonly string[]): MayReplyTo => {
  const taken = new Set([...STREAMS, ...answered.map(firstToken)]);
  return (reply) => reply === undefined || reply === '' || !(reply.startsWith('$') || taken.has(firstToken(reply)));
};
