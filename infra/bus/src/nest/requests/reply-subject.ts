import { DEFAULT_STREAM_LIMITS, wantedStreams } from '../../nats/streams.js';

const firstToken = (subject: string): string => subject.split('.', 1)[0] ?? '';

/** First tokens of what streams take: whoever could have us publish there would publish in our name. */
const STREAMS = new Set(wantedStreams(DEFAULT_STREAM_LIMITS).flatMap(({ subjects }) => subjects.map(firstToken)));

/**
 * May a reply go there? The requester chooses the subject, and we publish on it with our own rights: never on what streams take, on what
 * we answer ourselves, or on what is the server's (`$…`), so that nobody has us forge a range or ask JetStream for something (IN-E10).
 */
export const mayReplyTo = (reply: string | undefined, answered: readonly string[]): boolean => {
  if (reply === undefined || reply === '') return true;
  const token = firstToken(reply);
  return !(token.startsWith('$') || STREAMS.has(token) || answered.some((subject) => firstToken(subject) === token));
};
