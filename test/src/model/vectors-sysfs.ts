import { ROOT } from '../../../src/model/world.ts';
import { bare, pair, single } from './machine.ts';
import { fake, type Vector } from './vector.ts';

/** The driver core's files, and those of a device and of a group. */
export const sysfsVectors: readonly Vector[] = [
  {
    id: 'T71',
    sequence: 'new_id "1", and "10ec 8139" twice',
    run: (s) =>
      ['1', '10ec 8139', '10ec 8139'].map((text) =>
        s.call({ op: 'driver.new_id', pid: ROOT, driver: 'vfio-pci', text }),
      ),
    expected: ['EINVAL', 9, 'EEXIST'],
  },
  {
    id: 'T72',
    sequence: 'remove_id of an id that is unknown',
    run: (s) => [s.call({ op: 'driver.remove_id', pid: ROOT, driver: 'vfio-pci', text: '10ec 8139' })],
    expected: ['ENODEV'],
  },
  {
    id: 'T76',
    sequence: 'driver_override of a lone newline',
    run: (s) => {
      s.override(pair);
      const set = s.of(pair)?.override;
      return [set, s.override(pair, ''), s.of(pair)?.override];
    },
    expected: ['vfio-pci', 1, null],
  },
  {
    id: 'T79',
    sequence: 'type "DMA" on the group of a device without an IOMMU',
    run: (s) => {
      fake(s);
      return [s.call({ op: 'iommu_group.type', pid: ROOT, group: 0, text: 'DMA' })];
    },
    expected: ['EINVAL'],
  },
  {
    id: '3.1 new_id',
    sequence:
      'new_id takes the unbound devices that match, a probe that fails is not told, and remove_id lets them be',
    run: (s) => {
      const id = (op: 'driver.new_id' | 'driver.remove_id') =>
        s.call({ op, pid: ROOT, driver: 'vfio-pci', text: '8086 10d3' });
      s.unbind(single);
      s.unbind(bare);
      const added = id('driver.new_id');
      const driver = (device: string) => s.of(device)?.driver;
      const bound = [driver(single), driver(bare), driver(pair)];
      return [added, ...bound, id('driver.remove_id'), driver(single), s.bind(bare)];
    },
    // Without its id the driver matches no longer; before, the device without a group was refused by the probe.
    expected: [9, 'vfio-pci', null, 'e1000e', 9, 'vfio-pci', 'ENODEV'],
  },
  {
    id: '3.1 driver_data',
    sequence: 'new_id with driver_data 1, f and 10 to e1000e, 1 to vfio-pci, 10 to pci-stub',
    run: (s) => {
      const id = (driver: string, data: string) =>
        s.call({ op: 'driver.new_id', pid: ROOT, driver, text: `8086 1 0 0 0 0 ${data}` });
      const e1000e = ['1', 'f', '10'].map((data) => id('e1000e', data));
      return [...e1000e, id('vfio-pci', '1'), id('pci-stub', '10')];
    },
    // Its table numbers 16 kinds of hardware, 17 in 6.12; that of vfio-pci has one entry without data, pci-stub has none.
    expected: {
      '6.1': [16, 16, 'EINVAL', 'EINVAL', 17],
      '6.12': [16, 16, 17, 'EINVAL', 17],
    },
  },
  {
    id: '3.6 dma_entry_limit',
    sequence: 'the limit as 0x10, 010, +7 with a newline, 8 with more behind, -1, 2^32, nothing',
    run: (s) => {
      const parameter = 'dma_entry_limit';
      const module = 'vfio_iommu_type1';
      const place = s.world.modules.get(module)?.index ?? -1;
      return ['0x10', '010', '+7\n', '8 9', '-1', '4294967296', ''].map((text) => [
        s.call({ op: 'parameter.write', pid: ROOT, module, parameter, text }),
        s.state.modules[place]?.[parameter],
      ]);
    },
    expected: [
      [4, '16'],
      [3, '8'],
      [3, '7'],
      ['EINVAL', '7'],
      ['EINVAL', '7'],
      ['ERANGE', '7'],
      [0, '7'],
    ],
  },
  {
    id: '3.4 enable',
    sequence: 'enable of a bound device, then of an unbound one: 0, 1, 1, 0, 0, 0',
    run: (s) => {
      const enable = (text: string) => s.call({ op: 'device.enable', pid: ROOT, device: pair, text });
      const bound = enable('1');
      s.unbind(pair);
      return [bound, ...['0', '1', '1', '0', '0', '0'].map(enable)];
    },
    expected: ['EBUSY', 'EIO', 1, 1, 1, 1, 'EIO'],
  },
  {
    id: '3.4 remove',
    sequence: 'remove a device and look for it again: it comes back to its drivers as a new one',
    run: (s) => {
      s.override(single, 'nobody');
      const was = s.of(single)?.group;
      const gone = s.call({ op: 'device.remove', pid: ROOT, device: single, text: '1' });
      const groups = new Set(s.state.iommuGroups.map(({ id }) => id));
      const free = [...groups.keys(), groups.size].findIndex((_, id) => !groups.has(id));
      const again = s.bind(single, 'e1000e');
      const found = s.call({ op: 'bus.rescan', pid: ROOT, text: '1' });
      const device = s.of(single);
      return [
        ...[gone, groups.has(was ?? -1), again, found, device?.driver, device?.override],
        device?.group === free,
      ];
    },
    expected: [1, false, 'ENODEV', 1, 'e1000e', null, true],
  },
  {
    id: '3.4 reset_method',
    sequence:
      'no way to reset: the file `reset` answers ENOTTY, and a device that is opened then has no RESET flag',
    run: (s) => {
      const write = (op: 'device.reset_method' | 'device.sysfs_reset', text: string) =>
        s.call({ op, pid: ROOT, device: single, text });
      const answers = [write('device.reset_method', '\n'), write('device.sysfs_reset', '1')];
      s.take(single);
      const c = s.open('vfio');
      const g = s.open('8');
      s.setContainer(g, c);
      s.setIommu(c, 1);
      const d = Number(s.device(g, single));
      const flags = () => {
        const out = s.out({ op: 'device.get_info', pid: ROOT, fd: d });
        return typeof out === 'string' ? out : out['flags'];
      };
      const without = flags();
      return [...answers, without, write('device.reset_method', 'default'), flags()];
    },
    expected: [1, 'ENOTTY', 2, 7, 2],
  },
];
