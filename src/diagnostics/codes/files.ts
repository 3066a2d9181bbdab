import type { Declaration } from '../declare.ts';

/** Files and the command line: VP29. They stand beside the other names, since a file is named by a policy or a person. */
export const files = {
  VP2901: {
    severity: 'error',
    title: 'file does not exist',
    message: 'there is no file `{file}`',
  },
  VP2902: {
    severity: 'error',
    title: 'file cannot be read',
    message: 'cannot read `{file}`: {reason}',
  },
  VP2903: {
    severity: 'error',
    title: 'not a regular file',
    message: '`{file}` is {what}, not a file',
  },
  VP2904: {
    severity: 'error',
    title: 'file is too large',
    message: '`{file}` has {size} bytes, more than the {limit} that {kind} may have',
  },
  VP2905: {
    severity: 'error',
    title: 'file is not UTF-8 text',
    message: '`{file}` is not UTF-8 text: byte {offset} does not belong there',
  },
  VP2906: {
    severity: 'error',
    title: 'one file under two names',
    message: '`{file}` is the same file as `{other}`',
  },
  VP2907: {
    severity: 'error',
    title: 'no snapshot to rehearse on',
    message: 'no snapshot of host `{host}` is at hand, on which its plan could be rehearsed',
  },
  VP2908: {
    severity: 'error',
    title: 'two machines for one host',
    message: '`{host}` is given two snapshots',
  },
  VP2909: {
    severity: 'error',
    title: 'file cannot be written',
    message: 'cannot write `{file}`: {reason}',
  },
  VP2910: {
    severity: 'error',
    title: 'command line is not understood',
    message: '{what}',
  },
  VP2911: {
    severity: 'error',
    title: 'this machine is none of the hosts',
    message: 'this machine is `{hostname}`, and the policies speak of other hosts',
  },
  VP2912: {
    severity: 'error',
    title: 'too many declarations together',
    message: 'with `{file}` the policies have more than {limit} declarations together, and none is judged',
  },
} as const satisfies Record<`VP29${number}`, Declaration>;
