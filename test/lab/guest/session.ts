import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A command that goes on while the scenario does other things. */
export interface Session {
  /** Settles when the command has said the words; rejects when it ends without them. */
  says(words: string): Promise<void>;
  types(text: string): void;
  /** Takes away the terminal, or the process where there is none. */
  kill(): void;
  /** The exit code, or the signal that ended it; what it said. */
  readonly ended: Promise<{ readonly code: number | string; readonly said: string }>;
}

/**
 * Begins a command, at a terminal of its own if asked (script(1): what it is killed by is a hang-up for who sits at it), else
 * as a bare process.
 */
export function begin(folder: string, words: readonly string[], atTerminal: boolean): Session {
  const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const [program = '', ...rest] = atTerminal ? ['script', '-qfec', quoted, '/dev/null'] : words;
  const child = spawn(program, rest, { cwd: folder, stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes) => {
      said += String(bytes);
      for (const look of waiting) look();
    });
  const ended = once(child, 'close').then(([code, signal]) => ({ code: code ?? signal ?? 'nothing', said }));
  return {
    says: async (words) => {
      const heard = new Promise<void>((resolve) => {
        const look = (): void => {
          if (!said.includes(words)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      });
      const over = ended.then(({ code }) => {
        throw new Error(`ended with ${code} before it said "${words}": ${said}`);
      });
      await Promise.race([heard, over]);
      over.catch(() => {});
    },
    types: (text) => child.stdin.write(text),
    kill: () => child.kill('SIGKILL'),
    ended,
  };
}
