import type { Declaration } from '../declare.ts';

/** What can stop a plan while it is carried out, reverted or recovered. */
export const deeds = {
  VP6001: {
    severity: 'error',
    title: 'another run holds the lock',
    message: 'another vfioplan (process {pid}) is at work on this machine since {since}',
  },
  VP6002: {
    severity: 'error',
    title: 'state directory cannot be used',
    message: '`{path}` cannot be used for the journal: {errno}',
  },
  VP6003: {
    severity: 'error',
    title: 'journal could not be written',
    message: 'the journal could not be written before step {step}: {errno}',
  },
  VP6004: {
    severity: 'error',
    title: 'machine is not as the plan expects before a step',
    message: 'before step {step}, `{path}` shows {found} instead of {expected}',
  },
  VP6005: {
    severity: 'error',
    title: 'kernel refused a step',
    message: 'step {step} was answered with {errno}: {sentence}',
  },
  VP6006: {
    severity: 'error',
    title: 'step had another effect than predicted',
    message: 'after step {step}, `{path}` shows {found} instead of {expected}',
  },
  VP6007: {
    severity: 'error',
    title: 'another device stands at this address',
    message: '{device} is {found} and not {expected}: step {step} is meant for another device',
  },
  VP6008: {
    severity: 'error',
    title: 'device is in use',
    message: '{device} cannot be unbound while {holders} has it open',
  },
  VP6009: {
    severity: 'error',
    title: 'rollback is incomplete',
    message: '{count} steps could not be undone; generation {generation} says which',
  },
  VP6010: {
    severity: 'error',
    title: 'an earlier run is unfinished',
    message: 'generation {generation} was interrupted and is neither finished nor undone',
  },
  VP6011: {
    severity: 'error',
    title: 'nothing to revert',
    message: 'no generation is in effect that could be reverted',
  },
  VP6012: {
    severity: 'error',
    title: 'no such generation',
    message: 'there is no generation {generation}',
  },
  VP6013: {
    severity: 'error',
    title: 'journal contradicts itself',
    message: 'record {line} of this journal cannot follow what stands before it: {problem}',
  },
  VP6014: {
    severity: 'error',
    title: 'machine changed since the step was done',
    message:
      'step {step} cannot be undone: `{path}` shows {found}, neither what the step left nor what it found',
  },
  VP6016: {
    severity: 'error',
    title: 'nobody confirmed it',
    message: 'generation {generation} was not confirmed: {reason}',
  },
  VP6017: {
    severity: 'error',
    title: 'nothing waits to be confirmed',
    message: 'no generation waits to be confirmed',
  },
  VP6018: {
    severity: 'error',
    title: 'what is to be confirmed has changed',
    message: 'generation {generation} cannot be confirmed: `{path}` shows {found} instead of {expected}',
  },
  VP6015: {
    severity: 'error',
    title: 'a later generation is in effect',
    message:
      'generation {generation} cannot be reverted while generation {later}, which came after it, is in effect',
  },
} as const satisfies Record<`VP6${number}`, Declaration>;
