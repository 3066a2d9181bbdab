import { expectTypeOf, test } from 'vitest';
import type { z } from 'zod';
import type { snapshotSchema } from '../../../src/machine/snapshot.schema.ts';
import type { Snapshot } from '../../../src/machine/snapshot.ts';
import type { planSchema } from '../../../src/plan/plan.schema.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import type { Frozen } from '../../frozen.ts';

test('the generated types are those of the schemas', () => {
  expectTypeOf<Snapshot>().toEqualTypeOf<Frozen<z.infer<typeof snapshotSchema>>>();
  expectTypeOf<Plan>().toEqualTypeOf<Frozen<z.infer<typeof planSchema>>>();
});
