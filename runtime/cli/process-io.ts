import { availableParallelism } from 'node:os';
import { nodeFiles, reasonOf } from './files.ts';
import type { Io, Person, Sink } from './io.ts';
import { thisMachine } from './this-machine.ts';

/** The world as this process has it. */
export function processIo(home: URL): Io {
  return {
    stdout: sinkOf(process.stdout),
    stderr: sinkOf(process.stderr),
    env: process.env,
    home,
    pipes: { input: process.stdin, output: process.stdout },
    files: nodeFiles,
    machine: thisMachine(process.env),
    threads: { tests: new URL('test-worker.mjs', home), count: availableParallelism() },
    now: () => Date.now(),
    elapsed: () => performance.now(),
    interrupted: () =>
      new Promise((resolve) => {
        process.once('SIGINT', resolve).once('SIGTERM', resolve);
      }),
    uninterrupted,
    attended,
  };
}

/**
 * Whoever acts on a network port may lose the session that he came in by, and the terminal's SIGHUP must not leave the
 * machine between two steps, with nobody to take them back. The work does not yield, so the listeners never run.
 */
function uninterrupted<T>(work: () => T): T {
  const wait = (): void => {};
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
  for (const signal of signals) process.on(signal, wait);
  try {
    return work();
  } finally {
    for (const signal of signals) process.removeListener(signal, wait);
  }
}

async function attended<T>(work: (person: Person) => Promise<T>): Promise<T> {
  let answer: 'nothing' | 'yes' | 'end' = 'nothing';
  let wake = (): void => {};
  const said = (what: 'yes' | 'end'): void => {
    if (answer !== 'end') answer = what;
    wake();
  };
  const { stdin } = process;
  const typed = (bytes: Buffer): void => {
    if (/^\s*yes\s*$/im.test(bytes.toString())) said('yes');
  };
  const asked = (): void => said('end');
  // The session that was lost may be the one that the work has cut: then nobody answers from here.
  const lost = (): void => {};
  const asking = ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const;
  for (const signal of asking) process.on(signal, asked);
  process.on('SIGHUP', lost);
  const isTerminal = stdin.isTTY === true;
  if (isTerminal) stdin.on('data', typed).on('error', lost);
  try {
    return await work({
      answer: async (milliseconds) => {
        if (answer === 'nothing')
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, milliseconds);
            wake = () => {
              clearTimeout(timer);
              resolve();
            };
          });
        const given = answer;
        answer = 'nothing';
        return given;
      },
    });
  } finally {
    for (const signal of asking) process.removeListener(signal, asked);
    process.removeListener('SIGHUP', lost);
    // The listener of errors stays: a terminal that is gone may say so later.
    if (isTerminal) stdin.removeListener('data', typed).pause();
  }
}

function sinkOf(stream: NodeJS.WriteStream): Sink {
  stream.on('error', (error) => {
    // A reader that went away (`vfioplan … | head`) is no failure, and does not change the exit code; a full disk is.
    if ('code' in error && error.code === 'EPIPE') return;
    if (stream === process.stdout) {
      process.stderr.write(`error[VP2909]: cannot write standard output: ${reasonOf(error)}\n`);
    }
    process.exitCode = 1;
  });
  return {
    isTerminal: stream.isTTY === true,
    write: (text) => {
      if (text !== '') stream.write(text);
    },
  };
}
