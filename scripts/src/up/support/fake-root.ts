import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Answers /readyz and obeys SIGTERM: all that `up` asks of a service. Its environment lies beside it for tests to look at. */
export const HEALTHY = `
import { createServer } from 'node:http';
import { writeFileSync } from 'node:fs';
writeFileSync(new URL('env.json', import.meta.url), JSON.stringify(process.env));
createServer((_, response) => response.end('ok')).listen(Number(process.env.PORT), process.env.HOST);
process.on('SIGTERM', () => process.exit(0));
`;

/** A tree with services that start at once, so that what is tested is `up` and not what it starts. */
export const makeFakeRoot = (root: string, services: Readonly<Record<string, string>>): void => {
  for (const [name, source] of Object.entries(services)) {
    mkdirSync(join(root, 'services', name, 'dist'), { recursive: true });
    writeFileSync(join(root, 'services', name, 'package.json'), '{"type":"module"}');
    writeFileSync(join(root, 'services', name, 'dist', 'main.js'), source);
  }
};

/** Ends at once with a reason, as a service with a bad setting does. */
export const BROKEN = "console.error('configuration is not valid: PARTITIONS: expected a number'); process.exit(1);\n";
