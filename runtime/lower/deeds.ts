import type { Op } from '../../src/model/op.ts';
import type { PlanOperation } from '../../src/plan/plan.ts';
import { errno, errnoOf } from '../abi/errno.ts';
import { type Backend, WouldBlock } from '../backend.ts';
import { settled, writeConfiguration } from './configuration.ts';
import { presentNode } from './observe.ts';
import { writeSysfs, writeText } from './sysfs-writes.ts';

/** What a system call answers that would not return. */
const blocked = 'blocked';

/**
 * Does one operation of a plan. `null`: it succeeded; otherwise the name of the errno, or `blocked` where a simulated
 * kernel says that Linux would wait without end.
 */
export function perform(backend: Backend, op: Deed): string | null {
  try {
    return errnoOf(answerOf(backend, op));
  } catch (error) {
    if (error instanceof WouldBlock) return blocked;
    throw error;
  }
}

/** The system call's own answer: a value, or the negative errno. */
export function answerOf(backend: Backend, op: Deed): number {
  // Each entry takes its own kind of operation, which is the one that it is looked up by.
  const deed = deeds[op.op] as (backend: Backend, its: Deed) => number;
  return deed(backend, op);
}

type DeedKind = PlanOperation['op'];
type Deeds = { readonly [Kind in DeedKind]: Extract<Op, { op: Kind }> };
export type Deed = Deeds[DeedKind];

/** Operations on sysfs, modules, nodes and configuration files as system calls: the file, and the exact bytes that are written. */
const deeds: { readonly [Kind in DeedKind]: (backend: Backend, op: Deeds[Kind]) => number } = {
  'module.load': (backend, { module, parameters }) => backend.loadModule(module, parameters),
  'module.unload': (backend, { module, also = [] }) => {
    for (const name of [module, ...also]) {
      const answer = backend.unloadModule(name);
      if (answer < 0) return answer;
    }
    return 0;
  },
  'parameter.write': (backend, { module, parameter, text }) =>
    writeText(backend, `/sys/module/${module.replaceAll('-', '_')}/parameters/${parameter}`, text),
  // A lone newline clears an override; an empty write would not reach the kernel's handler at all.
  'override.write': (backend, { device, text }) =>
    writeText(backend, `/sys/bus/pci/devices/${device}/driver_override`, `${text}\n`),
  'driver.bind': (backend, { driver, device }) =>
    writeText(backend, `/sys/bus/pci/drivers/${driver}/bind`, device),
  'driver.unbind': (backend, { driver, device }) =>
    writeText(backend, `/sys/bus/pci/drivers/${driver}/unbind`, device),
  'drivers.probe': (backend, { device }) => writeText(backend, '/sys/bus/pci/drivers_probe', device),
  'device.sriov_autoprobe': writeSysfs,
  'device.sriov_numvfs': writeSysfs,
  // The owner first: the new mode is meant for the new owner.
  'node.own': (backend, { path, of, uid, gid, mode }) => {
    const present = of === undefined ? path : presentNode(backend, path, of);
    if (present === null) return -errno.ENOENT;
    const given = backend.chown(present, uid, gid);
    return given < 0 ? given : backend.chmod(present, mode);
  },
  'config.write': writeConfiguration,
  'config.remove': (backend, { path }) => settled(backend, path, backend.unlink(path)),
  'config.make_directory': (backend, { path }) => {
    const made = backend.mkdir(path, 0o755);
    // Whatever the umask of who started us is.
    return made < 0 ? made : settled(backend, path, backend.chmod(path, 0o755));
  },
  'config.remove_directory': (backend, { path }) => settled(backend, path, backend.rmdir(path)),
};
