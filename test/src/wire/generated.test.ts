import { expectTypeOf, test } from 'vitest';
import type { z } from 'zod';
import type { snapshotSchema } from '../../../src/machine/snapshot.schema.ts';
import type { Snapshot } from '../../../src/machine/snapshot.ts';
import type { planSchema } from '../../../src/plan/plan.schema.ts';
import type { Plan } from '../../../src/plan/plan.ts';

type Frozen<T> = T extends (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

test('the generated types are those of the schemas', () => {
  expectTypeOf<Snapshot>().toEqualTypeOf<Frozen<z.infer<typeof snapshotSchema>>>();
  expectTypeOf<Plan>().toEqualTypeOf<Frozen<z.infer<typeof planSchema>>>();
});
