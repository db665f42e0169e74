/** What a feature answers over HTTP. `body` undefined: none (204). */
export type Answer = Readonly<{
  status: number;
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  /** More members of the body, for whoever asks now: they are not kept for who sends the same request again. */
  shownOnce?: Readonly<Record<string, string>>;
}>;

export const ok = (body: unknown, headers: Readonly<Record<string, string>> = {}): Answer => ({ status: 200, body, headers });

/** A strong validator: the revision of the thing, in quotes. */
export const etag = (revision: number): string => `"${revision}"`;
