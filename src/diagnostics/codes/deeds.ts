import type { Declaration } from '../declare.ts';

export const deeds = {} as const satisfies Record<`VP6${number}`, Declaration>;
