import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fcntl } from '../../../runtime/abi/fcntl.ts';
import { type MachineWords, machine } from '../../machines.ts';
import { seed } from '../../seed.ts';
import { Life } from './life.ts';

const nic = { id: '8086:1572', class: 'nic', driver: 'i40e', drivers: ['i40e'] } as const;
const parent = { totalVfs: 4, numVfs: 0, routing: { offset: 16, stride: 2, device: '154c' } };

/** Two cards alone, two in one group, and one with virtual functions; nothing of VFIO is loaded. */
const words: MachineWords = {
  functions: [
    { ...nic, at: '03:00.0', group: 3 },
    { ...nic, at: '04:00.0', group: 4 },
    { ...nic, at: '05:00.0', group: 5 },
    { ...nic, at: '05:00.1', group: 5 },
    { ...nic, at: '06:00.0', group: 6, sriov: parent },
  ],
  users: [
    { name: 'dpdk', uid: 1000 },
    { name: 'spdk', uid: 1001 },
  ],
  replace: { modules: {}, nodes: [], drivers: ['i40e'], vfioDevices: [] },
};
const fromStart = { driver: 'vfio-pci', driverOverride: 'vfio-pci' };
const without: MachineWords = {
  ...words,
  iommu: 'none',
  functions: [
    { ...nic, at: '03:00.0' },
    { ...nic, at: '04:00.0' },
  ],
};

const names = `
device a { at 0000:03:00.0 }
device b { at 0000:04:00.0 }
`;
const more = `
${names}
devices pair { at 0000:05:00.0 or at 0000:05:00.1 }
device p { at 0000:06:00.0 }
devices vfs { virtual functions 0..1 of p }
`;

async function living(use: (life: Life) => void | Promise<void>, of: MachineWords = words): Promise<void> {
  const life = await Life.begin(machine(of));
  try {
    await use(life);
  } finally {
    life.end();
  }
}

function sentences(life: Life, text: string): readonly string[] {
  const { plan, ending } = life.apply(text);
  expect(ending.diagnostics).toEqual([]);
  expect(ending.verdict).toBe('done');
  return plan.steps.map(({ sentence }) => sentence);
}

/** What `check` says of it. */
function said(life: Life, text: string): readonly string[] {
  return life.judge(text).diagnostics.map(({ code, message }) => `${code} ${message}`);
}

/** What a machine shows that plans change; a node whose number the kernel hands out by its function. */
function seen(life: Life): object {
  const { functions, modules, nodes, drivers, vfioDevices } = life.read();
  const owners = new Map([
    ...functions.map(({ address, iommuGroup }) => [`/dev/vfio/noiommu-${iommuGroup}`, address] as const),
    ...(Array.isArray(vfioDevices)
      ? vfioDevices.map((each) => [`/dev/vfio/devices/vfio${each.index}`, each.function] as const)
      : []),
  ]);
  return {
    functions: functions.map(({ address, driver, driverOverride, sriov }) => ({
      ...{ address, driver, driverOverride },
      virtual: sriov !== null && 'numVfs' in sriov ? sriov.numVfs : 0,
    })),
    ...{ modules, drivers },
    nodes: Array.isArray(nodes)
      ? nodes
          .map((node) => ({ ...node, path: owners.get(node.path) ?? node.path }))
          .sort((a, b) => (a.path < b.path ? -1 : 1))
      : nodes,
  };
}

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
});

const withIommu = [
  'bind a to vfio-pci',
  'bind a to none',
  'bind a to i40e',
  'bind a to vfio-pci allow user spdk to use a via iommufd',
  'bind b to vfio-pci allow user dpdk to use b via group',
  'bind b to vfio-pci allow user spdk to use b via group',
  'bind b to vfio-pci allow user dpdk to use b via iommufd',
  'bind pair to vfio-pci',
  'bind pair to none',
  'bind pair to vfio-pci allow user dpdk to use pair via group',
  'create 2 virtual functions on p',
  'create 2 virtual functions on p bind vfs to vfio-pci allow user dpdk to use vfs via group',
];
const withoutIommu = ['a', 'b'].flatMap((name) => [
  `bind ${name} to vfio-pci`,
  `bind ${name} to none`,
  `bind ${name} to i40e`,
  `bind ${name} to vfio-pci allow user dpdk with CAP_SYS_RAWIO to use ${name} via noiommu`,
  `bind ${name} to vfio-pci allow user spdk with CAP_SYS_RAWIO to use ${name} via noiommu`,
]);
const permitted = `host testbox { noiommu allowed { owner "n" reason "r" until 2027-03-01 } } ${names}`;

/** What is said before, and one statement of each subject at most. */
function policiesOf(said: string, statements: readonly string[]): fc.Arbitrary<string> {
  return fc.shuffledSubarray([...statements]).map((chosen) => {
    const [subjects, kept] = [new Set<string>(), [] as string[]];
    for (const statement of chosen) {
      const subject = statement.split(' ').find((word) => ['a', 'b', 'pair', 'p'].includes(word)) ?? '';
      if (!subjects.has(subject)) kept.push(statement);
      subjects.add(subject);
    }
    return `${said} policy d { ${kept.join(' ')} }`;
  });
}

describe.each([
  ['with an IOMMU', words, more, withIommu],
  ['without an IOMMU', without, permitted, withoutIommu],
] as const)('whatever policies come after one another, %s', (_, of, said, statements) => {
  it('the last one alone says what is, and none leads back to the beginning', async () => {
    const fresh = new Map<string, object>();
    const alone = async (text: string): Promise<object> => {
      const known = fresh.get(text);
      if (known !== undefined) return known;
      let shown: object = {};
      await living((life) => {
        sentences(life, text);
        shown = seen(life);
      }, of);
      fresh.set(text, shown);
      return shown;
    };
    const sequences = fc.array(policiesOf(said, statements), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(sequences, (sequence) =>
        living(async (life) => {
          const before = seen(life);
          for (const text of sequence) {
            sentences(life, text);
            expect(sentences(life, text)).toEqual([]);
            expect(seen(life)).toEqual(await alone(text));
          }
          const last = seen(life);
          if (sentences(life, `${said} policy d {}`).length > 0) {
            expect(seen(life)).toEqual(before);
            expect(life.revert()).toMatchObject({ verdict: 'reverted', diagnostics: [] });
          }
          expect(seen(life)).toEqual(last);
        }, of),
      ),
      { numRuns: 6, seed },
    );
  });
});
