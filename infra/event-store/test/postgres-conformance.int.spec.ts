import { describeEventStore } from '../src/conformance/describe-event-store.js';
import { postgresUnderTest } from './postgres-under-test.js';

describeEventStore('PostgreSQL', postgresUnderTest);
