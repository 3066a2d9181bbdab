import type { Declaration } from '../declare.ts';

/** What a test of the language found, run on the simulated kernel: VP630. */
export const tests = {
  VP6301: {
    severity: 'error',
    title: 'call in a test was answered otherwise',
    message: '`{call}` was answered with {got}, and not with {expected}',
  },
  VP6302: {
    severity: 'error',
    title: 'policy of a test could not be applied',
    message: '`{policies}` {what}',
  },
  VP6303: {
    severity: 'error',
    title: 'expectation of a test does not hold',
    message: '{what} shows {got} instead of {expected}',
  },
  VP6304: {
    severity: 'error',
    title: 'policy of a test is not refused as expected',
    message: '`{policy}` is {got}, and not refused with {code}',
  },
  VP6305: {
    severity: 'error',
    title: 'test cannot run',
    message: 'the test "{name}" cannot run: {reason}',
  },
  VP6306: {
    severity: 'error',
    title: 'test did not come to its end',
    message: 'the test "{name}" did not come to its end: {reason}',
  },
} as const satisfies Record<`VP630${number}`, Declaration>;
