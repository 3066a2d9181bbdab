import type { Declaration } from '../declare.ts';

export const kernel = {} as const satisfies Record<`VP4${number}`, Declaration>;
