/** Every workspace's tests in one run; scripts/test starts what they share. */
export default {
  projects: ['<rootDir>/contracts', '<rootDir>/infra/*', '<rootDir>/services/*', '<rootDir>/scripts'],
  maxWorkers: 2,
};
