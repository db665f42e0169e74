import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export type Action = 'run' | 'down' | 'status' | 'help';

export type UpOptions = Readonly<{
  action: Action;
  detach: boolean;
  demo: boolean;
  dataDir: string;
  /** The api's port. */
  port: number;
  /** By service; absent means one. */
  replicas: ReadonlyMap<string, number>;
}>;

/** What the user asked for cannot be done; the message is one line that says what to do. */
export class UserError extends Error {
  override readonly name = 'UserError';
}

export const HELP = `scripts/up: installs what is missing, builds, starts PostgreSQL, NATS and every service, and waits until they are ready

  --detach               exit when ready, leave it running
  --down                 stop what runs
  --status               show what runs
  --data DIR             where data, logs and run.json lie (default .bursar)
  --port N               the api's port (default 8080)
  --replicas a=2,b=3     how many processes of a service (default 1)
  --demo                 replay a sample trace once ready

DATABASE_URL, NATS_URL and EVENT_STORE_URL make it use what exists; scripts/doctor --config lists every setting.`;

const MAX_REPLICAS = 16;

/** Parses the command line. Throws {@link UserError}. */
export const parseUpOptions = (args: readonly string[], defaultDataDir: string, cwd: string): UpOptions => {
  const { values } = parse(args);
  const actions = (['down', 'status', 'help'] as const).filter((name) => values[name]);
  if (actions.length > 1) throw new UserError(`--${actions.join(' and --')} do not go together`);
  return {
    action: actions[0] ?? 'run',
    detach: values.detach,
    demo: values.demo,
    dataDir: values.data === undefined ? defaultDataDir : resolve(cwd, values.data),
    port: parsePort(values.port),
    replicas: parseReplicas(values.replicas ?? ''),
  };
};

const parse = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      options: {
        detach: { type: 'boolean', default: false },
        down: { type: 'boolean', default: false },
        status: { type: 'boolean', default: false },
        demo: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        data: { type: 'string' },
        port: { type: 'string', default: '8080' },
        replicas: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UserError(`${(error as Error).message.split('. ')[0]}: see scripts/up --help`);
  }
};

const parsePort = (text: string): number => {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) throw new UserError(`--port ${text} is not a port between 1 and 65535`);
  return port;
};

const parseReplicas = (text: string): ReadonlyMap<string, number> =>
  new Map(
    text
      .split(',')
      .filter((part) => part !== '')
      .map((part) => {
        const [, name, count] = /^([a-z-]+)=(\d+)$/.exec(part) ?? [];
        if (name === undefined || Number(count) < 1 || Number(count) > MAX_REPLICAS)
          throw new UserError(`--replicas ${part} is not of the form service=N with N from 1 to ${MAX_REPLICAS}`);
        return [name, Number(count)];
      }),
  );
