/** What a feature answers over HTTP. `body` undefined: none (204). */
export type Answer = Readonly<{ status: number; body?: unknown; headers?: Readonly<Record<string, string>> }>;

export const ok = (body: unknown, headers: Readonly<Record<string, string>> = {}): Answer => ({ status: 200, body, headers });

/** A strong validator: the revision of the thing, in quotes. */
export const etag = (revision: number): string => `"${revision}"`;
