import type { Declaration } from '../declare.ts';

/** What a command needs of this machine before it can begin: VP69. */
export const acting = {
  VP6901: {
    severity: 'error',
    title: 'acting on a machine needs root',
    message: '`vfioplan {command}` acts on this machine, and needs root',
  },
  VP6902: {
    severity: 'error',
    title: 'this machine cannot be acted upon',
    message: 'this machine cannot be acted upon: {reason}',
  },
  VP6903: {
    severity: 'error',
    title: 'editor is not built',
    message: 'the files of the editor are not beside this program',
  },
  VP6904: {
    severity: 'error',
    title: 'port cannot be used',
    message: 'cannot listen on port {port} of 127.0.0.1: {reason}',
  },
  VP6905: {
    severity: 'error',
    title: 'rehearsal reached a limit',
    message: 'the rehearsal of `{host}` was stopped: {reason}',
  },
} as const satisfies Record<`VP69${number}`, Declaration>;
