import type { Declaration } from '../declare.ts';

export const words = {} as const satisfies Record<`VP1${number}`, Declaration>;
