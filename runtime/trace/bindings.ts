import type { TraceDescriptor } from '../../src/wire/trace.ts';

/** What the names of a trace stand for while it runs: descriptors by the process that has them. */
export class Bindings {
  private readonly numbers = new Map<string, number>();
  private readonly names = new Map<string, string>();

  /** A number stands for itself, and a name whose opening failed for -1, as an unset variable would. */
  number(process: string, name: TraceDescriptor): number {
    return typeof name === 'number' ? name : (this.numbers.get(keyOf(process, name)) ?? -1);
  }

  bind(process: string, name: string, fd: number): void {
    this.numbers.set(keyOf(process, name), fd);
    this.names.set(keyOf(process, fd), name);
  }

  /** The name that was last given to a descriptor, as long as it still has that number. */
  nameOf(process: string, fd: number): string | undefined {
    const name = this.names.get(keyOf(process, fd));
    return name !== undefined && this.number(process, name) === fd ? name : undefined;
  }
}

/** Names have no space. */
function keyOf(process: string, what: string | number): string {
  return `${process} ${what}`;
}
