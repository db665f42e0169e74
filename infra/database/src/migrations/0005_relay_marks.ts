import { type Kysely, sql } from 'kysely';

/** What stream EVENTS held when: should it come back without its newest messages, the relay knows from where to fan out again. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE TABLE projection.relay_mark (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      -- When JetStream says it made the stream: another one has another history.
      stream_created text NOT NULL,
      -- The stream's last sequence by then; everything up to the positions has this one or a lower one.
      sequence bigint NOT NULL,
      -- Of partition p: element p + 1.
      positions jsonb NOT NULL,
      noted_at timestamptz NOT NULL DEFAULT now()
    );
  `.execute(db);
};
