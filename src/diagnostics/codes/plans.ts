import type { Declaration } from '../declare.ts';

export const plans = {} as const satisfies Record<`VP5${number}`, Declaration>;
