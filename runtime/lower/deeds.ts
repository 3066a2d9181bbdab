import type { Op } from '../../src/model/op.ts';
import { fcntl } from '../abi/fcntl.ts';
import type { Backend } from '../backend.ts';

/** Operations on sysfs, modules and nodes as system calls: the file, and the exact bytes that are written. */
export const deeds = {
  'module.load': (backend, { module }) => backend.loadModule(module),
  'module.unload': (backend, { module, also = [] }) => {
    for (const name of [module, ...also]) {
      const answer = backend.unloadModule(name);
      if (answer < 0) return answer;
    }
    return 0;
  },
  'parameter.write': (backend, { module, parameter, text }) =>
    write(backend, `/sys/module/${module.replaceAll('-', '_')}/parameters/${parameter}`, text),
  // A lone newline clears an override; an empty write would not reach the kernel's handler at all.
  'override.write': (backend, { device, text }) =>
    write(backend, `/sys/bus/pci/devices/${device}/driver_override`, `${text}\n`),
  'driver.bind': (backend, { driver, device }) =>
    write(backend, `/sys/bus/pci/drivers/${driver}/bind`, device),
  'driver.unbind': (backend, { driver, device }) =>
    write(backend, `/sys/bus/pci/drivers/${driver}/unbind`, device),
  'drivers.probe': (backend, { device }) => write(backend, '/sys/bus/pci/drivers_probe', device),
  // The owner first: the new mode is meant for the new owner.
  'node.own': (backend, { path, uid, gid, mode }) => {
    const given = backend.chown(path, uid, gid);
    return given < 0 ? given : backend.chmod(path, mode);
  },
} as const satisfies { [Kind in DeedKind]: (backend: Backend, op: Extract<Op, { op: Kind }>) => number };

type DeedKind =
  | 'module.load'
  | 'module.unload'
  | 'parameter.write'
  | 'override.write'
  | 'driver.bind'
  | 'driver.unbind'
  | 'drivers.probe'
  | 'node.own';

function write(backend: Backend, path: string, text: string): number {
  const fd = backend.open(path, fcntl.O_WRONLY | fcntl.O_CLOEXEC);
  if (fd < 0) return fd;
  const answer = backend.write(fd, new TextEncoder().encode(text));
  const closed = backend.close(fd);
  return answer < 0 ? answer : closed < 0 ? closed : answer;
}
