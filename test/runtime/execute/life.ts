import { errnoOf } from '../../../runtime/abi/errno.ts';
import { fcntl } from '../../../runtime/abi/fcntl.ts';
import { establishedBy } from '../../../runtime/execute/established.ts';
import { execute } from '../../../runtime/execute/execute.ts';
import { memoryStore } from '../../../runtime/execute/memory-store.ts';
import { revert } from '../../../runtime/execute/revert.ts';
import type { Ending, RunOptions } from '../../../runtime/execute/run.ts';
import { credentialsOf } from '../../../runtime/kernel/credentials.ts';
import { bootSandbox, type SimulatedProcess } from '../../../runtime/kernel/sandbox.ts';
import { observe } from '../../../runtime/lower/observe.ts';
import { probe } from '../../../runtime/probe/probe.ts';
import { check } from '../../../src/check/check.ts';
import type { Diagnostic } from '../../../src/diagnostics/diagnostic.ts';
import type { Snapshot } from '../../../src/machine/snapshot.ts';
import { root } from '../../../src/model/world.ts';
import { makePlan } from '../../../src/plan/make.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import { filesOf } from '../kernel/files.ts';

const today = '2026-11-22';

interface Applied {
  readonly plan: Plan;
  readonly ending: Ending;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * A machine over days: simulated, with journals, read anew before each policy as `apply --native` reads a real one. What the
 * simulation does not show (disks, routes, users, how the kernel was built) stays as the first snapshot had it.
 */
export class Life {
  readonly kernel: SimulatedProcess;
  readonly store = memoryStore();
  readonly #first: Snapshot;
  readonly #end: () => void;
  boot = 'first boot';
  /** What the host has begun to do since. */
  since: Partial<Pick<Snapshot, 'blockDevices' | 'netdevs' | 'routes'>> = {};

  private constructor(first: Snapshot, kernel: SimulatedProcess, end: () => void) {
    [this.#first, this.kernel, this.#end] = [first, kernel, end];
  }

  static async begin(first: Snapshot): Promise<Life> {
    const sandbox = await bootSandbox(first, { deadlineMs: 60_000 });
    return new Life(first, sandbox.process(credentialsOf(root)), () => sandbox.dispose());
  }

  end(): void {
    this.#end();
  }

  /** The machine as it is now. */
  read(): Snapshot {
    const { snapshot, diagnostics } = probe(filesOf(this.kernel));
    if (snapshot === undefined) throw new Error(JSON.stringify(diagnostics));
    const read = establishedBy(this.store, this.boot);
    const established = 'established' in read ? [...read.established] : { unknown: 'it is not finished' };
    const { blockDevices, netdevs, routes, managementPeers, users, userGroups } = this.#first;
    const unseen = { blockDevices, netdevs, routes, managementPeers, users, userGroups, ...this.since };
    // Built-in drivers that do not tell what they match.
    const functions = snapshot.functions.map((fn) => ({ ...fn, drivers: { unknown: 'nobody tells' } }));
    const { coherent, interruptRemapping } = this.#first.iommu;
    const iommu = { ...snapshot.iommu, interruptRemapping, coherent: coherent ?? interruptRemapping };
    const kernel = { ...snapshot.kernel, options: this.#first.kernel.options };
    return { ...snapshot, ...unseen, kernel, iommu, functions, established };
  }

  judge(text: string): ReturnType<typeof check> {
    const machines = [{ name: 'testbox', snapshot: this.read() }];
    return check({ sources: [{ file: 'policy.vfio', text }], machines, today });
  }

  apply(text: string, options: RunOptions = this.#options()): Applied {
    const { hosts, diagnostics } = this.judge(text);
    const checked = hosts[0]?.checked;
    if (checked === undefined)
      throw new Error(diagnostics.map(({ code, message }) => `${code} ${message}`).join('; '));
    const plan = makePlan(checked, { sources: [{ file: 'policy.vfio', text }], today });
    return { plan, ending: execute(plan, this.kernel, this.store, options), diagnostics };
  }

  revert(): Ending {
    return revert(this.kernel, this.store, this.#options());
  }

  /** Somebody else's doing. */
  write(path: string, text: string): void {
    const fd = this.kernel.open(path, fcntl.O_WRONLY);
    const answer = fd < 0 ? fd : this.kernel.write(fd, new TextEncoder().encode(text));
    if (answer < 0) throw new Error(`${path} answered ${errnoOf(answer)}`);
    this.kernel.close(fd);
  }

  shows(paths: readonly string[]): Readonly<Record<string, string | null>> {
    return Object.fromEntries(paths.map((path) => [path, observe(this.kernel, path)]));
  }

  #options() {
    return { time: `${today}T00:00:00Z`, bootId: this.boot };
  }
}
