/** A plan as data: what `plan --out` writes and `apply` reads. Defined in `plan.schema.ts`. */
export type { Plan, PlanOperation, PlanPlace, PlanStep } from './generated/plan.ts';
