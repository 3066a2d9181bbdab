import type { StraceCall } from './lines.ts';
import { numberIn } from './values.ts';

/** What a log tells of a file that a process has open. */
export interface Opened {
  readonly kind: 'container' | 'group' | 'device' | 'iommufd' | 'other';
  readonly path: string;
  /** Its name in the trace; only VFIO's files have one. */
  readonly name?: string;
  readonly closesOnExec: boolean;
}

/** By the path of a node, or what `-y` shows of a device's descriptor. */
export function kindOf(path: string): Opened['kind'] {
  if (path === '/dev/vfio/vfio') return 'container';
  if (path === '/dev/iommu') return 'iommufd';
  if (/^\/dev\/vfio\/(noiommu-)?\d+$/.test(path)) return 'group';
  const device = /^\/dev\/vfio\/devices\/(noiommu-)?vfio\d+$/.test(path) || path.includes('[vfio-device]');
  return device ? 'device' : 'other';
}

/** A process of the log: threads that share their descriptors are one. */
export interface LoggedProcess {
  readonly name: string;
  readonly files: Map<number, Opened>;
  /** Its threads that still run. */
  readonly threads: Set<number>;
  introduced: boolean;
}

/** Who is who in a log that `-f` made. */
export class LoggedProcesses {
  private readonly byThread = new Map<number, LoggedProcess>();

  of(pid: number): LoggedProcess {
    let found = this.byThread.get(pid);
    if (found === undefined) {
      const name = pid === 0 ? 'process' : `p${pid}`;
      found = { name, files: new Map(), threads: new Set([pid]), introduced: false };
      this.byThread.set(pid, found);
    }
    return found;
  }

  /** The child of a clone: the same process where they share descriptors; otherwise a new one, or one seen already. */
  cloned({
    pid,
    args,
    returned,
  }: StraceCall): { readonly parent: LoggedProcess; readonly child: LoggedProcess } | null {
    const id = Number(returned.value ?? 0n);
    if (id <= 0) return null;
    const parent = this.of(pid);
    if (sharesFiles(args)) {
      parent.threads.add(id);
      this.byThread.set(id, parent);
      return null;
    }
    return { parent, child: this.of(id) };
  }

  /** A thread ended; the process, when it was its last. */
  ended(pid: number): LoggedProcess | null {
    const process = this.byThread.get(pid);
    if (process === undefined) return null;
    process.threads.delete(pid);
    this.byThread.delete(pid);
    return process.threads.size === 0 ? process : null;
  }
}

const CLONE_FILES = 0x400n;

function sharesFiles(args: readonly string[]): boolean {
  const flags = args.map((arg) => /flags=([^,}]*)/.exec(arg)?.[1]).find((found) => found !== undefined) ?? '';
  if (flags.includes('CLONE_FILES')) return true;
  return flags.split('|').some((flag) => ((numberIn(flag.trim()) ?? 0n) & CLONE_FILES) !== 0n);
}
