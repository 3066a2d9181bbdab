// `npm run test:spin`: the model beside a second description of VFIO's core, in Promela, which SPIN searches. Both must
// have the same states, transitions and refusals. Ends with `N passed, N failed`; README.md says more.
import { register } from 'tsx/esm/api';

register();
const { missingTools } = await import('./spin.ts');
const missing = missingTools();
if (missing === null) {
  const { compareAll } = await import('./opinion.ts');
  process.exitCode = (await compareAll()) ? 0 : 1;
} else {
  console.error(missing);
  console.log('0 passed, 1 failed');
  process.exitCode = 1;
}
