import { nodePaths } from '../../../src/model/nodes.ts';
import type { Context, Maker } from './random-context.ts';
import { pick } from './random-mappings.ts';

/** Random operations on files of sysfs, modules and nodes. */

/** A physical function of igb with room for two virtual ones. */
export const physical = '0000:00:07.0';

const addresses = ({ cast }: Context) => [...cast.devices, '0000:ff:1f.7', 'nonsense'];
const drivers = ({ cast }: Context) => ['vfio-pci', 'vfio-pci', ...cast.drivers, 'pci-stub', 'nothing'];
const modules = ['vfio_pci', 'vfio-pci', 'vfio', 'vfio_iommu_type1', 'nothing'];

export const sysfs: readonly Maker[] = [
  ({ pid, a }) => ({ op: 'module.load', pid, module: pick(modules, a) }),
  ({ pid, a }) => ({ op: 'module.unload', pid, module: pick(modules, a) }),
  ({ pid, a }) => ({
    op: 'parameter.write',
    pid,
    module: 'vfio',
    parameter: 'enable_unsafe_noiommu_mode',
    text: pick(['Y', 'N', '1', 'on', 'of', 'maybe'], a),
  }),
  ({ pid, a, b }) => ({
    op: 'parameter.write',
    pid,
    module: pick(['vfio_iommu_type1', 'vfio_pci'], b),
    parameter: pick(['allow_unsafe_interrupts', 'dma_entry_limit', 'enable_sriov', 'missing'], a),
    text: pick(['Y', 'N', '1\n', '0x2', '65535', '99999999999', '010', '\n'], a + 1),
  }),
  (its) => ({
    op: 'override.write',
    pid: its.pid,
    device: pick(addresses(its), its.a),
    text: pick(drivers(its), its.b),
  }),
  (its) => ({ op: 'override.write', pid: its.pid, device: pick(addresses(its), its.a), text: '' }),
  (its) => ({
    op: 'driver.bind',
    pid: its.pid,
    driver: pick(drivers(its), its.b),
    device: pick(addresses(its), its.a),
  }),
  (its) => ({ op: 'driver.bind', pid: its.pid, driver: 'vfio-pci', device: pick(addresses(its), its.a) }),
  (its) => ({
    op: 'driver.unbind',
    pid: its.pid,
    driver: pick(drivers(its), its.b),
    device: pick(addresses(its), its.a),
  }),
  (its) => ({ op: 'drivers.probe', pid: its.pid, device: pick(addresses(its), its.a) }),
  (its) => ({
    op: pick(['driver.new_id', 'driver.remove_id'] as const, its.c),
    pid: its.pid,
    driver: pick(drivers(its), its.b),
    text: pick(['8086 10d3', '8086 1572', '8086', '10ec 8139\n', '8086 10d3 8086 0 0 0 1'], its.a),
  }),
  ({ pid, a }) => ({ op: 'bus.autoprobe', pid, text: pick(['0', '1\n', 'off'], a) }),
  (its) => ({
    op: 'bus.rescan',
    pid: its.pid,
    text: pick(['1', '0', 'x', '1'], its.b),
    ...(its.c % 3 === 0 ? { device: pick(addresses(its), its.a) } : {}),
  }),
  (its) => ({
    op: pick(['device.remove', 'device.enable', 'device.sysfs_reset'] as const, its.c),
    pid: its.pid,
    device: pick(addresses(its), its.a),
    text: pick(['1', '1\n', '0', 'x', '0x2'], its.b),
  }),
  (its) => ({
    op: 'device.reset_method',
    pid: its.pid,
    device: pick(addresses(its), its.a),
    text: pick(['\n', 'flr', 'default', 'bus flr', 'no', 'flr '.repeat(8)], its.b),
  }),
  ({ pid, a }) => ({
    op: 'device.sriov_numvfs',
    pid,
    device: physical,
    text: pick(['0', '1', '2', '3', 'x'], a),
  }),
  ({ pid, a }) => ({
    op: 'device.sriov_autoprobe',
    pid,
    device: physical,
    text: pick(['0', '1', 'off', 'x'], a),
  }),
  ({ pid, a, b }) => ({
    op: pick(['driver.unbind', 'driver.bind'] as const, b),
    pid,
    device: physical,
    driver: pick(['igb', 'igb', 'vfio-pci'], a),
  }),
  ({ pid, a, b, state }) => ({
    op: 'iommu_group.type',
    pid,
    group: pick([...state.iommuGroups.map(({ id }) => id), 99], a),
    text: pick(['DMA', 'DMA-FQ\n', 'identity', 'auto', 'dma'], b),
  }),
  ({ pid, a, b, state }) => ({
    op: 'node.own',
    pid,
    path: pick([...nodePaths(state), '/dev/vfio/missing'], a),
    uid: pick([0, 1000], b),
    gid: pick([0, 1000], b + 1),
    mode: pick([0o600, 0o660, 0o666], b),
  }),
];
