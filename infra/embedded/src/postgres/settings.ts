import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Settings that decide whether a commit survives a crash. No mode of ours turns one off; doctor and bench print them. */
export const DURABILITY_SETTINGS = ['fsync', 'full_page_writes', 'synchronous_commit'] as const;

/**
 * Writes the server's configuration, anew at every start. What an operator sets with ALTER SYSTEM
 * (postgresql.auto.conf) still wins. Client timeouts are left to the clients.
 */
export const writeSettings = (dataDir: string, port: number): void => {
  const settings: Readonly<Record<string, string | number>> = {
    listen_addresses: '127.0.0.1',
    port,
    // TCP only: a socket's path has a length limit that deep data directories exceed.
    unix_socket_directories: '',
    max_connections: 200,
    fsync: 'on',
    full_page_writes: 'on',
    synchronous_commit: 'on',
    shared_buffers: '256MB',
    max_wal_size: '2GB',
    min_wal_size: '256MB',
    checkpoint_timeout: '10min',
    jit: 'off',
    log_timezone: 'UTC',
    timezone: 'UTC',
    log_checkpoints: 'off',
    lc_messages: 'C',
    password_encryption: 'scram-sha-256',
    shared_preload_libraries: '',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${typeof value === 'number' ? value : `'${value}'`}`);
  writeFileSync(
    join(dataDir, 'postgresql.conf'),
    `# Written at every start; use ALTER SYSTEM for changes of your own.\n${lines.join('\n')}\n`,
  );
};
