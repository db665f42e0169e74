import 'reflect-metadata';
import { loadConfig, runService } from '@bursar/platform';
import { bootScheduler } from './boot.js';
import { SchedulerEnv } from './config.js';

await runService(() => bootScheduler(loadConfig(SchedulerEnv, process.env)));
