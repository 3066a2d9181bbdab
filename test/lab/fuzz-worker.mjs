// One machine of `fuzz.mjs`: takes its job as JSON, prints lines for people, and at last its tally as JSON.
import { register } from 'tsx/esm/api';

register();
const { fuzz } = await import('./fuzz.ts');
const job = JSON.parse(process.argv[2] ?? '{}');
const tally = await fuzz(job, (line) => process.stdout.write(`${line}\n`));
process.stdout.write(`${JSON.stringify(tally)}\n`);
