import 'reflect-metadata';
import { loadConfig, runService } from '@bursar/platform';
import { bootProjector } from './boot.js';
import { ProjectorEnv } from './config.js';

await runService(() => bootProjector(loadConfig(ProjectorEnv, process.env)));
