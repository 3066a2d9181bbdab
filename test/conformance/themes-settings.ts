/** What a plan does beside VFIO's own files: configuration, modules with parameters, owners of nodes. */
import { ownPaths } from '../../src/machine/configuration.ts';
import type { Context, Maker } from '../runtime/kernel/random-context.ts';
import { pick } from '../runtime/kernel/random-mappings.ts';
import { type Actor, actors } from './cast.ts';

/** The user may give nodes away, but not change the modes of those that are not its own. */
export const mayGive = actors.map((actor) =>
  actor.pid === 3 ? { ...actor, capabilities: ['CAP_CHOWN'] } : actor,
) as unknown as readonly [Actor, ...Actor[]];

const unit = '/etc/systemd/system/vpp.service.d';

const directories = [unit, '/etc/modprobe.d', '/etc/udev', '/etc/udev/rules.d', '/etc/security'];

const files = [ownPaths.options, ownPaths.rules, ownPaths.modules, `${unit}/60-vfioplan.conf`];

/** What is no place for a file, and what stands in the way of one. */
const strange = [`${ownPaths.options}/x.conf`, '/etc/nowhere/x.conf', '/etc/nowhere/below/x.conf'];

const anyPath = ({ a, b }: Context) =>
  pick([...files, ...files, ...directories, ...directories, ...strange], a + 17 * b);

/** Paths of their own kind twice as often as any. */
const pathOf = (its: Context, own: readonly string[]) => (its.c % 3 === 0 ? anyPath(its) : pick(own, its.a));

const write: Maker = (its) => ({
  op: 'config.write',
  pid: its.pid,
  path: pathOf(its, files),
  text: pick(['options vfio-pci disable_idle_d3=Y\n', 'vfio-pci\n', '', '# ä\n'], its.b),
});

const remove: Maker = (its) => ({ op: 'config.remove', pid: its.pid, path: pathOf(its, files) });

const makeDirectory: Maker = (its) => ({
  op: 'config.make_directory',
  pid: its.pid,
  path: pathOf(its, directories),
});

const removeDirectory: Maker = (its) => ({
  op: 'config.remove_directory',
  pid: its.pid,
  path: pathOf(its, directories),
});

const modules = ['vfio_pci', 'vfio_pci', 'vfio_iommu_type1', 'vfio'] as const;

const unload: Maker = (its) => ({ op: 'module.unload', pid: its.pid, module: pick(modules, its.a) });

const given = [
  'disable_idle_d3=maybe',
  'disable_idle_d3=Y',
  'nointxmask',
  `ids=${'8086:10d3,'.repeat(110)}`,
  'ids=8086:10d3',
  'dma_entry_limit=99999999999',
  'dma_entry_limit=7',
  'dma_entry_limit=many',
  'allow_unsafe_interrupts=Y',
  'no_such_parameter=1',
];

const load: Maker = (its) => ({
  op: 'module.load',
  pid: its.pid,
  module: pick(modules, its.a),
  parameters:
    its.b % 4 === 0 ? [] : [pick(given, its.b >> 2), ...(its.c % 4 === 0 ? [pick(given, its.c >> 2)] : [])],
});

const parameter: Maker = (its) => {
  const [module, name] = pick(
    [
      ['vfio_iommu_type1', 'dma_entry_limit'],
      ['vfio_iommu_type1', 'allow_unsafe_interrupts'],
      ['vfio_pci', 'disable_vga'],
      ['vfio_pci', 'disable_denylist'],
      ['vfio_pci', 'nointxmask'],
      ['vfio', its.world.profile.noiommuParameter],
    ] as const,
    its.a,
  );
  const texts = ['Y', 'N', '1', '65535', '99999999999', '-1', 'maybe', ''];
  return { op: 'parameter.write', pid: its.pid, module, parameter: name, text: pick(texts, its.b) };
};

const override: Maker = (its) => ({
  op: 'override.write',
  pid: its.pid,
  device: pick(its.cast.devices, its.a),
  text: pick(['x'.repeat(4093), 'x'.repeat(4094), 'x'.repeat(5000), 'vfio-pci', ''], its.b),
});

const own: Maker = (its) => ({
  op: 'node.own',
  pid: pick([1, 1, 2, 3, 3, 3, 4], its.c),
  path: pick(['/dev/vfio/vfio', '/dev/vfio/vfio', '/dev/vfio/none'], its.a),
  ...{ uid: pick([0, 1000, 2 ** 32 - 1], its.b), gid: pick([0, 1000, 2 ** 32 - 1], its.b >> 2) },
  mode: pick([0o600, 0o660, 0o666], its.b >> 4),
});

export const settings: readonly Maker[] = [
  ...[write, write, write, remove, makeDirectory, makeDirectory, removeDirectory, removeDirectory],
  ...[unload, unload, load, load, load, parameter, parameter, override, own, own],
];
