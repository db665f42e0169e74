import 'reflect-metadata';
import { loadConfig, runService } from '@bursar/platform';
import { bootApi } from './boot.js';
import { ApiEnv } from './config.js';

await runService(() => bootApi(loadConfig(ApiEnv, process.env)));
