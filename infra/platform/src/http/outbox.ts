/** Something whose answer is made, and has to go out. */
export type Sender = Readonly<{ deliver: () => void }>;

/**
 * What is answered in one turn of the event loop goes out at its end, one after the other. A write wakes up who reads it, and where cores are few the
 * kernel runs him in place of the writer: for each of many answers by itself that took longer than making it.
 */
export class Outbox {
  private senders: Sender[] = [];

  add(sender: Sender): void {
    this.senders.push(sender);
    if (this.senders.length === 1) setImmediate(this.deliver);
  }

  private readonly deliver = (): void => {
    const { senders } = this;
    this.senders = [];
    for (const sender of senders) sender.deliver();
  };
}
