import { modelSteps } from './model.ts';
import { rate } from './report.ts';

// Each way in a process of its own: where V8 saw the model do other things too, the same steps take a tenth longer.

const inPlace = process.argv.includes('--in-place');
modelSteps(400_000, inPlace);
await rate(`model steps on one core, ${inPlace ? 'one state changed in place' : 'every state kept'}`, () =>
  modelSteps(400_000, inPlace),
);
