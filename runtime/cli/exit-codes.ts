/** The exit codes that scripts rely on. */
export const exits = {
  done: 0,
  refused: 1,
  pending: 2,
  'rolled-back': 3,
  'rollback-incomplete': 4,
  usage: 64,
  bug: 70,
} as const;

export type Exit = keyof typeof exits;

/** What an exit code says, for --help and the manual. */
export const exitMeanings: Readonly<Record<Exit, string>> = {
  done: 'done; nothing was found wrong',
  refused: 'refused: a diagnostic is an error, and nothing was changed',
  pending: 'changes are pending',
  'rolled-back': 'failed, and everything was put back as it was',
  'rollback-incomplete': 'failed, and not everything could be put back: the journal says what is left',
  usage: 'the command line was not understood',
  bug: 'a bug in vfioplan',
};
