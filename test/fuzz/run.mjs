// `npm run fuzz -- --seed 1 --count 100000`: texts by lot through lexer, parser, formatter, resolver and checker.
import { register } from 'tsx/esm/api';

const unregister = register();
const { main } = await import(new URL('./fuzz.ts', import.meta.url).href);
process.exitCode = main(process.argv.slice(2));
await unregister();
