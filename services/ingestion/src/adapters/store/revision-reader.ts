import type { EventStore } from '@bursar/event-store';

type Round = { streams: Set<string>; answer: Promise<ReadonlyMap<string, number>> };

/**
 * Last revisions of streams, one indexed read for all who ask at once. A read that was under way when somebody asked is never
 * his answer: it may have begun before the command he knows of was stored.
 */
export class RevisionReader {
  private waiting: Round | null = null;
  private running: Promise<unknown> = Promise.resolve();

  constructor(private readonly store: Pick<EventStore, 'revisions'>) {}

  async read(stream: string): Promise<number> {
    this.waiting ??= this.nextRound();
    this.waiting.streams.add(stream);
    const revisions = await this.waiting.answer;
    return revisions.get(stream) ?? -1;
  }

  private nextRound(): Round {
    const streams = new Set<string>();
    const answer = this.running.then(async () => {
      this.waiting = null; // whoever asks from here on waits for the next read
      const names = [...streams];
      const revisions = await this.store.revisions(names);
      return new Map(names.map((name, index) => [name, revisions[index] ?? -1]));
    });
    this.running = answer.catch(() => undefined);
    return { streams, answer };
  }
}
