import { expect, it } from 'vitest';
import { fcntl } from '../../../runtime/abi/fcntl.ts';
import { bootSandbox } from '../../../runtime/kernel/sandbox.ts';
import { lower } from '../../../runtime/lower/lower.ts';
import { ROOT } from '../../../src/model/world.ts';
import { machine } from '../../machines.ts';

const driver = { driver: 'vfio-pci', driverOverride: 'vfio-pci', class: 'nic' } as const;
const [pf, vf] = ['0000:06:00.0', '0000:06:10.0'] as const;
const token = 'bd8d9d2b-5a5f-4f5a-a211-f591514ba1f3';
const shared = machine({
  functions: [
    { ...driver, at: pf, id: '8086:10c9', group: 7, sriov: { totalVfs: 1, numVfs: 1 } },
    { ...driver, at: vf, id: '8086:10ca', group: 8, physicalFunction: pf },
  ],
});
const snapshot = { ...shared, modules: { ...shared.modules, iommufd: { parameters: {} } } };

/** What BIND answers, one open cdev after the other, with the token that the structure points to. */
it.each([
  ['6.12', ['ok', 'ok', 'ok']],
  ['noiommu-cdev', ['EACCES', 'ok', 'ok']],
] as const)('a token behind the structure of BIND_IOMMUFD: %s', async (profile, expected) => {
  const sandbox = await bootSandbox(snapshot, { profile });
  const process = sandbox.process({ uid: 0, gid: 0, groups: [], capabilities: ['CAP_DAC_OVERRIDE'] });
  const bind = (index: number, given: { readonly token?: string; readonly tail?: boolean }) => {
    const [fd, iommufd] = [`/dev/vfio/devices/vfio${index}`, '/dev/iommu'].map((path) =>
      process.open(path, fcntl.O_RDWR),
    );
    const flags = given.token === undefined || profile === '6.12' ? 0 : 1;
    const op = { op: 'device.bind_iommufd', pid: ROOT, fd: fd ?? -1, iommufd: iommufd ?? -1, flags } as const;
    const reply = lower(process, { ...op, ...given });
    process.close(fd ?? -1);
    process.close(iommufd ?? -1);
    return reply.ok ? 'ok' : reply.errno;
  };
  expect([bind(1, {}), bind(0, { token }), bind(1, { token })]).toEqual(expected);
  const late = profile === '6.12' ? ['ok', 'ok'] : ['EACCES', 'E2BIG'];
  expect([bind(1, { token: token.replace('b', 'a') }), bind(1, { tail: true })]).toEqual(late);
  sandbox.dispose();
});
