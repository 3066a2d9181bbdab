/** /proc: the taint, what the kernel says of itself, and who holds what open. */
import { type Fact, isUnknown } from '../../../src/machine/snapshot.ts';
import { collection, directory } from './build.ts';
import type { Machine } from './machine.ts';
import type { Attribute, Directory, MemoryNode } from './node.ts';
import { capabilityMask, commandName, descriptorsOf, type Process } from './process.ts';

/** `self` is the process that makes the call. */
export function procDirectory(
  machine: Machine,
  processes: ReadonlyMap<number, Process>,
  self: () => Process | null,
): Directory {
  const fixed = directory({
    self: () => ({ kind: 'link', target: `/proc/${self()?.pid}`, from: '/proc' }),
    cmdline: known(machine.snapshot.kernel.commandLine, (words) => words.join(' ')),
    sys: directory({
      kernel: directory({
        tainted: text(() => `${machine.state.taint}`),
        osrelease: known(machine.snapshot.kernel.release, (release) => release),
        hostname: known(machine.snapshot.hostname, (name) => name),
      }),
    }),
  });
  return collection(
    () => [...fixed.names(), ...[...processes.keys()].map(String)],
    (name) => {
      const process = /^[1-9]\d*$/.test(name) ? processes.get(Number(name)) : undefined;
      return process === undefined ? fixed.lookup(name) : processDirectory(process);
    },
  );
}

/** fs/proc/base.c: who may look into another's descriptors is who could be it, or root. */
function processDirectory(process: Process): Directory {
  const fd: Directory = {
    ...collection(
      () => descriptorsOf(process).map(String),
      (name) => {
        const file = process.files[Number(name)];
        return file === undefined || `${Number(name)}` !== name
          ? undefined
          : { kind: 'link', target: file.named.path };
      },
    ),
    mode: 0o500,
    uid: process.who.uid,
  };
  const mem: MemoryNode = { kind: 'memory', mode: 0o600, uid: process.who.uid, memory: process.memory };
  return directory({ fd, mem, comm: text(() => commandName), status: text(() => status(process)) });
}

function status({ pid, who }: Process): string {
  const four = (id: number) => Array(4).fill(id).join('\t');
  return [
    `Name:\t${commandName}`,
    `Pid:\t${pid}`,
    `Uid:\t${four(who.uid)}`,
    `Gid:\t${four(who.gid)}`,
    `Groups:\t${who.groups.join(' ')}`,
    `CapEff:\t${capabilityMask(who.capabilities)}`,
  ].join('\n');
}

function known<T>(fact: Fact<T>, say: (value: T) => string): Attribute | undefined {
  return isUnknown(fact) ? undefined : text(() => say(fact));
}

function text(say: () => string): Attribute {
  return { kind: 'attribute', mode: 0o444, size: 0, read: () => `${say()}\n` };
}
