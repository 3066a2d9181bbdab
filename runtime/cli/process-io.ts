import { nodeFiles, reasonOf } from './files.ts';
import type { Io, Sink } from './io.ts';
import { thisMachine } from './this-machine.ts';

/** The world as this process has it. */
export function processIo(home: URL): Io {
  return {
    stdout: sinkOf(process.stdout),
    stderr: sinkOf(process.stderr),
    env: process.env,
    home,
    files: nodeFiles,
    machine: thisMachine(process.env),
    now: () => Date.now(),
    interrupted: () =>
      new Promise((resolve) => {
        process.once('SIGINT', resolve).once('SIGTERM', resolve);
      }),
  };
}

function sinkOf(stream: NodeJS.WriteStream): Sink {
  stream.on('error', (error) => {
    // A reader that went away (`vfioplan … | head`) is no failure; a full disk is.
    if ('code' in error && error.code === 'EPIPE') process.exit();
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
