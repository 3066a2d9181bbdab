// `npm run explore -- --devices 4 --containers 2`: every reachable state of a world of the given size, counted without
// and with symmetry. test/explore/explore.ts says what the parameters mean.
import { register } from 'tsx/esm/api';

const unregister = register();
const { main } = await import(new URL('./explore.ts', import.meta.url).href);
process.exitCode = main(process.argv.slice(2));
await unregister();
