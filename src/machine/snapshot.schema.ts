import { z } from 'zod';

/**
 * The one definition of a machine snapshot: its TypeScript type, its JSON Schema and its validator all come from here
 * (`npm run generate`). zod itself is never loaded by the product.
 *
 * A fact that could not be learned is `{ "unknown": "why" }`. Unknown is its own value and is never taken for safe.
 */
const unknown = z
  .strictObject({ unknown: z.string().describe('why it is not known') })
  .meta({ id: 'Unknown', description: 'Something that the snapshot could not tell, and why.' });
const fact = <T extends z.ZodType>(type: T) => z.union([type, unknown]);

/** Lower-case hex, as the kernel's pci_name() prints it (arm64 hosts use domains above ffff). */
const address = z
  .string()
  .regex(/^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/)
  .meta({ id: 'Address', description: 'A PCI address as the kernel prints it: `0000:03:00.0`.' });
const hex16 = z.string().regex(/^[0-9a-f]{4}$/);
const name = z.string().min(1).max(255);
const count = z.int().min(0).max(4294967295);

const bar = z
  .strictObject({
    index: z.int().min(0).max(6).describe('0-5 BAR, 6 ROM'),
    start: z.string().regex(/^0x[0-9a-f]{1,16}$/),
    size: z.int().min(0).max(Number.MAX_SAFE_INTEGER).describe('bytes'),
    kind: z.enum(['memory', 'io', 'rom']),
    prefetchable: z.boolean(),
  })
  .meta({ id: 'Bar' });

const pciFunction = z
  .strictObject({
    address,
    vendor: hex16,
    device: hex16,
    subsystemVendor: fact(hex16),
    subsystemDevice: fact(hex16),
    class: z
      .string()
      .regex(/^[0-9a-f]{6}$/)
      .describe('base class, sub class, programming interface'),
    revision: fact(z.string().regex(/^[0-9a-f]{2}$/)),
    label: z.string().exactOptional().describe('vendor and device names, for people only'),
    headerType: fact(z.int().min(0).max(127)).describe('0 endpoint, 1 PCI bridge, 2 CardBus bridge'),
    multifunction: fact(z.boolean())
      .exactOptional()
      .describe('its header says that its device has other functions; not told: it does if there are others'),
    driver: fact(z.union([name, z.null()])).describe('null: no driver is bound'),
    driverOverride: fact(z.union([name, z.null()])).describe('null: no override'),
    drivers: fact(z.array(name)).describe(
      'drivers of this kernel whose id table matches this function; variant drivers of VFIO among them, which match by override only',
    ),
    iommuGroup: fact(z.union([z.int().min(0).max(1048575), z.null()])).describe(
      'null: the function has no IOMMU group',
    ),
    iommuUnit: fact(z.union([name, z.null()]))
      .exactOptional()
      .describe('the unit that it is behind; null: behind none; not told: any of them'),
    slot: fact(z.array(z.string())).describe(
      'device.function of each bridge from the root bus down, then of the function itself; the first element is the root, e.g. pci0000:00',
    ),
    firmwareLabel: fact(z.union([z.string(), z.null()]))
      .exactOptional()
      .describe('the name that the firmware gives it (SMBIOS type 41, ACPI _DSM); null: none'),
    serial: fact(z.union([z.string(), z.null()])).describe(
      'PCIe device serial number, or of the disk or NIC',
    ),
    numaNode: fact(z.int().min(-1).max(4095)).describe('-1: the firmware does not say'),
    resetMethods: fact(z.array(z.enum(['device_specific', 'acpi', 'flr', 'af_flr', 'pm', 'bus', 'cxl_bus']))),
    bars: fact(z.array(bar)),
    capabilities: fact(
      z.strictObject({
        express: z.boolean(),
        msiVectors: z.int().min(0).max(32).describe('0: no MSI capability'),
        msixVectors: z.int().min(0).max(2048).describe('0: no MSI-X capability'),
        msixTable: z
          .strictObject({
            bar: z.int().min(0).max(5),
            offset: z.int().min(0).max(4294967288).describe('bytes from the start of the BAR'),
          })
          .exactOptional()
          .describe('where the MSI-X vectors are; not told: in any BAR'),
        interruptPin: z.int().min(0).max(4).describe('0: no INTx'),
        configSize: z.int().min(64).max(4096).describe('bytes: 256 or 4096'),
      }),
    ),
    sriov: fact(
      z.union([
        z.strictObject({
          totalVfs: z.int().min(0).max(65535),
          numVfs: z.int().min(0).max(65535),
          driversAutoprobe: z
            .boolean()
            .exactOptional()
            .describe('drivers are asked to take its virtual functions when they come; not told: they are'),
          routing: z
            .strictObject({
              offset: z.int().min(0).max(65535),
              stride: z.int().min(0).max(65535),
              device: hex16.describe('device ID of the virtual functions'),
            })
            .exactOptional()
            .describe('where its virtual functions are, enabled or not'),
        }),
        z.null(),
      ]),
    ).describe('null: not a physical function'),
    physicalFunction: fact(z.union([address, z.null()])).describe(
      'the PF of a virtual function; null: not a VF',
    ),
    netdevs: fact(z.array(name)),
    blockDevices: fact(z.array(name)).describe('whole disks below this function: nvme0n1, sda'),
  })
  .meta({ id: 'PciFunction' });

