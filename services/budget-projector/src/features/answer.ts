/** What goes back, over HTTP or NATS: status, headers by lower-case name, and the JSON text. */
export type Answer = Readonly<{ status: number; headers: Readonly<Record<string, string>>; body: string }>;
