import { describe, expect, test } from 'vitest';
import type { Op } from '../../../src/model/op.ts';
import { type ProfileId, profileIds, profiles } from '../../../src/model/profiles.ts';
import { ROOT, worldFrom } from '../../../src/model/world.ts';
import { single, snapshotOf, user } from './machine.ts';
import { alone, noIommu } from './provocation.ts';
import { Session } from './session.ts';
import { fakeInContainer, realInContainer } from './vector.ts';

/** A machine whose VFIO device was told of a group, which nobody else has open any more. */
function holding(profile: ProfileId): { readonly s: Session; readonly vm: number; readonly k: number } {
  const s = new Session(profile);
  const { g } = realInContainer(s, 1);
  const vm = s.vm();
  const k = s.kvm(vm);
  s.kvmAdd(k, g);
  s.close(g);
  return { s, vm, k };
}

describe.each(profileIds)('a virtual machine on %s', (profile) => {
  const walks = profiles[profile].viability === 'walk';

  test('keeps a group open that is closed, until it lets go', () => {
    const s = new Session(profile);
    const { c, g } = realInContainer(s, 1);
    const k = s.kvm();
    expect([s.kvmAdd(k, g), s.kvmAdd(k, g)]).toEqual([0, 'EEXIST']);
    const again = s.pass(g);
    s.close(g);
    s.close(again, 100);
    expect(s.tryOpen('8')).toBe('EBUSY');
    expect(s.state.containers[0]?.groups).toHaveLength(1);
    s.close(c);
    expect(s.state.containers).toHaveLength(1);
  });

  test('lets the group leave its container only where it is no user of it', () => {
    const s = new Session(profile);
    const { g } = realInContainer(s, 1);
    const k = s.kvm();
    s.kvmAdd(k, g);
    expect(s.unsetContainer(g)).toBe(walks ? 'EBUSY' : 0);
    expect(s.kvmDel(k, g)).toBe(0);
    expect(s.kvmDel(k, g)).toBe('ENOENT');
    expect(s.unsetContainer(g)).toBe(walks ? 0 : 'EINVAL');
    s.close(g);
    expect(s.tryOpen('8')).toBeTypeOf('number');
  });

  test('takes a group without an IOMMU from 5.19 on', () => {
    const s = new Session(profile, worldFrom(snapshotOf(alone, noIommu), { profile }));
    const { c, g } = fakeInContainer(s);
    s.setIommu(c, 8);
    expect(s.kvmAdd(s.kvm(), g)).toBe(walks ? 'EPERM' : 0);
  });

  test('takes devices from 6.6 on', () => {
    const s = new Session(profile);
    const d = Number(s.device(realInContainer(s, 1).g, single));
    expect(s.kvmAdd(s.kvm(), d)).toBe(profiles[profile].kvmTakesDevices ? 0 : 'EINVAL');
  });

  test('gives up what it held when its VFIO device is closed, before 6.2 when it ends itself', () => {
    const { s, vm, k } = holding(profile);
    s.close(k);
    expect(s.tryOpen('8')).toEqual(walks ? 'EBUSY' : expect.any(Number));
    expect(s.call({ op: 'kvm.create_device', pid: ROOT, fd: vm })).toEqual(
      walks ? 'EBUSY' : expect.any(Number),
    );
    s.close(vm);
    expect(s.tryOpen('8')).toEqual(walks ? expect.any(Number) : 'EBUSY');
  });

  test('lives as long as its VFIO device, whose descriptors may be several', () => {
    const { s, vm, k } = holding(profile);
    const there = s.pass(k);
    s.close(vm);
    s.close(k);
    expect([s.state.kvm.length, s.tryOpen('8')]).toEqual([1, 'EBUSY']);
    s.close(there, user.pid);
    expect([s.state.kvm.length, s.tryOpen('8')]).toEqual([0, expect.any(Number)]);
  });

  test('is its own, whoever has what else', () => {
    const s = new Session(profile);
    const { g } = realInContainer(s, 1);
    const [one, other] = [s.kvm(), s.kvm()];
    expect([s.kvmAdd(one, g), s.kvmAdd(other, g)]).toEqual([0, 0]);
    expect([s.kvmDel(one, g), s.kvmDel(one, g), s.kvmDel(other, g)]).toEqual([0, 'ENOENT', 0]);
  });

  test('is none where no snapshot tells of KVM', () => {
    for (const nodes of [[], { unknown: 'nobody looked' }]) {
      const s = new Session(profile, worldFrom(snapshotOf(undefined, { nodes }), { profile }));
      expect(s.call({ op: 'open', pid: ROOT, path: '/dev/kvm' })).toBe('ENOENT');
    }
  });

  test('is asked nothing that it does not know', () => {
    const s = new Session(profile);
    const fd = Number(s.call({ op: 'open', pid: ROOT, path: '/dev/kvm' }));
    const vm = Number(s.call({ op: 'kvm.create_vm', pid: ROOT, fd }));
    const k = s.kvm(vm);
    const calls = (['read', 'write', 'mmap', 'lseek'] as const).map(
      (call): Op => ({
        ...{ op: 'file.call', pid: ROOT, fd: 0, call },
      }),
    );
    const others: readonly Op[] = [
      { op: 'kvm.create_vm', pid: ROOT, fd: 0 },
      { op: 'kvm.create_device', pid: ROOT, fd: 0 },
      { op: 'kvm.add_group', pid: ROOT, fd: 0, file: 0 },
      { op: 'group.get_status', pid: ROOT, fd: 0 },
      { op: 'device.read', pid: ROOT, fd: 0, offset: 0n, count: 1 },
    ];
    const answers = (of: number) => [...calls, ...others].map((op) => s.call({ ...op, fd: of } as Op));
    expect(answers(fd)).toEqual([
      ...['EINVAL', 'EINVAL', 'ENODEV', 0],
      ...[expect.any(Number), 'EINVAL', 'EINVAL', 'EINVAL', 'EINVAL'],
    ]);
    expect(answers(vm)).toEqual([
      ...['EINVAL', 'EINVAL', 'ENODEV', 0],
      ...['ENOTTY', 'EBUSY', 'ENOTTY', 'ENOTTY', 'ESPIPE'],
    ]);
    expect(answers(k)).toEqual([
      ...['EINVAL', 'EINVAL', 'ENODEV', 'ESPIPE'],
      ...['ENOTTY', 'ENOTTY', 'EINVAL', 'ENOTTY', 'ESPIPE'],
    ]);
  });
});

