import { describe, expect, it } from 'vitest';
import { fcntl } from '../../../runtime/abi/fcntl.ts';
import { recover, revert } from '../../../runtime/execute/revert.ts';
import type { Life } from './life.ts';
import { living, more, names, seen, sentences, without } from './lives.ts';

function nodeOf(life: Life, address: string): string | null {
  const { vfioDevices } = life.read();
  const index = Array.isArray(vfioDevices)
    ? vfioDevices.find((each) => each.function === address)?.index
    : null;
  return index === undefined ? null : `/dev/vfio/devices/vfio${index}`;
}

describe('what no policy names any more', () => {
  it('goes back as it was found, and what stays named is not touched', () =>
    living((life) => {
      const both = `policy d { bind a to vfio-pci bind b to vfio-pci allow user dpdk to use b via group }`;
      sentences(life, names + both);
      expect(sentences(life, `${names} policy d { bind a to vfio-pci }`)).toEqual([
        'take /dev/vfio/4 back (0:0, mode 0600), as before generation 1',
        'unbind 0000:04:00.0 from vfio-pci, as before generation 1',
        'let any matching driver bind 0000:04:00.0 again, as before generation 1',
        'bind 0000:04:00.0 to i40e, as before generation 1',
      ]);
      expect(life.revert().verdict).toBe('reverted');
      expect(life.shows(['/sys/bus/pci/devices/0000:04:00.0/driver', '/dev/vfio/4'])).toEqual({
        '/sys/bus/pci/devices/0000:04:00.0/driver': 'vfio-pci',
        '/dev/vfio/4': '600 1000:0',
      });
    }));

  it('is an override that named another driver than the one that was bound', () =>
    living((life) => {
      life.write('/sys/bus/pci/devices/0000:03:00.0/driver_override', 'vfio-pci');
      const before = seen(life);
      sentences(life, `${names} policy d { bind a to vfio-pci }`);
      sentences(life, `${names} policy d { bind a to none }`);
      expect(sentences(life, 'policy d {}').slice(0, 3)).toEqual([
        'let only i40e bind 0000:03:00.0, as before generation 2',
        'bind 0000:03:00.0 to i40e, as before generation 2',
        'let only vfio-pci bind 0000:03:00.0, as before generation 2',
      ]);
      expect(seen(life)).toEqual(before);
    }));

  it('is no override that a plan wrote for the way back alone: it goes with the unbind', () =>
    living((life) => {
      life.write('/sys/bus/pci/devices/0000:03:00.0/driver_override', 'vfio-pci');
      const text = `${names} policy d { bind a to none }`;
      expect(sentences(life, text)).toEqual([
        'let only i40e bind 0000:03:00.0 (a)',
        'unbind 0000:03:00.0 (a) from i40e',
        'let only vfio-pci bind 0000:03:00.0 (a)',
      ]);
      expect(sentences(life, text)).toEqual([]);
    }));

  it('is a node, too: who is no longer allowed loses it, though the function stays bound', () =>
    living((life) => {
      const bound = `${names} policy d { bind a to vfio-pci`;
      sentences(life, `${bound} allow user dpdk to use a via group }`);
      expect(sentences(life, `${bound} }`)).toEqual([
        'give /dev/vfio/3 to 0:0 with mode 0600, as before generation 1',
      ]);
      expect(sentences(life, `${bound} allow user spdk to use a via group }`)).toHaveLength(1);
      expect(sentences(life, `${bound} }`)).toEqual([
        'give /dev/vfio/3 to 0:0 with mode 0600, as before generation 3',
      ]);
    }));

  it('is no-IOMMU mode, once nothing uses it, and the modules that were loaded', () =>
    living((life) => {
      const before = seen(life);
      const host = `host testbox { noiommu allowed { owner "n" reason "r" until 2027-03-01 } } ${names}`;
      sentences(life, `${host} policy d { bind a to vfio-pci bind b to vfio-pci }`);
      expect(sentences(life, `${host} policy d { bind a to vfio-pci }`).at(-1)).toBe(
        'bind 0000:04:00.0 to i40e, as before generation 1',
      );
      expect(sentences(life, `${host} policy d {}`).slice(-2)).toEqual([
        'set vfio.enable_unsafe_noiommu_mode to N, as before generation 1',
        'unload kernel modules vfio_pci, vfio_iommu_type1, vfio_pci_core, vfio, iommufd, as before generation 1',
      ]);
      expect(seen(life)).toEqual(before);
    }, without));

  it('stays loaded, and everything as it is, while somebody has a file of its open', () =>
    living((life) => {
      sentences(life, `${names} policy d { bind a to vfio-pci }`);
      const before = seen(life);
      const container = life.kernel.open('/dev/vfio/vfio', fcntl.O_RDWR);
      const { ending } = life.apply('policy d {}');
      expect(ending).toMatchObject({ verdict: 'rolled back', diagnostics: [{ code: 'VP6005' }] });
      expect(ending.diagnostics[0]?.cures.join()).toContain('fuser');
      expect(seen(life)).toEqual(before);
      life.kernel.close(container);
      expect(sentences(life, 'policy d {}')).not.toEqual([]);
    }));

  it('are virtual functions, unless somebody else has one of them by now', () =>
    living((life) => {
      const made = `policy d { create 2 virtual functions on p bind vfs to vfio-pci }`;
      sentences(life, more + made);
      const virtual = life.read().functions.filter(({ physicalFunction }) => physicalFunction !== null);
      expect(virtual.map(({ driver }) => driver)).toEqual(['vfio-pci', 'vfio-pci']);
      expect(sentences(life, `${more} policy d {}`)).toContain(
        'take the virtual functions of 0000:06:00.0 away, as before generation 1',
      );
      expect(seen(life)).toMatchObject({ drivers: ['i40e'] });
      sentences(life, `${more} policy d { create 2 virtual functions on p }`);
      const [first] = life.read().functions.filter(({ physicalFunction }) => physicalFunction !== null);
      life.write(`/sys/bus/pci/devices/${first?.address}/driver_override`, 'i40e');
      life.write('/sys/bus/pci/drivers/i40e/bind', `${first?.address}`);
      const { diagnostics } = life.judge('policy d {}');
      expect(diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([
        `VP3138 0000:06:00.0 is named by no policy any more and stays as it is: somebody else gave a driver to ${first?.address}`,
      ]);
      expect(sentences(life, 'policy d {}')).toEqual([]);
    }));

  it('stays as it is where somebody else has changed it since, and where it is protected', () =>
    living((life) => {
      sentences(life, `${names} policy d { bind a to vfio-pci bind b to vfio-pci }`);
      life.write('/sys/bus/pci/drivers/vfio-pci/unbind', '0000:03:00.0');
      const text = 'device b { at 0000:04:00.0 } policy d { protect b }';
      const { diagnostics } = life.judge(text);
      expect(diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([
        'VP3138 0000:03:00.0 is named by no policy any more and stays as it is: it shows neither what the plan left nor what it found',
        'VP3138 0000:04:00.0 is named by no policy any more and stays as it is: it, or what shares its group, is protected',
      ]);
      expect(sentences(life, text)).toEqual([]);
    }));

  it('would make the group of what stays unviable, which is said before', () =>
    living((life) => {
      const pair = 'devices pair { at 0000:05:00.0 or at 0000:05:00.1 }';
      const one = 'device one { at 0000:05:00.0 }';
      const may = 'to vfio-pci allow user dpdk to use';
      sentences(life, `${pair} policy d { bind pair ${may} pair via group }`);
      const { diagnostics } = life.judge(`${one} policy d { bind one ${may} one via group }`);
      expect(diagnostics.map(({ code, causes }) => [code, causes])).toEqual([
        ['VP4101', ['0000:05:00.1, network.ethernet, goes back to i40e, which does DMA for the host']],
      ]);
    }));

  it('is not known while a generation is unfinished', () =>
    living((life) => {
      const options = { time: '', bootId: life.boot, confirmWithin: 60 };
      life.apply(`${names} policy d { bind a to vfio-pci }`, options);
      const { hosts } = life.judge('policy d {}');
      expect(hosts[0]?.checked?.script.preconditions).toEqual([
        {
          fact: '/established',
          sentence: 'it is known what earlier plans have established',
          unknown: 'it is not finished',
          why: [],
        },
      ]);
    }));

  it('is known again once a revert is finished, though a later generation was rolled back', () =>
    living((life) => {
      const options = { time: '', bootId: life.boot };
      sentences(life, `${names} policy d { bind a to vfio-pci }`);
      life.apply(`${names} policy d { bind a to vfio-pci bind b to vfio-pci }`, {
        ...options,
        confirmWithin: 60,
      });
      expect(recover(life.kernel, life.store, options)).toMatchObject({
        verdict: 'rolled back',
        generation: 2,
      });
      const held = revert(life.kernel, life.store, { ...options, holders: () => ['qemu (process 4711)'] });
      expect(held).toMatchObject({ verdict: 'incomplete', generation: 1 });
      expect(life.read().established).toEqual({ unknown: 'it is not finished' });
      expect(recover(life.kernel, life.store, options)).toMatchObject({ verdict: 'reverted', generation: 1 });
      expect(life.read().established).toEqual([]);
    }));
});

describe('taking back what was put back', () => {
  it('gives each node to whom its function was given, whatever number it comes back with', () =>
    living((life) => {
      const given = 'allow user dpdk to use a via iommufd allow user spdk to use b via iommufd';
      sentences(life, `${names} policy d { bind a to vfio-pci bind b to vfio-pci ${given} }`);
      const before = seen(life);
      expect(nodeOf(life, '0000:03:00.0')).toBe('/dev/vfio/devices/vfio0');
      sentences(life, 'policy d {}');
      expect(life.revert()).toMatchObject({ verdict: 'reverted', diagnostics: [] });
      // The last that went was the first that came back.
      expect(nodeOf(life, '0000:03:00.0')).toBe('/dev/vfio/devices/vfio1');
      expect(seen(life)).toEqual(before);
    }));

  it('does so without an IOMMU, too, where each has a group of its own', () =>
    living((life) => {
      const host = `host testbox { noiommu allowed { owner "n" reason "r" until 2027-03-01 } } ${names}`;
      const before = seen(life);
      const [first, second] = [
        'allow user dpdk with CAP_SYS_RAWIO to use a via noiommu',
        'allow user spdk with CAP_SYS_RAWIO to use b via noiommu',
      ];
      sentences(life, `${host} policy d { bind a to vfio-pci bind b to vfio-pci ${first} ${second} }`);
      const nodes = () => life.shows(['/dev/vfio/noiommu-0', '/dev/vfio/noiommu-1']);
      expect(nodes()).toEqual({ '/dev/vfio/noiommu-0': '600 1000:0', '/dev/vfio/noiommu-1': '600 1001:0' });
      sentences(life, `${host} policy d { bind b to vfio-pci ${second} }`);
      sentences(life, `${host} policy d {}`);
      expect(life.revert()).toMatchObject({ verdict: 'reverted', diagnostics: [] });
      expect(nodes()).toEqual({ '/dev/vfio/noiommu-0': '600 1001:0', '/dev/vfio/noiommu-1': null });
      expect(life.revert()).toMatchObject({ verdict: 'reverted', diagnostics: [] });
      expect(nodes()).toEqual({ '/dev/vfio/noiommu-0': '600 1001:0', '/dev/vfio/noiommu-1': '600 1000:0' });
      // Whoever is no longer allowed loses the node of his function, not the one that had its number.
      const bound = `${host} policy d { bind a to vfio-pci bind b to vfio-pci ${second} }`;
      expect(sentences(life, bound)).toEqual([
        'give /dev/vfio/noiommu-1 to 0:0 with mode 0600, as before generation 1',
      ]);
      expect(life.revert()).toMatchObject({ verdict: 'reverted', diagnostics: [] });
      expect(life.revert()).toMatchObject({ verdict: 'reverted', diagnostics: [] });
      expect(seen(life)).toEqual(before);
    }, without));
});

describe('after another boot', () => {
  it("what shows what a plan left goes back, and what does not is nobody else's doing", () =>
    living((life) => {
      sentences(life, `${names} policy d { bind a to vfio-pci bind b to vfio-pci }`);
      life.boot = 'second boot';
      // A rule of udev has bound the first again; the second came to its own driver, without the override.
      life.write('/sys/bus/pci/drivers/vfio-pci/unbind', '0000:04:00.0');
      life.write('/sys/bus/pci/devices/0000:04:00.0/driver_override', '\n');
      const { diagnostics } = life.judge('policy d {}');
      expect(diagnostics).toEqual([]);
      expect(sentences(life, 'policy d {}')).toEqual([
        'unbind 0000:03:00.0 from vfio-pci, as before generation 1',
        'let any matching driver bind 0000:03:00.0 again, as before generation 1',
        'bind 0000:03:00.0 to i40e, as before generation 1',
      ]);
    }));

  it('what came and was given again is taken back as it came', () =>
    living((life) => {
      const bound = `${names} policy d { bind a to vfio-pci bind b to vfio-pci`;
      sentences(life, `${bound} allow user dpdk to use a via group }`);
      life.boot = 'second boot';
      for (const address of ['0000:03:00.0', '0000:04:00.0']) {
        life.write('/sys/bus/pci/drivers/vfio-pci/unbind', address);
        life.write(`/sys/bus/pci/devices/${address}/driver_override`, '\n');
        life.write('/sys/bus/pci/drivers/i40e/bind', address);
      }
      sentences(life, `${bound} allow user dpdk to use a via group }`);
      expect(sentences(life, `${bound} }`)).toEqual([
        'give /dev/vfio/3 to 0:0 with mode 0600, as before generation 2',
      ]);
    }));

  it('revert leaves alone what others have begun there: a module, and a node with the number of ours', () =>
    living((life) => {
      sentences(life, `${names} policy d { bind a to vfio-pci allow user dpdk to use a via iommufd }`);
      life.boot = 'second boot';
      life.write('/sys/bus/pci/drivers/vfio-pci/unbind', '0000:03:00.0');
      life.write('/sys/bus/pci/devices/0000:03:00.0/driver_override', '\n');
      life.write('/sys/bus/pci/drivers/i40e/bind', '0000:03:00.0');
      life.write('/sys/bus/pci/drivers/i40e/unbind', '0000:04:00.0');
      life.write('/sys/bus/pci/devices/0000:04:00.0/driver_override', 'vfio-pci');
      life.write('/sys/bus/pci/drivers/vfio-pci/bind', '0000:04:00.0');
      expect(life.kernel.chown('/dev/vfio/devices/vfio0', 1001, 0)).toBe(0);
      expect(life.revert()).toMatchObject({ verdict: 'reverted', diagnostics: [] });
      expect(life.shows(['/dev/vfio/devices/vfio0'])).toEqual({ '/dev/vfio/devices/vfio0': '600 1001:0' });
    }));
});
