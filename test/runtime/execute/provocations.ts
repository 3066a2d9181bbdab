import { execute } from '../../../runtime/execute/execute.ts';
import { confirm, recover, revert } from '../../../runtime/execute/revert.ts';
import type { Ending, RunOptions } from '../../../runtime/execute/run.ts';
import { FakeKernel } from './fake.ts';
import { TestJournals } from './journals.ts';
import { scenarios } from './scenarios.ts';

/** What can happen to a run: each name stands in a page, and gives the codes that were seen. */
export const deedProvocations: Readonly<Record<string, () => readonly string[]>> = {
  'apply, and nobody else is at work': on((run) => run.apply()),
  'apply while another run holds the lock': on((run) => {
    run.journals.lock = () => ({ pid: 4711, since: '2026-11-22T11:59:00Z' });
    return run.apply();
  }),
  'apply with a state directory that cannot be written': on((run) => {
    run.journals.before = () => ({ path: '/var/lib/vfioplan/journal-1.jsonl', errno: 'EROFS' });
    return run.apply();
  }),
  'apply while the disk becomes full': on((run) => {
    run.journals.before = (record) => (record > 4 ? { path: '/var/lib/vfioplan', errno: 'ENOSPC' } : null);
    return run.apply();
  }),
  'apply the same plan twice': on((run) => {
    run.apply();
    return run.apply();
  }),
  'apply while the kernel answers EBUSY': on((run) => {
    run.kernel.before = (deed) => (deed === 3 ? -16 : undefined);
    return run.apply();
  }),
  'apply while a write has no effect': on((run) => {
    run.kernel.before = (deed) => (deed === 2 ? 8 : undefined);
    return run.apply();
  }),
  'apply after the card was swapped': on((run) => {
    const real = run.kernel.shows.bind(run.kernel);
    run.kernel.shows = (path) => (path.endsWith('/device') ? '0xffff' : real(path));
    return run.apply();
  }),
  'take a device back that a process has open': on((run) => {
    run.apply();
    run.holders = () => ['qemu-system-x86 (process 4711)'];
    return run.revert();
  }),
  'take a device back that nobody has open': on((run) => {
    run.apply();
    return run.revert();
  }),
  'apply an unbind of a device that a process has open': on((run) => {
    run.holders = () => ['qemu-system-x86 (process 4711)'];
    return run.apply();
  }, 2),
  'apply after a run that was stopped': on((run) => {
    stop(run);
    return run.apply();
  }),
  'recover after a run that was stopped, then apply': on((run) => {
    stop(run);
    run.recover();
    return run.apply();
  }),
  'apply and confirm': on((run) => {
    run.confirmWithin = 120;
    run.apply();
    return run.confirm();
  }),
  'confirm where nothing was applied': on((run) => run.confirm()),
  'confirm after an administrator gave the node to somebody else': on((run) => {
    run.confirmWithin = 120;
    run.apply();
    run.kernel.backend().chown('/dev/vfio/7', 1234, 0);
    return run.confirm();
  }),
  'revert where nothing was applied': on((run) => run.revert()),
  'revert a generation that is not there': on((run) => {
    run.apply();
    return run.revert(7);
  }),
  'revert with a journal whose lines were swapped': on((run) => {
    run.apply();
    const [header, intent, outcome, ...rest] = String(run.journals.read(1)).split('\n');
    run.journals.texts.set(1, [header, outcome, intent, ...rest].join('\n'));
    return run.revert();
  }),
  'revert after an administrator gave the node to somebody else': on((run) => {
    run.apply();
    run.kernel.backend().chown('/dev/vfio/7', 1234, 0);
    return run.revert();
  }),
  'revert the older of two generations': on((run) => {
    run.apply();
    const first = String(run.journals.read(1)).replace('"generation":1', '"generation":2');
    run.journals.texts.set(2, first);
    return run.revert(1);
  }),
};

/** A kernel, its journals and what can be done with them. */
class Runs {
  readonly kernel: FakeKernel;
  readonly journals = new TestJournals();
  holders: NonNullable<RunOptions['holders']> = () => [];
  confirmWithin: number | undefined;
  readonly #plan;

  constructor(index: number) {
    const scenario = scenarios[index];
    if (scenario === undefined) throw new Error(`no scenario ${index}`);
    this.kernel = new FakeKernel(scenario.snapshot);
    this.#plan = scenario.plan;
  }

  apply(): Ending {
    return execute(this.#plan, this.kernel.backend(), this.journals, this.#options);
  }

  revert(generation?: number): Ending {
    return revert(this.kernel.backend(), this.journals, this.#options, generation);
  }

  confirm(): Ending {
    return confirm(this.kernel.backend(), this.journals, this.#options);
  }

  recover(): Ending {
    return recover(this.kernel.backend(), this.journals, this.#options);
  }

  get #options(): RunOptions {
    const held = this.confirmWithin === undefined ? {} : { confirmWithin: this.confirmWithin };
    return { time: '2026-11-22T12:00:00Z', bootId: 'boot-1', holders: this.holders, ...held };
  }
}

function on(what: (runs: Runs) => Ending, scenario = 1): () => readonly string[] {
  return () => what(new Runs(scenario)).diagnostics.map(({ code }) => code);
}

/** The process ends right after the second deed. */
function stop(run: Runs): void {
  run.kernel.after = (deed) => {
    if (deed === 2) throw new Error('stopped');
  };
  try {
    run.apply();
  } catch (error) {
    if (!(error instanceof Error && error.message === 'stopped')) throw error;
  }
  run.kernel.after = () => {};
}
