import type { Declaration } from '../declare.ts';

export const bugs = {
  VP9001: {
    severity: 'error',
    title: 'a bug in vfioplan',
    message: 'this is a bug in vfioplan: {what}',
  },
  VP9002: {
    severity: 'error',
    title: 'formatting is not faithful',
    message: 'this is a bug in the formatter: {what}',
  },
} as const satisfies Record<`VP9${number}`, Declaration>;
