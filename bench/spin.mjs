// `npm run bench:spin`: the model's explorer and SPIN walk the same world in one run. Prints figures and their ratio.
import { register } from 'tsx/esm/api';

register();
const { missingTools } = await import('../test/second-opinion/spin.ts');
const missing = missingTools();
if (missing === null) {
  const { race } = await import('./spin.ts');
  await race();
} else {
  console.error(missing);
  process.exitCode = 1;
}
