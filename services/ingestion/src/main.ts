import 'reflect-metadata';
import { loadConfig, runService } from '@bursar/platform';
import { bootIngestion } from './boot.js';
import { IngestionEnv } from './config.js';

await runService(() => bootIngestion(loadConfig(IngestionEnv, process.env)));
