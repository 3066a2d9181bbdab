// `npm run mutation`: plants every defect of test/mutation/mutation.ts and prints the score; exits 1 unless all are caught.
// `npm run mutation -- 6.12` does it for some kernels, and `--list` names what nobody could tell from the kernel.
import { register } from 'tsx/esm/api';

const unregister = register();
const { main } = await import(new URL('./report.ts', import.meta.url).href);
process.exitCode = main(process.argv.slice(2));
await unregister();
