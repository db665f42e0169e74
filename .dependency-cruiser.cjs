/**
 * The import rules of the repository. Specs may import test tools; everything else points one way:
 * services → infra → contracts, clients → contracts. scripts/src/check/import-rules.spec.ts proves on seeded violations that
 * each rule fires; scripts/check also fails when nothing was cruised at all.
 */
const SPECS = String.raw`\.spec\.ts$|(^|/)test/`;

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'A cycle has no order in which to read or load it.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      comment: 'An import that the tool cannot follow is an import that no rule can judge.',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'contracts-stand-alone',
      severity: 'error',
      comment: 'The vocabulary is shared by services, clients and browsers: zod, temporal-polyfill and hashing, nothing else.',
      from: { path: '^contracts/src/', pathNot: SPECS },
      to: { pathNot: ['^contracts/src/', '(^|/)node_modules/(zod|temporal-polyfill)/', '^(node:)?crypto$'] },
    },
    {
      name: 'infra-below-services',
      severity: 'error',
      comment: 'Adapters to infrastructure know no service, client or script.',
      from: { path: '^infra/' },
      to: { path: '^(services|clients|scripts)/' },
    },
    {
      name: 'services-are-islands',
      severity: 'error',
      comment: 'Services meet in contracts and on the ledger, never in each other’s code.',
      from: { path: '^services/([^/]+)/' },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    {
      name: 'services-above-scripts',
      severity: 'error',
      comment: 'A service runs without the scripts and clients around it.',
      from: { path: '^services/' },
      to: { path: '^(scripts|clients)/' },
    },
    {
      name: 'clients-know-contracts-only',
      severity: 'error',
      comment: 'A client talks to the published surface; whoever installs it gets no server code.',
      from: { path: '^clients/([^/]+)/', pathNot: SPECS },
      to: { path: '^(infra|services|scripts|clients)/', pathNot: '^clients/$1/' },
    },
    {
      name: 'domain-is-pure',
      severity: 'error',
      comment: 'Replays must not depend on clock, network or framework.',
      from: { path: '(^|/)domain/', pathNot: SPECS },
      to: { pathNot: ['(^|/)domain/', '^contracts/'] },
    },
    {
      name: 'folds-are-pure',
      severity: 'error',
      comment: 'What two services fold alike depends on nothing but the vocabulary.',
      from: { path: '^contracts/src/folds/', pathNot: SPECS },
      to: { path: '^contracts/src/(http|bus)/' },
    },
    {
      name: 'embedded-servers-are-for-tools',
      severity: 'error',
      comment: 'Starting PostgreSQL and NATS is the work of up, tests and benchmarks; a service is given their addresses.',
      from: { path: '^(services|infra)/', pathNot: [SPECS, '^infra/embedded/'] },
      to: { path: '^infra/embedded/' },
    },
  ],
  options: {
    doNotFollow: { path: '(^|/)(node_modules|dist)/' },
    exclude: { path: '(^|/)(scripts/fixtures|data)/' },
    tsPreCompilationDeps: true, // type-only imports are imports too
    tsConfig: { fileName: `${__dirname}/tsconfig.base.json` },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
      mainFields: ['module', 'main', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.d.ts', '.json'],
    },
  },
};
