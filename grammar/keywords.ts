/**
 * The words of the language, each declared once, with what it means: the only list of keywords. `tokens.ts` makes the
 * tokens of them.
 */

/**
 * The kinds of block that a keyword can begin a statement in; `file` is the top level, `actor` what somebody does in a
 * test, and `expectation` what follows `expect`.
 */
export type Context = 'file' | 'host' | 'permission' | 'device' | 'policy' | 'test' | 'actor' | 'expectation';

export interface Keyword {
  readonly meaning: string;
  /** The blocks in which it begins a statement. */
  readonly begins?: readonly Context[];
  /** For a device's property: what must follow it, for messages. */
  readonly takes?: string;
  /** Joins the parts of a statement, and so cannot be a name without quotes. */
  readonly joins?: true;
  /** Joins too, but can be a name all the same. */
  readonly connects?: true;
}

export const keywords = {
  import: { begins: ['file'], meaning: 'reads another policy file' },
  host: { begins: ['file'], meaning: 'says what is known, expected or permitted about a machine' },
  device: { begins: ['file', 'device'], meaning: 'names one function of a machine; exactly one must match' },
  devices: { begins: ['file'], joins: true, meaning: 'names a set of functions of a machine' },
  policy: { begins: ['file'], meaning: 'says what shall be, who may, and what must never be' },
  test: { begins: ['file'], meaning: 'what is done on a simulated machine, and what must hold then' },

  snapshot: { begins: ['host'], meaning: 'the file that holds what was read from the machine' },
  iommu: { begins: ['host'], meaning: 'whether the machine has an IOMMU: required, absent or any' },
  kernel: {
    begins: ['host', 'expectation'],
    meaning: 'which Linux versions the machine may run; in a test, whether it is tainted',
  },
  label: {
    begins: ['host', 'device'],
    takes: "the firmware's name for it",
    meaning: 'in a host, a property for policies to ask; in a device, the name that the firmware gives it',
  },
  noiommu: { begins: ['host'], meaning: 'VFIO without an IOMMU: no isolation, and the kernel is tainted' },
  owner: { begins: ['permission'], meaning: 'who answers for the permission' },
  reason: { begins: ['permission'], meaning: 'why the permission is given' },
  until: { begins: ['permission'], meaning: 'the last day on which the permission holds' },
  allowed: { meaning: 'no-IOMMU mode may be used on this host' },
  forbidden: { meaning: 'no-IOMMU mode may never be used on this host' },
  required: { meaning: 'the host must have an IOMMU' },
  absent: { meaning: 'the host has no IOMMU; in a test, there is no such file' },

  at: { begins: ['device'], takes: 'a PCI address', meaning: 'the PCI address' },
  id: { begins: ['device'], takes: 'vendor:device', meaning: 'the vendor and device id' },
  subsystem: { begins: ['device'], takes: 'vendor:device', meaning: 'the subsystem vendor and device id' },
  class: { begins: ['device'], takes: 'a class', meaning: 'the PCI class, by name or number' },
  driver: { begins: ['device'], takes: "a driver's name", meaning: 'the driver bound now' },
  netdev: {
    begins: ['device'],
    takes: "a network interface's name",
    meaning: 'the network interface it carries',
  },
  block: { begins: ['device'], takes: "a block device's name", meaning: 'the block device it carries' },
  slot: { begins: ['device'], takes: 'a slot', meaning: 'the physical slot' },
  serial: { begins: ['device'], takes: 'a serial number', meaning: 'the device serial number' },
  mac: { begins: ['device'], takes: 'a MAC address', meaning: 'the MAC address of its network interface' },
  numa: { begins: ['device'], takes: 'a NUMA node', meaning: 'the NUMA node that it is attached to' },
  holding: {
    begins: ['device'],
    meaning: 'what the host uses it for: root, boot, swap, management, …, or any',
  },
  not: { begins: ['device'], joins: true, meaning: 'the functions that do not match' },
  except: { begins: ['device'], joins: true, meaning: 'takes functions out of the set again' },
  count: { begins: ['device'], meaning: 'how many functions must match' },
  virtual: { begins: ['device'], meaning: 'virtual functions of a physical one' },
  in: { begins: ['device'], meaning: 'the other functions of its IOMMU group' },
  dma: { begins: ['device'], meaning: 'a claim that the device does no DMA, with its reason' },

  bind: { begins: ['policy'], meaning: 'which driver the device shall have' },
  allow: { begins: ['policy'], meaning: 'who may use the device' },
  forbid: { begins: ['policy'], meaning: 'what must never be; it beats every `allow`' },
  protect: { begins: ['policy'], meaning: 'devices, with their group siblings, that no plan may touch' },
  require: { begins: ['policy'], meaning: 'what must hold in every state the plan passes through' },
  create: { begins: ['policy'], meaning: 'how many virtual functions a physical one shall have' },
  limit: { begins: ['policy'], meaning: 'how much memory a principal may lock, for DMA above all' },
  persist: { begins: ['policy'], meaning: 'what of the policy holds again after the next boot' },
  confirm: { begins: ['policy'], meaning: 'what a plan changes is taken back unless somebody confirms it' },

  apply: { begins: ['test', 'expectation'], meaning: 'carries policies out on the simulated machine' },
  as: { begins: ['test'], meaning: 'what somebody does' },
  expect: { begins: ['test'], meaning: 'what must hold now' },
  machine: { begins: ['expectation'], meaning: 'everything that the machine shows' },
  file: { begins: ['expectation'], connects: true, meaning: 'a configuration file that plans write' },
  open: { begins: ['actor'], meaning: "opens the device's node" },
  map: { begins: ['actor'], meaning: 'maps memory of the process for DMA' },

  on: { joins: true, meaning: 'the host, or the hosts, that it is about' },
  or: { joins: true, meaning: 'either of two properties' },
  to: { joins: true, meaning: 'the driver, or what is permitted' },
  with: { joins: true, meaning: 'what comes along: the group, or capabilities; in a test, what a file says' },
  via: { joins: true, meaning: 'the way: group, iommufd, noiommu or any' },
  any: { joins: true, meaning: 'every one; for a way, the safest that works' },
  unless: { joins: true, meaning: 'the hosts on which the statement does not hold' },
  anyone: { joins: true, meaning: 'every principal' },
  functions: { connects: true, meaning: 'virtual functions of a physical one' },
  of: { connects: true, meaning: 'the physical function that they belong to' },
  use: { begins: ['actor'], connects: true, meaning: 'open the device and drive it' },
  its: { connects: true, meaning: 'the IOMMU group of the device' },
  locked: { connects: true, meaning: 'memory that stays where it is, as DMA needs it' },
  memory: { connects: true, meaning: 'memory that stays where it is, as DMA needs it' },
  across: { connects: true, meaning: 'after the next boot, too' },
  boots: { connects: true, meaning: 'after the next boot, too' },
  before: { connects: true, meaning: 'early in the boot, before other drivers come' },
  drivers: { connects: true, meaning: 'early in the boot, before other drivers come' },
  within: { connects: true, meaning: 'how long a plan waits to be confirmed' },
  by: { connects: true, meaning: 'the ways to reset it' },
  bound: { connects: true, meaning: 'the driver that it has' },
  when: { connects: true, meaning: 'what goes wrong while a plan is carried out' },
  step: { connects: true, meaning: 'a step of the plan, by its number' },
  fails: { connects: true, meaning: 'the kernel answers with an errno' },
  confirmed: { connects: true, meaning: 'somebody said in time that it may stay' },
  killed: { connects: true, meaning: 'the process that carries the plan out ends' },
  after: { connects: true, meaning: 'the step that is done last' },
  refused: { connects: true, meaning: 'the check finds this diagnostic' },
  tainted: { connects: true, meaning: 'the kernel says that it cannot be trusted' },
  unchanged: { connects: true, meaning: 'as the snapshot shows it' },
  present: { connects: true, meaning: 'the file is there' },
  line: { connects: true, meaning: 'a whole line of the file' },
  text: { connects: true, meaning: 'a part of what the file says' },
  ok: { meaning: 'the call succeeds' },
  is: { connects: true, meaning: "the label's value" },
  that: { connects: true, meaning: 'devices by what the host uses them for' },
  hold: { connects: true, meaning: 'devices by what the host uses them for' },
  unsafe: { meaning: 'interrupts that the IOMMU does not remap' },
  interrupts: { meaning: 'interrupts that the IOMMU does not remap' },
  isolated: { meaning: 'nothing else that the host uses shares its group' },
  resets: { meaning: 'the ways in which the kernel can reset it; one of those named is enough' },
  never: { meaning: 'what may not be at any time' },

  user: { meaning: 'a user of the machine' },
  group: { meaning: 'a group of users; for a way, the VFIO group with an IOMMU' },
  service: { meaning: 'a systemd service' },
  vm: { meaning: 'a virtual machine' },
  container: { meaning: 'a container' },
  iommufd: { meaning: 'the device node /dev/vfio/devices/vfioN with an iommufd' },
  vfio: { meaning: 'the best VFIO driver for the device' },
  nothing: { meaning: 'the next boot begins without the policy' },
  none: { meaning: 'no driver; for a device, no DMA' },
  default: { meaning: 'the driver that the kernel would choose' },

  root: { meaning: 'the root file system' },
  boot: { meaning: 'the boot file system' },
  swap: { meaning: 'swap space' },
  management: { meaning: 'the way by which the machine is reached' },
  mounted: { meaning: 'a mounted file system' },
  stacked: { meaning: 'a disk under dm, md or LVM' },
  signed: { meaning: 'a disk with a signature of a file system, a RAID or a partition table' },
} as const satisfies Record<string, Keyword>;

export type KeywordText = keyof typeof keywords;
