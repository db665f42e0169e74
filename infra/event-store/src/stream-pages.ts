import type { EventStore, StoredEvent } from './port.js';

const PAGE = 500;

/**
 * One stream from a revision on, in order, page by page. A page also ends at some megabytes, so that only an empty one is the end of the
 * stream; revisions are dense.
 */
export async function* streamPages(
  store: Pick<EventStore, 'readStream'>,
  stream: string,
  fromRevision = 0,
): AsyncGenerator<readonly StoredEvent[], void> {
  for (let from = fromRevision; ; ) {
    const page = await store.readStream(stream, from, PAGE);
    if (page.length === 0) return;
    yield page;
    from += page.length;
  }
}
