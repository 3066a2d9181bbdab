import type { Declaration } from '../declare.ts';

/** Traces that cannot be taken for what they claim to be: VP305. */
const documents = {
  VP3050: {
    severity: 'error',
    title: 'unknown operation in a trace',
    message: 'there is no operation `{op}`',
  },
  VP3051: {
    severity: 'error',
    title: 'descriptor that nobody opened',
    message: 'there is no descriptor `{name}` here: {problem}',
  },
  VP3052: {
    severity: 'error',
    title: 'process that a trace does not have',
    message: 'there is no process `{name}` here: it {problem}',
  },
  VP3053: {
    severity: 'error',
    title: 'kernel profile that does not exist',
    message: 'there is no kernel profile `{profile}`',
  },
  VP3054: {
    severity: 'warning',
    title: 'trace ends in the middle of a line',
    message: 'the last line of this trace is cut off, and is left out',
  },
  VP3055: {
    severity: 'error',
    title: 'line of a trace is too long',
    message: 'this line has {length} characters; a line of a trace has at most {limit}',
  },
  VP3056: {
    severity: 'error',
    title: 'NUL byte in a trace',
    message: 'a NUL byte stands here, which no trace has',
  },
  VP3057: {
    severity: 'error',
    title: 'strace log without VFIO calls',
    message: 'no call in this strace log is one of VFIO',
  },
  VP3058: {
    severity: 'warning',
    title: 'calls of an strace log are passed over',
    message: 'calls like this one are left out ({count} in all): {why}',
  },
  VP3059: {
    severity: 'info',
    title: 'strace log does not tell who the processes are',
    message:
      'the processes of this log are taken for root with every capability, as it does not tell who they are',
  },
} as const satisfies Record<`VP305${number}`, Declaration>;

/** What can stop a trace while it is replayed or recorded: VP62. */
const deeds = {
  VP6201: {
    severity: 'error',
    title: 'trace and simulated kernel disagree',
    message: '`{operation}`: {subject} is {expected} in the trace, and {got} here',
  },
  VP6202: {
    severity: 'error',
    title: 'trace has no machine',
    message: 'this trace does not say on which machine it was recorded',
  },
  VP6203: {
    severity: 'error',
    title: 'replay reached a limit',
    message: 'the run of `{file}` was stopped: {reason}',
  },
  VP6204: {
    severity: 'error',
    title: 'operation cannot be recorded on this machine',
    message: 'this cannot be recorded on this machine: {reason}',
  },
  VP6205: {
    severity: 'error',
    title: 'script changes the machine',
    message: '`{op}` changes this machine for others than the process that asks',
  },
  VP6206: {
    severity: 'error',
    title: 'recording left changes behind',
    message: '`{path}` shows {is} and showed {was} before the recording',
  },
} as const satisfies Record<`VP62${number}`, Declaration>;

export const traces = { ...documents, ...deeds } as const satisfies Record<`VP${number}`, Declaration>;
