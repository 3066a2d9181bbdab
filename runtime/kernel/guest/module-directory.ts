/** /sys/module: what is loaded, and the parameters of it (kernel/params.c). */
import { isUnknown } from '../../../src/machine/snapshot.ts';
import { isGoing } from '../../../src/model/modules.ts';
import type { Module, Parameters } from '../../../src/model/state.ts';
import { collection, directory } from './build.ts';
import type { Machine } from './machine.ts';
import type { Attribute, Directory } from './node.ts';

export function moduleDirectory(machine: Machine): Directory | undefined {
  if (isUnknown(machine.snapshot.modules) && machine.world.modules.size === 0) return undefined;
  return collection(
    () =>
      [...machine.world.modules.values()]
        .filter((its) => loaded(machine, its) !== null)
        .map((its) => its.name),
    (name) => {
      const module = machine.world.modules.get(name);
      return module === undefined || loaded(machine, module) === null ? undefined : entry(machine, module);
    },
  );
}

function entry(machine: Machine, module: Module): Directory {
  const names = Object.keys(loaded(machine, module) ?? {});
  const parameters = collection(
    () => names,
    (name) => (names.includes(name) ? parameter(machine, module, name) : undefined),
  );
  const read = () => (isGoing(machine.state, module.name) ? 'going\n' : 'live\n');
  const initstate: Attribute = { kind: 'attribute', mode: 0o444, size: 4096, read };
  return directory({
    initstate: module.builtIn ? undefined : initstate,
    parameters: names.length === 0 ? undefined : parameters,
  });
}

function parameter(machine: Machine, module: Module, name: string): Attribute {
  const read = () => {
    const text = loaded(machine, module)?.[name];
    return text === undefined ? null : `${text}\n`;
  };
  if (module.readOnly.includes(name)) return { kind: 'attribute', mode: 0o444, size: 4096, read };
  const write = (text: string, pid: number) =>
    Math.min(
      0,
      machine.value({
        op: 'parameter.write',
        pid,
        module: module.name,
        parameter: name,
        text,
      }),
    );
  return { kind: 'attribute', mode: 0o644, size: 4096, read, write };
}

function loaded(machine: Machine, module: Module): Parameters | null {
  return machine.state.modules[module.index] ?? null;
}