test.each(['6.1', '6.12'] as const)('KVM keeps irqbypass on %s, as the snapshot tells', (profile) => {
  const bare = snapshotOf();
  const { options } = bare.kernel;
  const told = { kvm_amd: [], kvm: ['kvm_amd'], irqbypass: ['kvm', 'vfio_pci_core'] };
  const modules = Object.entries(told).map(([name, holders]) => [name, { parameters: {}, holders }]);
  const kernel = { ...bare.kernel, options: { ...options, IRQ_BYPASS_MANAGER: 'm' as const } };
  const s = new Session(
    profile,
    worldFrom(snapshotOf([], { kernel, modules: Object.fromEntries(modules) }), { profile }),
  );
  const unload = (module: string) => s.call({ op: 'module.unload', pid: ROOT, module });
  expect(['irqbypass', 'kvm', 'kvm_amd', 'kvm', 'irqbypass'].map(unload)).toEqual([
    'EAGAIN',
    'EAGAIN',
    0,
    0,
    0,
  ]);
});

describe.each(['6.12', 'noiommu-cdev'] as const)('a device that a virtual machine keeps on %s', (profile) => {
  test('holds up the unbind of its function, which the end of the machine ends', () => {
    const s = new Session(profile);
    const { g } = realInContainer(s, 1);
    const d = Number(s.device(g, single));
    const k = s.kvm();
    s.kvmAdd(k, d);
    s.close(d);
    expect(s.unbind(single, 'vfio-pci')).toBe(`blocked by ${ROOT}`);
    s.close(k);
    expect(s.of(single)?.driver).toBeNull();
  });
});