const blockDevice = z
  .strictObject({
    name,
    function: fact(z.union([address, z.null()])).describe(
      'the PCI function it hangs on; null: none (loop, dm, md)',
    ),
    parent: z.union([name, z.null()]).describe('the whole disk of a partition; null: a whole device'),
    mounts: fact(z.array(z.string())).describe('mount points, [] when none'),
    swap: fact(z.boolean()),
    holders: fact(z.array(name)).describe('dm, md and LVM devices stacked on it'),
    signature: fact(z.union([z.string(), z.null()])).describe(
      'file-system, RAID, LVM or partition-table signature; null: none found',
    ),
    serial: fact(z.union([z.string(), z.null()])),
    label: z.string().exactOptional().describe('device-mapper name or model, for people only'),
  })
  .meta({ id: 'BlockDevice' });

const netdev = z
  .strictObject({
    name,
    function: fact(z.union([address, z.null()])).describe('null: a virtual device'),
    mac: fact(z.union([z.string(), z.null()])),
    up: fact(z.boolean()),
    master: fact(z.union([name, z.null()])).describe('bond, bridge or team that it is enslaved to'),
    lower: fact(z.array(name)).describe('devices below a VLAN, macvlan, bond or bridge'),
    addresses: fact(z.array(z.string())).describe('IP addresses with prefix length'),
    kind: z.string().exactOptional().describe('bond, bridge, vlan, macvlan, team …, for people only'),
  })
  .meta({ id: 'Netdev' });

const route = z
  .strictObject({
    destination: z.string().describe('default, or an address with prefix length'),
    netdev: name,
    gateway: z.union([z.string(), z.null()]),
  })
  .meta({ id: 'Route' });

