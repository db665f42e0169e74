import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { binariesAt, type PostgresBinaries } from './binaries.js';

/**
 * As whom PostgreSQL runs. It refuses to run as root, so for root there are two ways, tried in this order:
 * a user namespace that merely shows root as another user (files stay root's, every path root owns can be
 * reached, no account is needed), or a real change of user.
 */
export type Identity = Readonly<{
  /** Put before the command; replaces itself with it. */
  prefix: readonly string[];
  /** Who owns the data directory. */
  owner: Readonly<{ uid: number; gid: number }>;
  /** Whether the process runs as `owner` instead of as this process's user. */
  change: boolean;
}>;

/** Binaries and identity that were tried together and work on this data directory. */
export type Footing = Readonly<{ identity: Identity; binaries: PostgresBinaries }>;

/**
 * Finds a way to run PostgreSQL on `dataDir` (created here, 0700, owned by the identity). An ordinary user simply runs it.
 * Throws one line when root has no way to do it.
 */
export const findFooting = (dataDir: string, installed: PostgresBinaries, candidates = identities(dataDir)): Footing => {
  mkdirSync(dataDir, { recursive: true });
  chmodSync(dataDir, 0o700); // PostgreSQL insists on it, also for a directory that somebody made beforehand
  for (const identity of candidates) {
    giveTo(dataDir, identity);
    if (!reaches(identity, dataDir)) continue;
    if (runs(identity, installed)) return { identity, binaries: installed };
    if (!identity.change) continue; // the same user reaches a copy no better
    const copied = copyBinaries(installed);
    if (runs(identity, copied)) return { identity, binaries: copied };
  }
  throw new Error(
    `PostgreSQL cannot run as this user on ${dataDir}: allow user namespaces, choose a --data directory whose parents every user may enter, run as an ordinary user with an account, or set DATABASE_URL`,
  );
};

/** The ways worth trying on this machine, best first. */
export const identities = (dataDir: string): readonly Identity[] => {
  const own = { uid: process.geteuid?.() ?? -1, gid: process.getegid?.() ?? -1 };
  const users = accounts();
  const asSelf: Identity = { prefix: [], owner: own, change: false };
  // initdb looks its user up by number: a number without an account (some containers) needs to be shown as another, too.
  const known = users.size === 0 || [...users.values()].some(({ uid }) => uid === own.uid);
  if (own.uid > 0 && known) return [asSelf];

  const shown = users.get('postgres') ?? users.get('nobody') ?? [...users.values()].find(({ uid }) => uid > 0);
  const mapped: readonly Identity[] =
    shown === undefined ? [] : [{ prefix: ['unshare', '--user', `--map-user=${shown.uid}`], owner: own, change: false }];
  if (own.uid > 0) return [...mapped, asSelf];

  const others = [ownerAbove(dataDir), users.get('postgres'), users.get('nobody')].filter(
    (user): user is Account => user !== undefined && user.uid > 0,
  );
  return [...mapped, ...others.map(changed)];
};

const changed = ({ uid, gid }: Account): Identity => ({ prefix: [], owner: { uid, gid }, change: true });

/** The part of a launch that makes it run as the identity. */
export const asIdentity = (identity: Identity): { prefix: readonly string[]; uid?: number; gid?: number } => ({
  prefix: identity.prefix,
  ...(identity.change ? identity.owner : {}),
});

const attempt = (identity: Identity, command: string, args: readonly string[]): boolean => {
  const { prefix, uid, gid } = asIdentity(identity);
  const [first = command, ...rest] = [...prefix, command, ...args];
  return spawnSync(first, rest, { stdio: 'ignore', cwd: '/', uid, gid }).status === 0;
};

const runs = (identity: Identity, binaries: PostgresBinaries): boolean =>
  attempt(identity, binaries.initdb, ['--version']) && attempt(identity, binaries.postgres, ['--version']);

const reaches = (identity: Identity, dataDir: string): boolean => attempt(identity, 'test', ['-w', join(dataDir, '.')]);

/** Gives the data directory to the identity; the whole tree only when an earlier run used another one. */
const giveTo = (dataDir: string, { owner }: Identity): void => {
  if (process.geteuid?.() !== 0 || statSync(dataDir).uid === owner.uid) return;
  chownSync(dataDir, owner.uid, owner.gid);
  spawnSync('chown', ['-R', `${owner.uid}:${owner.gid}`, dataDir], { stdio: 'ignore' });
};

/** Copies the programs where every user may go: node_modules may lie below a closed directory such as /root. */
const copyBinaries = (installed: PostgresBinaries): PostgresBinaries => {
  const { mtimeMs } = statSync(installed.postgres);
  const home = join(tmpdir(), `bursar-postgres-${basename(dirname(installed.home))}-${Math.trunc(mtimeMs)}`);
  if (!existsSync(home)) {
    const partial = `${home}.${process.pid}`;
    cpSync(installed.home, partial, { recursive: true, verbatimSymlinks: true });
    spawnSync('chmod', ['-R', 'a+rX,go-w', partial], { stdio: 'ignore' });
    try {
      renameSync(partial, home);
    } catch {
      rmSync(partial, { recursive: true, force: true }); // another process was first; its copy is the same
    }
  }
  // Root must not run what another user could have put there.
  if (statSync(home).uid !== 0) throw new Error(`${home} does not belong to root: remove it`);
  return binariesAt(home);
};

type Account = Readonly<{ uid: number; gid: number }>;

const accounts = (): ReadonlyMap<string, Account> => {
  const users = new Map<string, Account>();
  if (!existsSync('/etc/passwd')) return users;
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (name && uid && gid && !name.startsWith('#')) users.set(name, { uid: Number(uid), gid: Number(gid) });
  }
  return users;
};

/** Whoever owns the directory above: root working inside another user's home cannot reach it in a user namespace. */
const ownerAbove = (dataDir: string): Account | undefined => {
  const { uid, gid } = statSync(dirname(dataDir));
  return uid > 0 ? { uid, gid } : undefined;
};
