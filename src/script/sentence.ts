import type { Address } from '../machine/snapshot.ts';
import type { Op } from '../model/op.ts';

/** What an operation does, as a person reads it: "bind 0000:03:00.0 (uplink) to vfio-pci". */
export function sentenceOf(op: Op, names: ReadonlyMap<Address, string> = new Map()): string {
  const named = (address: Address): string => {
    const name = names.get(address);
    return name === undefined ? address : `${address} (${name})`;
  };
  switch (op.op) {
    case 'module.load':
      return `load kernel module ${op.module}`;
    case 'module.unload':
      return `unload kernel ${op.also === undefined ? 'module' : 'modules'} ${[op.module, ...(op.also ?? [])].join(', ')}`;
    case 'parameter.write':
      return `set ${op.module}.${op.parameter} to ${op.text}`;
    case 'override.write':
      return op.text === ''
        ? `let any matching driver bind ${named(op.device)} again`
        : `let only ${op.text} bind ${named(op.device)}`;
    case 'driver.bind':
      return `bind ${named(op.device)} to ${op.driver}`;
    case 'driver.unbind':
      return `unbind ${named(op.device)} from ${op.driver}`;
    case 'drivers.probe':
      return `let the kernel choose a driver for ${named(op.device)}`;
    case 'device.sriov_numvfs':
      return op.text === '0'
        ? `take the virtual functions of ${named(op.device)} away`
        : `create ${op.text} virtual functions on ${named(op.device)}`;
    case 'device.sriov_autoprobe':
      return op.text === '0'
        ? `let no driver take virtual functions of ${named(op.device)} by itself`
        : `let drivers take virtual functions of ${named(op.device)} by themselves again`;
    case 'node.own':
      return `give ${op.path} to ${op.uid}:${op.gid} with mode ${modeText(op.mode)}`;
    case 'config.write':
      return `write ${op.path}`;
    case 'config.remove':
      return `remove ${op.path}`;
    case 'config.make_directory':
      return `make the directory ${op.path}`;
    case 'config.remove_directory':
      return `remove the directory ${op.path}`;
    default:
      return op.op;
  }
}

/** What the sentence of a step says that puts back what was before an earlier plan. */
export function asBefore(generation: number): string {
  return `, as before generation ${generation}`;
}

/** Permission bits as people write them: `0600`. */
export function modeText(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
