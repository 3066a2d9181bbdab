import type { z } from 'zod';
import type { Frozen } from '../machine/snapshot.ts';
import type { planOperation, planSchema, planStep } from './plan.schema.ts';

/** A plan as data: what `plan --out` writes and `apply` reads. Defined in `plan.schema.ts`. */
export type Plan = Frozen<z.infer<typeof planSchema>>;
export type PlanStep = Frozen<z.infer<typeof planStep>>;
export type PlanOperation = Frozen<z.infer<typeof planOperation>>;
