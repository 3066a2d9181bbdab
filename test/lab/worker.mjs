// One machine of the lab, by the agent: takes its job as JSON (see `kinds`), prints lines for people,
// and at last its tally as JSON. A process of its own, because its calls are synchronous.
import { register } from 'tsx/esm/api';

register();
const kinds = {
  sequences: async () => (await import('./fuzz.ts')).fuzz,
  vectors: async () => (await import('./vectors.ts')).vectors,
  selftest: async () => (await import('./selftest.ts')).selftest,
  'selftest-sequences': async () => (await import('./selftest-fuzz.ts')).selftestFuzz,
};
const job = JSON.parse(process.argv[2] ?? '{}');
const run = await kinds[job.kind]();
const tally = await run(job, (line) => process.stdout.write(`${line}\n`));
process.stdout.write(`${JSON.stringify(tally)}\n`);
