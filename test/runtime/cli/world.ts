import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { nodeFiles } from '../../../runtime/cli/files.ts';
import type { Io } from '../../../runtime/cli/io.ts';
import { run } from '../../../runtime/cli/run.ts';

/** What a command line did: its exit code and what it wrote. */
export interface Deed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The day on which tests happen, 12:00 UTC. */
const today = Date.UTC(2026, 10, 22, 12);

/** Runs a command line on real files but with its own streams and clock. */
export async function vfioplan(argv: readonly string[], changes: Partial<Io> = {}): Promise<Deed> {
  const out: string[] = [];
  const err: string[] = [];
  const io = ioWith({
    stdout: { isTerminal: false, write: (text) => out.push(text) },
    stderr: { isTerminal: false, write: (text) => err.push(text) },
    ...changes,
  });
  const code = await run(argv, io);
  return { code, out: out.join(''), err: err.join('') };
}

/** A machine that shows nothing, and is not ours to act upon. */
const noMachine: Io['machine'] = {
  read: () => Promise.resolve(null),
  obstacle: () => Promise.resolve('not-root'),
  backend: () => Promise.reject(new Error('there is an obstacle')),
};

/** A world whose streams lead nowhere. */
export function ioWith(changes: Partial<Io>): Io {
  return {
    stdout: { isTerminal: false, write: () => {} },
    stderr: { isTerminal: false, write: () => {} },
    env: {},
    home: new URL('../../../runtime/cli/', import.meta.url),
    pipes: { input: new PassThrough(), output: new PassThrough() },
    files: nodeFiles,
    machine: noMachine,
    now: () => today,
    elapsed: () => today,
    interrupted: () => Promise.resolve(),
    uninterrupted: (work) => work(),
    attended: (work) => work({ answer: () => Promise.resolve('nothing') }),
    ...changes,
  };
}

/** The codes that a command line reports, sorted. */
export async function codesOf(
  argv: readonly string[],
  changes: Partial<Io> = {},
): Promise<readonly string[]> {
  const { out } = await vfioplan([...argv, '--format', 'json'], changes);
  const { diagnostics = [] } = JSON.parse(out) as { diagnostics?: readonly { code: string }[] };
  return diagnostics.map(({ code }) => code).sort();
}

/** Calls `use` with a folder that is gone afterwards. */
export async function inFolder<T>(use: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'vfioplan-cli-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
