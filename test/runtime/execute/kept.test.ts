import { describe, expect, it } from 'vitest';
import { check } from '../../../src/check/check.ts';
import { machine } from '../../machines.ts';
import { fromStart, living, more, names, nic, said, seen, sentences, without, words } from './lives.ts';

describe('what no policy names any more', () => {
  it('stays where the host has come to need it, whatever an earlier plan found it at', () =>
    living(
      (life) => {
        const before = seen(life);
        sentences(life, `${names} policy d { bind a to nvme bind b to i40e }`);
        const { blockDevices, netdevs, routes } = machine({
          disks: [{ name: 'nvme0n1', on: '03:00.0', parts: [{ name: 'nvme0n1p1', mounts: ['/'] }] }],
          nics: [{ name: 'eno1', on: '04:00.0' }],
          routes: { default: 'eno1' },
        });
        life.since = { blockDevices, netdevs, routes };
        expect(said(life, 'policy d {}')).toEqual([
          'VP3138 0000:03:00.0 is named by no policy any more and stays as it is: the host needs it: nvme0n1 is a disk of 0000:03:00.0; nvme0n1p1 is a partition of nvme0n1; nvme0n1p1 is mounted at /',
          'VP3138 0000:04:00.0 is named by no policy any more and stays as it is: the host needs it: eno1 is a network device of 0000:04:00.0; eno1 carries the default route',
        ]);
        expect(sentences(life, 'policy d {}')).toEqual([]);
        life.since = { blockDevices: { unknown: 'not told' } };
        expect(said(life, 'policy d {}')[0]).toContain('nobody tells whether the host needs it: not told');
        life.since = {};
        sentences(life, 'policy d {}');
        expect(seen(life)).toEqual(before);
      },
      {
        ...words,
        functions: [
          { id: '144d:a808', class: 'nvme', at: '03:00.0', ...fromStart, drivers: ['nvme'] },
          { ...nic, at: '04:00.0', ...fromStart },
        ],
        replace: {
          drivers: ['i40e', 'nvme', 'vfio-pci'],
          vfioDevices: [
            { index: 0, function: '0000:03:00.0' },
            { index: 1, function: '0000:04:00.0' },
          ],
        },
      },
    ));

  it('is not taken from its driver while virtual functions of it stay', () =>
    living((life) => {
      life.write('/sys/bus/pci/drivers/i40e/unbind', '0000:06:00.0');
      const given = 'bind vfs to vfio-pci allow user dpdk to use vfs via group';
      sentences(life, `${more} policy d { bind p to i40e create 2 virtual functions on p ${given} }`);
      const stays =
        'VP3138 0000:06:00.0 is named by no policy any more and stays as it is: its virtual functions stay, and go with its driver';
      expect(said(life, `${more} policy d { ${given} }`)).toContain(stays);
      expect(sentences(life, `${more} policy d { ${given} }`)).toEqual([]);
      expect(sentences(life, 'policy d {}')).toContain(
        'unbind 0000:06:00.0 from i40e, as before generation 1',
      );
    }));

  it('are virtual functions, before their physical one is bound elsewhere', () =>
    living((life) => {
      sentences(life, `${more} policy d { create 2 virtual functions on p bind vfs to vfio-pci }`);
      expect(sentences(life, `${more} policy d { bind p to vfio-pci }`).slice(-5)).toEqual([
        'take the virtual functions of 0000:06:00.0 (p) away, as before generation 1',
        'let drivers take virtual functions of 0000:06:00.0 (p) by themselves again, as before generation 1',
        'unbind 0000:06:00.0 (p) from i40e',
        'let only vfio-pci bind 0000:06:00.0 (p)',
        'bind 0000:06:00.0 (p) to vfio-pci',
      ]);
      sentences(life, 'policy d {}');
      const { driver, sriov } = life.read().functions.find(({ address }) => address === '0000:06:00.0') ?? {};
      expect({ driver, sriov }).toMatchObject({ driver: 'i40e', sriov: { numVfs: 0 } });
    }));

  it('stays where what it holds, or what shares its group does, is protected', () =>
    living((life) => {
      sentences(life, 'device one { at 0000:05:00.0 } policy d { bind one to none }');
      const { blockDevices } = machine({ disks: [{ name: 'sda', on: '05:00.1', mounts: ['/'] }] });
      life.since = { blockDevices };
      const text = 'policy d { protect devices that hold root }';
      expect(said(life, text)).toEqual([
        'VP3138 0000:05:00.0 is named by no policy any more and stays as it is: it, or what shares its group, is protected',
      ]);
      expect(sentences(life, text)).toEqual([]);
    }));

  it('leaves nobody the node of what is protected, who is allowed it no more', () =>
    living((life) => {
      sentences(life, `${names} policy d { bind a to vfio-pci allow user dpdk to use a via iommufd }`);
      expect(sentences(life, 'device a { at 0000:03:00.0 } policy d { protect a }')).toEqual([
        'give /dev/iommu to 0:0 with mode 0660, as before generation 1',
        'give /dev/vfio/devices/vfio0 to 0:0 with mode 0600, as before generation 1',
      ]);
    }));

  it('goes back though an `allow` names it, which is said as on a fresh machine', () =>
    living((life) => {
      const allow = `device a { at 0000:03:00.0 } policy d { allow user dpdk to use a via group }`;
      const fresh = said(life, allow);
      expect(fresh.map((each) => each.slice(0, 6))).toEqual(['VP3109']);
      sentences(life, `${names} policy d { bind a to vfio-pci }`);
      expect(said(life, allow)).toEqual(fresh);
    }));

  it('goes back to no-IOMMU mode only as long as that is permitted', () =>
    living(
      (life) => {
        const host = (until: string) =>
          `host testbox { noiommu allowed { owner "n" reason "r" until ${until} } } ${names}`;
        life.write('/sys/bus/pci/drivers/i40e/unbind', '0000:03:00.0');
        life.write('/sys/module/vfio/parameters/enable_unsafe_noiommu_mode', 'Y');
        life.write('/sys/bus/pci/devices/0000:03:00.0/driver_override', 'vfio-pci');
        life.write('/sys/bus/pci/drivers/vfio-pci/bind', '0000:03:00.0');
        sentences(life, `${host('2027-03-01')} policy d { bind a to i40e }`);
        const ended = `${host('2026-01-01')} policy d {}`;
        expect(said(life, ended)).toContain(
          'VP3138 0000:03:00.0 is named by no policy any more and stays as it is: it has no IOMMU group, and nothing permits no-IOMMU mode',
        );
        expect(sentences(life, ended)).toEqual(['set vfio.enable_unsafe_noiommu_mode to N']);
        expect(sentences(life, `${host('2027-03-01')} policy d {}`)).toContain(
          'bind 0000:03:00.0 to vfio-pci, as before generation 1',
        );
      },
      { ...without, replace: { vfioDevices: [] } },
    ));

  it('can be named where the way back is closed, as its driver is not there any more', () => {
    const path = '/sys/bus/pci/devices/0000:03:00.0/driver';
    const told = { identity: '8086:1572', generation: 1, earlierBoot: true };
    const snapshot = machine({
      functions: [{ ...nic, at: '03:00.0', ...fromStart }],
      replace: { established: [{ path, found: 'gone', left: 'vfio-pci', ...told }] },
    });
    const judged = (text: string) =>
      check({
        sources: [{ file: 'policy.vfio', text }],
        machines: [{ name: 'testbox', snapshot }],
        today: '2026-11-22',
      }).diagnostics;
    const [refused] = judged('policy d {}');
    expect(refused?.code).toBe('VP4199');
    expect(refused?.cures.at(-1)).toBe(
      'or name 0000:03:00.0 in a policy, which then says what it shall be, so that it is not put back',
    );
    expect(judged('device a { at 0000:03:00.0 } policy d { bind a to vfio-pci }')).toEqual([]);
  });

  it('are modules that something else keeps loaded, which would refuse to go', () =>
    living((life) => {
      sentences(life, `${names} policy d { bind a to vfio-pci }`);
      const snapshot = life.read();
      const steps = (vfio: { readonly holders: string[]; readonly references: number }) => {
        const modules = { ...snapshot.modules, vfio: { parameters: {}, ...vfio } };
        const machines = [{ name: 'testbox', snapshot: { ...snapshot, modules } }];
        const { hosts } = check({
          sources: [{ file: 'policy.vfio', text: 'policy d {}' }],
          machines,
          today: '2026-11-22',
        });
        return hosts[0]?.checked?.script.steps.map(({ op }) => op.op);
      };
      const back = ['driver.unbind', 'override.write', 'driver.bind'];
      const own = ['vfio_iommu_type1', 'vfio_pci_core'];
      expect(steps({ holders: own, references: 2 })).toEqual([...back, 'module.unload']);
      expect(steps({ holders: [...own, 'kvmgt'], references: 3 })).toEqual(back);
      expect(steps({ holders: own, references: 4 })).toEqual(back);
    }));

  it('is asked for whoever has it open, by its group or by its own node', () =>
    living((life) => {
      sentences(life, `${names} policy d { bind a to vfio-pci }`);
      const asked: (readonly string[])[] = [];
      const holders = (_: string, nodes: readonly string[]) => {
        asked.push(nodes);
        return ['qemu-system-x86 (process 4711)'];
      };
      const { ending } = life.apply('policy d {}', { time: '', bootId: life.boot, holders });
      expect(ending).toMatchObject({ verdict: 'rolled back', diagnostics: [{ code: 'VP6008' }] });
      expect(asked).toEqual([['/dev/vfio/3', '/dev/vfio/devices/vfio0']]);
    }));
});
