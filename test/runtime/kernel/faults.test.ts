import { describe, expect, it } from 'vitest';
import { errnoOf } from '../../../runtime/abi/errno.ts';
import { fcntl } from '../../../runtime/abi/fcntl.ts';
import { requests } from '../../../runtime/abi/ioctl.ts';
import { SandboxFailure } from '../../../runtime/kernel/failure.ts';
import { type Fault, ProcessKilled } from '../../../runtime/kernel/faults.ts';
import { bootSandbox, type SandboxOptions, type SimulatedProcess } from '../../../runtime/kernel/sandbox.ts';
import { machine } from '../../machines.ts';

const root = { uid: 0, gid: 0, groups: [], capabilities: ['CAP_DAC_OVERRIDE', 'CAP_SYS_RAWIO'] };
const nic = '0000:03:00.0';
const override = `/sys/bus/pci/devices/${nic}/driver_override`;
const snapshot = machine({ functions: [{ at: nic, id: '8086:1572', class: 'nic', driver: null }] });

async function withFaults(...faults: Fault[]) {
  const sandbox = await bootSandbox(snapshot, { faults });
  return { sandbox, process: sandbox.process(root) };
}

function write(process: SimulatedProcess, path: string, text: string): unknown {
  const fd = process.open(path, fcntl.O_WRONLY);
  if (fd < 0) return errnoOf(fd);
  const answer = process.write(fd, new TextEncoder().encode(text));
  process.close(fd);
  return errnoOf(answer) ?? answer;
}

function read(process: SimulatedProcess, path: string): string {
  const bytes = process.read(process.open(path, fcntl.O_RDONLY), 100);
  return typeof bytes === 'number' ? `${errnoOf(bytes)}` : new TextDecoder().decode(bytes);
}

describe('planted faults', () => {
  it('refuse the calls that they name, as often as they say, and change nothing', async () => {
    const { process } = await withFaults({
      on: { call: 'write', path: override },
      nth: 2,
      times: 2,
      answer: 'EBUSY',
    });
    expect(write(process, override, 'one')).toBe(3);
    expect(write(process, override, 'two')).toBe('EBUSY');
    expect(read(process, override)).toBe('one\n');
    expect(write(process, override, 'three')).toBe('EBUSY');
    expect(write(process, override, 'four')).toBe(4);
    expect(read(process, override)).toBe('four\n');
  });

  it('match a path as written, without links, and by its beginning', async () => {
    const real = `/sys/devices/pci0000:00/${nic}/driver_override`;
    for (const path of [override, real, '/sys/bus/pci/devices/*', '*']) {
      const { process } = await withFaults({ on: { call: 'open', path }, answer: 'EIO' });
      expect(write(process, override, 'x'), path).toBe('EIO');
      expect(write(process, override, 'x'), path).toBe(1);
    }
  });

  it('refuse an ioctl by its number', async () => {
    const { process } = await withFaults({
      on: { request: requests.VFIO_CHECK_EXTENSION },
      answer: 'ENOMEM',
    });
    const fd = process.open('/dev/vfio/vfio', fcntl.O_RDWR);
    expect(process.ioctl(fd, requests.VFIO_GET_API_VERSION, 0)).toBe(0);
    expect(errnoOf(process.ioctl(fd, requests.VFIO_CHECK_EXTENSION, 1))).toBe('ENOMEM');
    expect(process.ioctl(fd, requests.VFIO_CHECK_EXTENSION, 1)).toBe(1);
  });

  it.each([
    ['before', undefined, '(null)\n'],
    ['after', true, 'x\n'],
  ] as const)(
    'kill a process %s the call, close its files and leave the machine running',
    async (_, after, left) => {
      const fault: Fault = { on: { call: 'write', path: override }, answer: 'kill' };
      const { sandbox, process } = await withFaults(after === undefined ? fault : { ...fault, after });
      expect(() => write(process, override, 'x')).toThrow(ProcessKilled);
      expect(() => process.list('/dev')).toThrow(ProcessKilled);
      const next = sandbox.process(root);
      expect(next.list('/proc')).not.toContain(`${process.pid}`);
      expect(read(next, override)).toBe(left);
    },
  );
});

const many = Array.from({ length: 2000 }, (_, index) => ({
  at: `${(index >> 8).toString(16).padStart(4, '0')}:${(index & 255).toString(16).padStart(2, '0')}:00.0`,
  id: '8086:1572',
  class: 'nic',
  driver: 'i40e',
}));

describe('the limits of a simulated machine', () => {
  it('end a boot that cannot be done within them', async () => {
    const boot = (limits: SandboxOptions) => bootSandbox(machine({ functions: many }), limits);
    await expect(boot({ memoryLimitBytes: 1_000_000 })).rejects.toMatchObject({ failure: 'memory' });
    await expect(boot({ deadlineMs: -1 })).rejects.toMatchObject({ failure: 'deadline' });
  });

  it('end everything once the sandbox is disposed of', async () => {
    const { sandbox, process } = await withFaults();
    sandbox.dispose();
    sandbox.dispose();
    expect(() => process.list('/')).toThrow(SandboxFailure);
    expect(() => sandbox.process(root)).toThrow(SandboxFailure);
  });

  it('hold a machine with thousands of functions', async () => {
    const files = ['bind', 'unbind', 'new_id', 'remove_id'];
    const sandbox = await bootSandbox(machine({ functions: many }), { deadlineMs: 20_000 });
    const process = sandbox.process(root);
    expect(process.list('/sys/bus/pci/devices')).toHaveLength(2000);
    expect(process.list('/sys/bus/pci/drivers/i40e')).toHaveLength(2000 + files.length);
    expect(write(process, '/sys/bus/pci/devices/0007:c0:00.0/driver/unbind', '0007:c0:00.0')).toBe(12);
    expect(process.list('/sys/bus/pci/drivers/i40e')).toHaveLength(1999 + files.length);
  });
});
