import fc from 'fast-check';
import { expect, test } from 'vitest';
import { errno } from '../../../runtime/abi/errno.ts';
import { fcntl } from '../../../runtime/abi/fcntl.ts';
import { kvm, kvmLayouts, kvmRequests } from '../../../runtime/abi/kvm.ts';
import { decode, encode } from '../../../runtime/abi/layout.ts';
import { mman } from '../../../runtime/abi/mman.ts';
import { bootSandbox, type SimulatedProcess } from '../../../runtime/kernel/sandbox.ts';
import { type LoweredOp, lower } from '../../../runtime/lower/lower.ts';
import type { ProfileId } from '../../../src/model/profiles.ts';
import { step } from '../../../src/model/step.ts';
import { root, worldFrom } from '../../../src/model/world.ts';
import { machine } from '../../machines.ts';
import { seed } from '../../seed.ts';

const nic = { id: '8086:1572', class: 'nic', driver: 'vfio-pci', driverOverride: 'vfio-pci' } as const;
const node = { uid: 0, gid: 0, mode: 0o666 };
const snapshot = machine({
  functions: [
    { ...nic, at: '03:00.0', group: 7 },
    { ...nic, at: '04:00.0', group: 8 },
  ],
  drivers: ['vfio-pci'],
  replace: { nodes: ['/dev/vfio/vfio', '/dev/kvm'].map((path) => ({ path, ...node })) },
});
const everything = [...root.capabilities];
const who = { uid: 0, gid: 0, groups: [], capabilities: everything, memlock: null };

async function booted(act: (process: SimulatedProcess, other: SimulatedProcess) => void): Promise<void> {
  const sandbox = await bootSandbox(snapshot, { profile: '6.12' });
  try {
    act(sandbox.process(who), sandbox.process(who));
  } finally {
    sandbox.dispose();
  }
}

const open = (process: SimulatedProcess, path: string) => process.open(path, fcntl.O_RDWR);

function createDevice(process: SimulatedProcess, vm: number, over: { type?: number; flags?: number } = {}) {
  const bytes = encode(kvmLayouts.kvm_create_device, { type: kvm.KVM_DEV_TYPE_VFIO, ...over });
  const answer = process.ioctl(vm, kvmRequests.KVM_CREATE_DEVICE, bytes);
  return { answer, fd: decode(kvmLayouts.kvm_create_device, bytes).fd };
}

test('tells its version, makes machines, and devices of no other kind', () =>
  booted((process) => {
    const system = open(process, '/dev/kvm');
    expect(process.ioctl(system, kvmRequests.KVM_GET_API_VERSION, 0)).toBe(kvm.KVM_API_VERSION);
    expect(process.ioctl(system, kvmRequests.KVM_GET_API_VERSION, 1)).toBe(-errno.EINVAL);
    expect(process.ioctl(system, kvmRequests.KVM_CREATE_VM, 77)).toBe(-errno.EINVAL);
    const vm = process.ioctl(system, kvmRequests.KVM_CREATE_VM, 0);
    expect([vm, process.close(system)]).toEqual([system + 1, 0]);
    expect(createDevice(process, vm, { type: 3 }).answer).toBe(-errno.ENODEV);
    expect(createDevice(process, vm, { flags: kvm.KVM_CREATE_DEVICE_TEST })).toEqual({ answer: 0, fd: 0 });
    expect(createDevice(process, vm)).toEqual({ answer: 0, fd: system });
    expect(createDevice(process, vm).answer).toBe(-errno.EBUSY);
  }));

test('has the attributes ADD and DEL of its one group, and no other', () =>
  booted((process, other) => {
    const vm = process.ioctl(open(process, '/dev/kvm'), kvmRequests.KVM_CREATE_VM, 0);
    const { fd } = createDevice(process, vm);
    const ask = (request: number, group: number, attr: bigint, addr = 0n) =>
      process.ioctl(fd, request, encode(kvmLayouts.kvm_device_attr, { group, attr, addr }));
    const has = (group: number, attr: bigint) => ask(kvmRequests.KVM_HAS_DEVICE_ATTR, group, attr);
    expect([has(1, 1n), has(1, 2n)]).toEqual([0, 0]);
    expect([has(1, 3n), has(0, 1n), has(2, 1n)]).toEqual(Array(3).fill(-errno.ENXIO));
    expect(ask(kvmRequests.KVM_SET_DEVICE_ATTR, 1, 3n)).toBe(-errno.ENXIO);
    expect(ask(kvmRequests.KVM_SET_DEVICE_ATTR, 1, 1n)).toBe(-errno.EFAULT);
    expect(ask(kvmRequests.KVM_GET_DEVICE_ATTR, 1, 1n)).toBe(-errno.EPERM);
    for (const request of [kvmRequests.KVM_SET_DEVICE_ATTR, kvmRequests.KVM_HAS_DEVICE_ATTR])
      expect(process.ioctl(fd, request, null)).toBe(-errno.EFAULT);
    const there = process.pass(fd, other);
    for (const request of Object.values(kvmRequests).slice(3))
      expect(other.ioctl(there, request, null)).toBe(-errno.EIO);
  }));

