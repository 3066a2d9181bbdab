import type { Declaration } from '../declare.ts';

export const names = {} as const satisfies Record<`VP2${number}`, Declaration>;
