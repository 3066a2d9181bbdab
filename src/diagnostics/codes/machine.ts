import type { Declaration } from '../declare.ts';

export const machine = {} as const satisfies Record<`VP3${number}`, Declaration>;
