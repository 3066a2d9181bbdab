import type { Io } from './io.ts';
import { printable } from './words.ts';

/**
 * One line on a terminal that says what is going on, for work that has taken more than a second. It is gone when the
 * work ends, and never written where nobody watches.
 */
export interface Progress {
  /** Says what is being done now. */
  now(what: string): void;
  /** Takes the line away. */
  end(): void;
}

const patienceMs = 1000;
const clearLine = '\r\u001b[K';

export function progressOn({ stderr, now }: Pick<Io, 'stderr' | 'now'>): Progress {
  const since = now();
  let last = 0;
  let shown = false;
  return {
    now: (what) => {
      const time = now();
      // A terminal takes time too: ten lines a second are enough.
      if (!stderr.isTerminal || time - since < patienceMs || time - last < 100) return;
      last = time;
      shown = true;
      stderr.write(`${clearLine}${printable(what).slice(0, 78)}`);
    },
    end: () => {
      if (shown) stderr.write(clearLine);
      shown = false;
    },
  };
}
