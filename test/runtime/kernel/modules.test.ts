import { afterEach, beforeEach, expect, it } from 'vitest';
import { errno } from '../../../runtime/abi/errno.ts';
import { fcntl } from '../../../runtime/abi/fcntl.ts';
import { bootSandbox, type Sandbox } from '../../../runtime/kernel/sandbox.ts';
import { lower } from '../../../runtime/lower/lower.ts';
import { ROOT } from '../../../src/model/world.ts';
import { machine } from '../../machines.ts';

const nic = '0000:03:00.0';
const snapshot = machine({
  functions: [{ at: nic, id: '8086:1572', class: 'nic', driver: null }],
  replace: { modules: {}, drivers: [], nodes: [] },
});
const root = { uid: 0, gid: 0, groups: [], capabilities: ['CAP_DAC_OVERRIDE', 'CAP_SYS_MODULE'] };

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await bootSandbox(snapshot);
});
afterEach(() => sandbox.dispose());

it('modules are loaded with parameters, which cross as texts', () => {
  const process = sandbox.process(root);
  const load = (module: string, ...parameters: readonly string[]) =>
    lower(process, { op: 'module.load', pid: ROOT, module, parameters });
  const read = (path: string) => {
    const fd = process.open(path, fcntl.O_RDONLY);
    const bytes = process.read(fd, 64);
    process.close(fd);
    return typeof bytes === 'number' ? bytes : new TextDecoder().decode(bytes);
  };
  expect(load('vfio-pci', 'enable_sriov=x')).toEqual({ ok: false, errno: 'EINVAL' });
  expect(process.open('/sys/module/vfio_pci/parameters/enable_sriov', fcntl.O_RDONLY)).toBe(-errno.ENOENT);
  expect(load('vfio-pci', 'ids=8086:1572,', 'enable_sriov', 'what=ever')).toMatchObject({
    ok: true,
    value: 0,
  });
  expect(process.readlink(`/sys/bus/pci/devices/${nic}/driver`)).toMatch(/vfio-pci$/);
  expect(read('/sys/module/vfio_pci/parameters/enable_sriov')).toBe('Y\n');
  expect(read('/sys/module/vfio_pci/parameters/disable_denylist')).toBe('N\n');
  expect(process.open('/sys/module/vfio_pci/parameters/ids', fcntl.O_RDONLY)).toBe(-errno.ENOENT);
});
