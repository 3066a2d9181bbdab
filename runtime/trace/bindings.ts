import type { TraceDescriptor } from '../../src/wire/trace.ts';

/** How many names of a process are remembered as recent. */
const recentNames = 64;

/** What the names of a trace stand for while it runs: descriptors by the process that has them. */
export class Bindings {
  private readonly numbers = new Map<string, number>();
  private readonly recent = new Map<string, readonly string[]>();

  /** A number stands for itself, and a name whose opening failed for -1, as an unset variable would. */
  number(process: string, name: TraceDescriptor): number {
    return typeof name === 'number' ? name : (this.numbers.get(keyOf(process, name)) ?? -1);
  }

  bind(process: string, name: string, fd: number): void {
    this.numbers.set(keyOf(process, name), fd);
    const others = this.recentOf(process).filter((other) => other !== name);
    this.recent.set(process, fd < 0 ? others : [name, ...others].slice(0, recentNames));
  }

  /** The names that a process gave last, the newest first. */
  recentOf(process: string): readonly string[] {
    return this.recent.get(process) ?? [];
  }
}

/** Names have no space. */
function keyOf(process: string, name: string): string {
  return `${process} ${name}`;
}
