import type { Backend } from '../backend.ts';
import { establishedBy } from '../execute/established.ts';
import { linuxHolders } from '../execute/holders.ts';
import { linuxProcesses } from '../execute/lock.ts';
import type { Ending as Execution, RunOptions } from '../execute/run.ts';
import { defaultStateDirectory, stateDirectory } from '../execute/state-directory.ts';
import type { JournalStore } from '../execute/store.ts';
import { observe } from '../lower/observe.ts';
import type { Invocation } from './invocation.ts';
import { progressOn } from './progress.ts';

/** Where the journals of this machine are kept. */
export function journals({ options }: Invocation): JournalStore {
  return stateDirectory(options.stateDir ?? defaultStateDirectory, linuxProcesses());
}

/** What the generations that are in effect have established on this machine. */
export function established(invocation: Invocation): ReturnType<typeof establishedBy> {
  return establishedBy(journals(invocation), linuxProcesses().bootId);
}

/** Acts on this machine, without being interrupted; what is done is shown as it goes. */
export async function acting(
  { io }: Invocation,
  act: (backend: Backend, options: RunOptions) => Execution,
): Promise<Execution> {
  const backend = await io.machine.backend();
  const progress = progressOn(io);
  try {
    const options: RunOptions = {
      time: new Date(io.now()).toISOString(),
      bootId: observe(backend, '/proc/sys/kernel/random/boot_id'),
      ...(backend.kind === 'linux' ? { holders: linuxHolders } : {}),
      onProgress: ({ kind, step, sentence }) =>
        progress.now(`${kind === 'undo' ? 'undoing ' : ''}step ${step}: ${sentence}`),
    };
    return io.uninterrupted(() => act(backend, options));
  } finally {
    progress.end();
  }
}
