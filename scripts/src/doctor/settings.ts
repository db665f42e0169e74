/** One environment variable that an operator may set before `scripts/up`; it passes on to the services. */
export type Setting = Readonly<{ name: string; fallback: string; meaning: string; secret?: boolean; planned?: boolean }>;

/** Every setting, grouped by what it is about. `planned` ones are passed on but nothing reads them yet. */
export const SETTINGS: readonly Setting[] = [
  {
    name: 'DATABASE_URL',
    fallback: 'an own PostgreSQL',
    meaning: 'projections and tables of the services; PostgreSQL 15 or newer',
    secret: true,
  },
  { name: 'EVENT_STORE_URL', fallback: 'DATABASE_URL', meaning: 'the event store', secret: true },
  { name: 'NATS_URL', fallback: 'an own nats-server', meaning: 'nats://user:password@host:port, server 2.12 or newer', secret: true },
  { name: 'NATS_SERVER_BIN', fallback: 'PATH, .bursar/bin, package manager, release', meaning: 'the nats-server to start' },
  { name: 'GOMAXPROCS', fallback: 'half of the cores', meaning: 'cores of the nats-server that is started here' },
  { name: 'PARTITIONS', fallback: '16', meaning: 'partitions of the ledger; fixed by the first start of an installation' },
  {
    name: 'PARTITION_LEASE_MS',
    fallback: '3000',
    meaning: 'how long a partition stays with a projector that does not answer any more, 500 to 60000',
  },
  { name: 'MAX_EVENT_AGE', fallback: '35d', meaning: 'usage that is older is rejected, too_old' },
  { name: 'LOG_LEVEL', fallback: 'info', meaning: 'fatal, error, warn, info, debug, trace or silent' },
  {
    name: 'BURSAR_SECRET_KEY',
    fallback: 'DIR/secret-key',
    meaning:
      'seals stored secrets: 64 hexadecimal digits; several, comma separated, newest first, to replace one; BURSAR_SECRET_KEY_FILE: a file',
    secret: true,
  },
  { name: 'SMTP_URL', fallback: '', meaning: 'where alert mail is handed over: smtp://user:password@host:port or smtps://…', secret: true },
  { name: 'SMTP_HOST', fallback: '', meaning: 'instead of SMTP_URL' },
  { name: 'SMTP_PORT', fallback: '587', meaning: 'beside SMTP_HOST; 465 speaks TLS from the first byte' },
  { name: 'SMTP_USER', fallback: '', meaning: 'beside SMTP_HOST' },
  { name: 'SMTP_PASSWORD', fallback: '', meaning: 'beside SMTP_USER; SMTP_PASSWORD_FILE: a file', secret: true },
  { name: 'MAIL_FROM', fallback: 'Bursar <bursar@localhost>', meaning: 'the sender of alert mail' },
  { name: 'SLACK_WEBHOOK_URL', fallback: '', meaning: 'the Slack channel of tenants that have none of their own', secret: true },
  { name: 'ALERT_FILES_DIR', fallback: 'DIR/alerts', meaning: 'where file channels write, each tenant in a directory of its own' },
  {
    name: 'WEBHOOK_ALLOW_PRIVATE_TARGETS',
    fallback: '0',
    meaning: '1 allows loopback and private webhook targets, http:, any port and IP literals, and Slack on any host',
  },
  {
    name: 'LITELLM_WEBHOOK_SECRET',
    fallback: '',
    meaning: "signs LiteLLM's webhook; tenants' tokens are derived from it (docs/guides/litellm.md)",
    secret: true,
  },
  { name: 'OTEL_EXPORTER_OTLP_ENDPOINT', fallback: '', meaning: 'where traces and metrics are sent', planned: true },
];

/** The settings as lines; the value of a secret is never shown. */
export const describeSettings = (environment: NodeJS.ProcessEnv): readonly string[] =>
  SETTINGS.map(({ name, fallback, meaning, secret, planned }) => {
    const value = environment[name];
    const shown = value === undefined || value === '' ? fallback && `(${fallback})` : secret === true ? '(set)' : value;
    return `${name.padEnd(30)} ${shown.padEnd(24)} ${meaning}${planned === true ? ' [not built yet]' : ''}`;
  });