test('reads the descriptor where the attribute points, and leaves it as it is', () =>
  booted((process) => {
    const vm = process.ioctl(open(process, '/dev/kvm'), kvmRequests.KVM_CREATE_VM, 0);
    const { fd } = createDevice(process, vm);
    const group = open(process, '/dev/vfio/7');
    const flags = mman.MAP_PRIVATE | mman.MAP_ANONYMOUS;
    const addr = process.mmap(4096, mman.PROT_READ | mman.PROT_WRITE, flags, -1, 0n) as bigint;
    const memory = open(process, '/proc/self/mem');
    process.pwrite(memory, new Uint8Array(Int32Array.of(group).buffer), addr + 8n);
    const tell = (attr: bigint) =>
      process.ioctl(
        fd,
        kvmRequests.KVM_SET_DEVICE_ATTR,
        encode(kvmLayouts.kvm_device_attr, { group: 1, attr, addr: addr + 8n }),
      );
    expect([tell(1n), tell(1n), tell(2n), tell(2n)]).toEqual([0, -errno.EEXIST, 0, -errno.ENOENT]);
    expect(process.pread(memory, 4, addr + 8n)).toEqual(new Uint8Array(Int32Array.of(group).buffer));
  }));

test('is not there where no snapshot tells of it', async () => {
  const sandbox = await bootSandbox({ ...snapshot, nodes: { unknown: 'nobody looked' } });
  expect(open(sandbox.process(who), '/dev/kvm')).toBe(-errno.ENOENT);
  sandbox.dispose();
});

test('ends with its process, and lets go of what it held', () =>
  booted((process, other) => {
    const vm = process.ioctl(open(process, '/dev/kvm'), kvmRequests.KVM_CREATE_VM, 0);
    const { fd } = createDevice(process, vm);
    const file = open(process, '/dev/vfio/7');
    expect(lower(process, { op: 'kvm.add_group', pid: process.pid, fd, file })).toMatchObject({ ok: true });
    process.close(file);
    expect(open(other, '/dev/vfio/7')).toBe(-errno.EBUSY);
    process.exit();
    expect(open(other, '/dev/vfio/7')).toBeGreaterThan(2);
  }));

const pid = fc.constantFrom(1, 1, 1, 2);
const fd = fc.integer({ min: 3, max: 9 });
const unread = fc.constantFrom({}, {}, {}, { argsz: null });
const path = fc.constantFrom('/dev/kvm', '/dev/kvm', '/dev/vfio/7', '/dev/vfio/8', '/dev/vfio/vfio');
const operations: fc.Arbitrary<LoweredOp> = fc.oneof(
  fc.record({ op: fc.constant('open' as const), pid, path }),
  fc.record({ op: fc.constant('close' as const), pid, fd }),
  fc.record({ op: fc.constant('kvm.create_vm' as const), pid, fd }),
  fc
    .record({ op: fc.constant('kvm.create_device' as const), pid, fd, unread })
    .map(({ unread: its, ...op }) => ({ ...op, ...its })),
  ...(['kvm.add_group', 'kvm.del_group'] as const).map((op) =>
    fc
      .record({ op: fc.constant(op), pid, fd, file: fd, unread })
      .map(({ unread: its, ...each }) => ({ ...each, ...its })),
  ),
  fc.record({
    ...{ op: fc.constant('file.call' as const), pid, fd },
    call: fc.constantFrom('read' as const, 'write' as const, 'lseek' as const, 'mmap' as const),
  }),
  fc.record({
    op: fc.constant('device.read' as const),
    pid,
    fd,
    offset: fc.constant(0n),
    count: fc.constant(1),
  }),
  fc.record({ op: fc.constant('container.set_iommu' as const), pid, fd, type: fc.constant(1) }),
  fc.record({ op: fc.constant('group.set_container' as const), pid, fd, container: fd }),
  fc.record({ op: fc.constant('group.get_device_fd' as const), pid, fd, name: fc.constant('0000:03:00.0') }),
);

/** Steps that make something; others come in between. */
const begun: readonly LoweredOp[] = [
  { op: 'open', pid: 1, path: '/dev/kvm' },
  { op: 'kvm.create_vm', pid: 1, fd: 3 },
  { op: 'kvm.create_device', pid: 1, fd: 4 },
  { op: 'open', pid: 1, path: '/dev/vfio/7' },
  { op: 'kvm.add_group', pid: 1, fd: 5, file: 6 },
];

async function walk(profile: ProfileId, ops: readonly LoweredOp[], seen: Set<string>): Promise<void> {
  const sandbox = await bootSandbox(snapshot, { profile });
  const processes = new Map([1, 2].map((each) => [each, sandbox.process(who)]));
  const alike = [1, 2].map((each) => ({ ...root, pid: each }));
  const { world, state: first } = worldFrom(snapshot, { profile, processes: alike });
  let state = first;
  for (const op of ops) {
    const process = processes.get(op.pid);
    if (process === undefined) throw new Error('no process');
    const told = step(world, state, op);
    const reply = lower(process, op);
    const { result } = told;
    const expected = result.ok
      ? { ok: true, value: result.value }
      : { ok: false, errno: 'errno' in result && result.errno };
    expect([op, reply]).toMatchObject([op, expected]);
    seen.add(`${op.op} ${result.ok ? 'ok' : result.guard}`);
    state = told.state;
  }
  sandbox.dispose();
}

test.each(['4.5', '6.1', '6.12'] as const)(
  'answers on %s what the model answers',
  { timeout: 120_000 },
  async (profile) => {
    const seen = new Set<string>();
    const walks = fc.tuple(fc.nat(begun.length), fc.array(operations, { minLength: 40, maxLength: 80 }));
    await fc.assert(
      fc.asyncProperty(walks, ([first, ops]) => walk(profile, [...begun.slice(0, first), ...ops], seen)),
      { seed, numRuns: 15 },
    );
    const told = [...seen].filter((each) => each.startsWith('kvm.'));
    expect(told).toContain('kvm.create_device ok');
    expect(told.length).toBeGreaterThan(8);
  },
);