const deviceNode = z
  .strictObject({
    path: z.string().regex(/^\/dev\//),
    uid: count,
    gid: count,
    mode: z.int().min(0).max(0o7777).describe('permission bits'),
  })
  .meta({ id: 'DeviceNode' });

const iommuGroup = z
  .strictObject({
    id: z.int().min(0).max(1048575),
    type: fact(z.string()).describe('DMA, DMA-FQ, identity, unknown …'),
    reserved: fact(
      z.array(
        z.strictObject({
          start: z.string().regex(/^0x[0-9a-f]{1,16}$/),
          end: z.string().regex(/^0x[0-9a-f]{1,16}$/),
          type: z.enum(['direct', 'direct-relaxable', 'reserved', 'msi']),
        }),
      ),
    ),
  })
  .meta({ id: 'IommuGroup' });

const iommuUnit = z
  .strictObject({
    name,
    addressBits: fact(z.int().min(12).max(64)).describe('bits of an I/O address that it translates'),
    pageSizes: fact(z.string().regex(/^0x[0-9a-f]{1,16}$/)).describe(
      'sizes of pages that it has, one bit each',
    ),
    snoopControl: fact(z.boolean()).describe(
      'it can make all DMA coherent with caches, whatever a device asks for: VFIO_DMA_CC_IOMMU',
    ),
    dirtyTracking: fact(z.boolean())
      .exactOptional()
      .describe('it can tell which pages devices wrote to: IOMMU_CAP_DIRTY_TRACKING; not told: it cannot'),
  })
  .meta({ id: 'IommuUnit' });

const configurationPath = z.string().regex(/^\/etc(\/[^/]+)+$/);

const configuration = z
  .strictObject({
    readOnly: fact(z.boolean()).describe('the file system that holds /etc takes no changes'),
    directories: z
      .array(
        z.strictObject({
          path: configurationPath,
          others: z.boolean().describe('something is in it beside what is listed here'),
        }),
      )
      .describe(
        'of /etc, /etc/modprobe.d, modules-load.d, security/limits.d, udev/rules.d and systemd/system, and of the drop-in directories of services, those that are there',
      ),
    files: z
      .array(z.strictObject({ path: configurationPath, text: fact(z.string().max(1048576)) }))
      .describe('those that have the name of a file of vfioplan, whoever wrote them'),
  })
  .meta({ id: 'Configuration' });

const established = z
  .strictObject({
    path: z
      .string()
      .regex(/^\/(sys|dev)(\/[^/]+)+$/)
      .describe('a file, named and shown as in a plan: a driver link, an override, a node'),
    found: z.union([z.string(), z.null()]).describe('what it showed before; null: it was not there'),
    left: z.union([z.string(), z.null()]).describe('what it showed when the plan was done'),
    identity: z
      .union([z.string().regex(/^[0-9a-f]{4}:[0-9a-f]{4}$/), z.null()])
      .describe('vendor and device of the function that it belongs to; null: it belongs to none'),
    of: address
      .exactOptional()
      .describe('of a node that has a number: the function whose node it is, whatever its number is by now'),
    generation: z.int().min(1).max(4294967295).describe('of the journal that tells it last'),
    earlierBoot: z.boolean().describe('the machine was started again since'),
  })
  .meta({ id: 'Established' });

export const snapshotSchema = z.strictObject({
  format: z.literal('vfioplan.snapshot'),
  version: z.literal(1),
  source: z.strictObject({
    kind: z.enum(['live', 'sysroot', 'nixos-facter', 'handmade']),
    note: z.string().exactOptional(),
  }),
  hostname: fact(name),
  architecture: fact(z.string()).describe('as uname -m: x86_64, aarch64'),
  kernel: z.strictObject({
    release: fact(z.string()),
    taint: fact(z.int().min(0).max(Number.MAX_SAFE_INTEGER)),
    lockdown: fact(z.enum(['none', 'integrity', 'confidentiality'])),
    commandLine: fact(z.array(z.string())),
    options: z
      .strictObject({
        VFIO: fact(z.enum(['y', 'm', 'n'])),
        VFIO_PCI: fact(z.enum(['y', 'm', 'n'])),
        VFIO_IOMMU_TYPE1: fact(z.enum(['y', 'm', 'n'])),
        VFIO_GROUP: fact(z.enum(['y', 'm', 'n'])),
        VFIO_CONTAINER: fact(z.enum(['y', 'm', 'n'])),
        VFIO_NOIOMMU: fact(z.enum(['y', 'm', 'n'])),
        VFIO_DEVICE_CDEV: fact(z.enum(['y', 'm', 'n'])),
        IOMMUFD: fact(z.enum(['y', 'm', 'n'])),
        IRQ_BYPASS_MANAGER: fact(z.enum(['y', 'm', 'n']))
          .exactOptional()
          .describe('module irqbypass, which vfio_pci_core needs; not told: it is loaded and left loaded'),
        TRANSPARENT_HUGEPAGE: fact(z.enum(['y', 'm', 'n']))
          .exactOptional()
          .describe('how iommufd aligns addresses that it chooses; not told: it is there'),
        PM: fact(z.enum(['y', 'm', 'n']))
          .exactOptional()
          .describe('whether devices that nobody uses are suspended; not told: they are'),
        IOMMUFD_NOIOMMU: fact(z.enum(['y', 'm', 'n']))
          .exactOptional()
          .describe('device cdevs without an IOMMU (series of 2026); not told: a kernel without it'),
      })
      .describe('build options; n: not set or not of this version'),
  }),
  iommu: z.strictObject({
    units: fact(z.array(z.string())).describe('names under /sys/class/iommu; []: no IOMMU is active'),
    translation: fact(z.array(iommuUnit))
      .exactOptional()
      .describe('what each unit can do; not told: the least that a unit can'),
    interruptRemapping: fact(z.boolean()).describe(
      'isolated MSI: SET_IOMMU works without allow_unsafe_interrupts',
    ),
    coherent: fact(z.boolean())
      .exactOptional()
      .describe('DMA is coherent with the caches; not told: on x86 it is, elsewhere nobody knows'),
    groups: fact(z.array(iommuGroup)),
  }),
  modules: fact(
    z.record(
      name,
      z.strictObject({
        parameters: z.record(name, fact(z.string())).describe('text as read, without the final newline'),
        holders: fact(z.array(name))
          .exactOptional()
          .describe('loaded modules that need it; not told: it is built in, or the kernel unloads none'),
        references: fact(count).exactOptional().describe('what keeps it loaded: holders, and open files'),
      }),
    ),
  ).describe('modules present under /sys/module'),
  drivers: fact(z.array(name)).describe('names under /sys/bus/pci/drivers'),
  functions: z.array(pciFunction).max(65536),
  blockDevices: fact(z.array(blockDevice)),
  netdevs: fact(z.array(netdev)),
  routes: fact(z.array(route)),
  managementPeers: fact(z.array(z.string())).describe('addresses of established SSH sessions: the way in'),
  users: fact(
    z.array(
      z.strictObject({
        name,
        uid: count,
        gid: count,
        groups: z.array(name),
        capabilities: fact(z.array(z.string())).describe(
          'ambient capabilities at login, e.g. CAP_SYS_RAWIO; root has all',
        ),
      }),
    ),
  ),
  userGroups: fact(z.array(z.strictObject({ name, gid: count }))),
  nodes: fact(z.array(deviceNode)).describe('/dev/vfio, /dev/iommu and /dev/kvm'),
  vfioDevices: fact(
    z.array(
      z.strictObject({
        index: z.int().min(0).max(1048575).describe('X of vfioX'),
        function: z.union([address, z.null()]).describe('null: no PCI function (a mediated device)'),
      }),
    ),
  )
    .exactOptional()
    .describe('/sys/class/vfio-dev; not told: no plan foretells which vfioX a function gets'),
  configuration: fact(configuration)
    .exactOptional()
    .describe('files by which a policy lasts; not told: nobody knows what stands in their places'),
  established: fact(z.array(established))
    .exactOptional()
    .describe(
      'what plans of vfioplan that are in effect have changed on the running machine, from their journals; not told: nothing is put back',
    ),
});
