import type { Fault } from '../../src/syntax/ast.ts';
import { errno } from '../abi/errno.ts';
import type { Backend } from '../backend.ts';
import type { Progress } from '../execute/run.ts';
import { ProcessKilled } from '../kernel/faults.ts';
import type { SimulatedProcess } from '../kernel/sandbox.ts';

/** What goes wrong at one of the steps. */
export type StepFault = Extract<Fault, { readonly step: number }>;

/** Calls by which the steps of a plan change the machine; all others look. */
const changing: ReadonlySet<string> = new Set([
  ...['write', 'chown', 'chmod', 'loadModule', 'unloadModule'],
  ...['unlink', 'mkdir', 'rmdir'],
]);

/**
 * What goes wrong at one step of a plan: the kernel refuses its first call, which then does nothing, or the process is
 * killed when the step is done and nobody has looked at it yet.
 */
export class Mishap {
  readonly #fault: StepFault;
  readonly #process: SimulatedProcess;
  #step = 0;
  #changed = false;
  #happened = false;

  constructor(fault: StepFault, process: SimulatedProcess) {
    this.#fault = fault;
    this.#process = process;
  }

  /** False while the plan has not come to the step. */
  get happened(): boolean {
    return this.#happened;
  }

  /** To be told of the executor's progress. */
  at({ kind, step }: Progress): void {
    this.#step = kind === 'step' ? step : 0;
  }

  /** The process as the executor sees it. */
  backend(): Backend {
    return new Proxy<Backend>(this.#process, {
      get: (process, name) => {
        const value: unknown = Reflect.get(process, name);
        if (typeof value !== 'function') return value;
        return (...its: readonly unknown[]) => this.#meets(String(name), its) ?? value.apply(process, its);
      },
    });
  }

  /** The answer that a call meets in place of the kernel's. */
  #meets(call: string, [path]: readonly unknown[]): number | undefined {
    const { kind, step } = this.#fault;
    if (this.#happened || this.#step !== step) return undefined;
    // What is left of an earlier run is looked for by taking it away; mostly there is nothing.
    const idle = call === 'unlink' && typeof this.#process.stat(String(path)) === 'number';
    if (changing.has(call) && !idle) {
      if (kind === 'fails') {
        this.#happened = true;
        return -errno[this.#fault.errno.text as keyof typeof errno];
      }
      this.#changed = true;
    } else if (this.#changed && call === 'stat') {
      this.#happened = true;
      this.#process.exit();
      throw new ProcessKilled(`killed after step ${step}`);
    }
    return undefined;
  }
}
