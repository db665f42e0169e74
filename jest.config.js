/** Every workspace's tests in one run; scripts/test starts what they share. */
export default {
  projects: [
    '<rootDir>/contracts/jest.config.js',
    '<rootDir>/infra/*/jest.config.js',
    '<rootDir>/services/*/jest.config.js',
    '<rootDir>/scripts/jest.config.js',
  ],
  maxWorkers: 2,
  testTimeout: 120_000,
};
