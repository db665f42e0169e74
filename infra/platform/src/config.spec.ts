import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { ConfigError, loadConfig, ServiceEnv } from './config.js';

const KEY = 'k'.repeat(32);

test('every wrong variable is named at once, and no value is shown', () => {
  const load = () => loadConfig(ServiceEnv.extend({ EVENT_STORE_URL: z.string() }), { PORT: 'secret-port', BURSAR_ADMIN_KEY: 'short' });
  expect(load).toThrow(ConfigError);
  try {
    load();
  } catch (error) {
    const { message } = error as Error;
    expect(message).toMatch(/PORT/);
    expect(message).toMatch(/BURSAR_ADMIN_KEY/);
    expect(message).toMatch(/EVENT_STORE_URL/);
    expect(message).not.toMatch(/secret-port|short/);
  }
});

test('an empty variable is an absent one, and what is loaded cannot change', () => {
  const config = loadConfig(ServiceEnv, { BURSAR_ADMIN_KEY: KEY, OPS_PORT: '', HOST: '' });
  expect(config).toMatchObject({ HOST: '127.0.0.1', PORT: 0, LOG_LEVEL: 'info' });
  expect(config.OPS_PORT).toBeUndefined();
  expect(Object.isFrozen(config)).toBe(true);
});

test('a secret may come from a file, and a missing file is named', () => {
  expect(() => loadConfig(ServiceEnv, { BURSAR_ADMIN_KEY_FILE: '/nonexistent/key' })).toThrow(
    /BURSAR_ADMIN_KEY_FILE: cannot be read \(ENOENT\)/,
  );
});
