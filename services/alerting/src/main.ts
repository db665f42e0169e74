import 'reflect-metadata';
import { loadConfig, runService } from '@bursar/platform';
import { bootAlerting } from './boot.js';
import { AlertingEnv } from './config.js';

await runService(() => bootAlerting(loadConfig(AlertingEnv, process.env)));
