import { gunzipSync } from 'node:zlib';
import type { Fact, Snapshot } from '../../src/machine/snapshot.ts';
import { isMissing, type MachineFiles, textOf } from './files.ts';
import { reason } from './functions.ts';

/** What the running kernel tells of itself, and how it was built. */

type Kernel = Snapshot['kernel'];

export function readKernel(files: MachineFiles): Kernel {
  const release = factOf(files, '/proc/sys/kernel/osrelease');
  const config = buildConfig(files, release);
  const taint = textOf(files, '/proc/sys/kernel/tainted');
  const commandLine = textOf(files, '/proc/cmdline');
  return {
    release,
    taint: isMissing(taint)
      ? reason(taint)
      : /^\d{1,15}$/.test(taint)
        ? Number(taint)
        : { unknown: '/proc/sys/kernel/tainted holds no number' },
    lockdown: lockdownOf(files, config),
    commandLine: isMissing(commandLine)
      ? reason(commandLine)
      : commandLine.split(/\s+/).filter((word) => word !== ''),
    options: optionsOf(files, config),
  };
}

/** A file's text; empty text is unknown. */
export function factOf(files: MachineFiles, path: string): Fact<string> {
  const text = textOf(files, path);
  if (isMissing(text)) return reason(text);
  return text.trim() === '' ? { unknown: `${path} is empty` } : text.trim();
}

type Known<T> = Exclude<T, { readonly unknown: string }>;

/** Modules that VFIO consists of or that it works for; others do not matter to a plan. */
const relevant = /^(vfio|iommufd$|kvm|irqbypass$|pci_stub$|virqfd$|mdev$)/;

export function readModules(files: MachineFiles): Snapshot['modules'] {
  const names = files.list('/sys/module');
  if (isMissing(names)) return reason(names);
  const modules: Record<string, Known<Snapshot['modules']>[string]> = {};
  for (const name of names.filter((each) => relevant.test(each))) {
    const listed = files.list(`/sys/module/${name}/parameters`);
    const parameters: Record<string, Fact<string>> = {};
    for (const parameter of isMissing(listed) ? [] : listed) {
      const text = textOf(files, `/sys/module/${name}/parameters/${parameter}`);
      parameters[parameter] = isMissing(text) ? reason(text) : text;
    }
    modules[name] = { parameters, ...keepersOf(files, `/sys/module/${name}`) };
  }
  return modules;
}

/** What keeps a module loaded (kernel/module/sysfs.c, kernel/module/main.c:show_refcnt): one that is built in does not tell. */
function keepersOf(files: MachineFiles, directory: string) {
  const [holders, references] = [files.list(`${directory}/holders`), textOf(files, `${directory}/refcnt`)];
  const number = isMissing(references) ? Number.NaN : Number(references);
  return {
    ...(isMissing(holders) ? {} : { holders: [...holders] }),
    ...(Number.isInteger(number) && number >= 0 ? { references: number } : {}),
  };
}

export function readDrivers(files: MachineFiles): Snapshot['drivers'] {
  const names = files.list('/sys/bus/pci/drivers');
  return isMissing(names) ? reason(names) : names;
}

/** `[none] integrity confidentiality` (security/lockdown/lockdown.c lockdown_read). */
function lockdownOf(files: MachineFiles, config: Config | undefined): Kernel['lockdown'] {
  const text = textOf(files, '/sys/kernel/security/lockdown');
  if (isMissing(text)) {
    if (config?.('SECURITY_LOCKDOWN_LSM') === 'n') return 'none';
    const listed = files.list('/sys/kernel/security');
    // securityfs is mounted and has no such file: the lockdown module is not built in.
    return text.absent && !isMissing(listed) && listed.length > 0 ? 'none' : reason(text);
  }
  const chosen = /\[(none|integrity|confidentiality)\]/.exec(text)?.[1];
  return chosen === 'none' || chosen === 'integrity' || chosen === 'confidentiality'
    ? chosen
    : { unknown: '/sys/kernel/security/lockdown holds no level' };
}

type Options = Kernel['options'];
type OptionName = keyof Options;
type Built = NonNullable<Options[OptionName]>;

const optionNames = [
  'VFIO',
  'VFIO_PCI',
  'VFIO_IOMMU_TYPE1',
  'VFIO_GROUP',
  'VFIO_CONTAINER',
  'VFIO_NOIOMMU',
  'VFIO_DEVICE_CDEV',
  'IOMMUFD',
  'IRQ_BYPASS_MANAGER',
  'IOMMUFD_NOIOMMU',
  'TRANSPARENT_HUGEPAGE',
  'PM',
] as const satisfies readonly OptionName[];

function optionsOf(files: MachineFiles, config: Config | undefined): Options {
  const entries = optionNames.map((name) => [name, config?.(name) ?? deduced(files, name)] as const);
  return Object.fromEntries(entries) as Record<OptionName, Built>;
}

/** How an option was built. */
type Config = (name: string) => 'y' | 'm' | 'n';

/** The build's configuration, when the machine has kept it. */
function buildConfig(files: MachineFiles, release: Fact<string>): Config | undefined {
  const kept = typeof release === 'string' && /^[\w.+~-]+$/.test(release) ? release : undefined;
  const plain = kept === undefined ? [] : [`/boot/config-${kept}`, `/lib/modules/${kept}/config`];
  const packed = files.bytes('/proc/config.gz');
  const texts = [
    isMissing(packed) ? undefined : unpacked(packed),
    ...plain.map((path) => textOf(files, path)).map((text) => (isMissing(text) ? undefined : text)),
  ];
  const text = texts.find((each) => each?.includes('CONFIG_PCI='));
  if (text === undefined) return undefined;
  const set = new Map([...text.matchAll(/^CONFIG_(\w+)=([ym])$/gm)].map(([, name, value]) => [name, value]));
  return (name) => (set.get(name) === 'm' ? 'm' : set.has(name) ? 'y' : 'n');
}

function unpacked(bytes: Uint8Array): string | undefined {
  try {
    return gunzipSync(bytes, { maxOutputLength: 16_777_216 }).toString('utf8');
  } catch {
    return undefined;
  }
}

/** Without the build's configuration: what sysfs and /dev prove. Absence proves nothing of a module not yet loaded. */
function deduced(files: MachineFiles, name: OptionName): Built {
  const unknown = { unknown: 'the build configuration is in neither /proc/config.gz nor /boot' };
  const has = (path: string) => !isMissing(files.status(path));
  switch (name) {
    case 'VFIO':
      return ofModule(files, 'vfio') ?? unknown;
    case 'VFIO_PCI':
      return ofModule(files, 'vfio_pci') ?? unknown;
    case 'VFIO_IOMMU_TYPE1':
      return ofModule(files, 'vfio_iommu_type1') ?? unknown;
    case 'IOMMUFD':
      return ofModule(files, 'iommufd') ?? unknown;
    case 'IRQ_BYPASS_MANAGER':
      // Without parameters, so what is built in has no directory at all.
      return ofModule(files, 'irqbypass') ?? unknown;
    case 'VFIO_NOIOMMU':
      // The parameter exists exactly with the option (drivers/vfio/group.c, drivers/vfio/vfio_main.c).
      if (has('/sys/module/vfio/parameters/enable_unsafe_noiommu_mode')) return 'y';
      return has('/sys/module/vfio') ? 'n' : unknown;
    case 'IOMMUFD_NOIOMMU':
      return unknown;
    case 'TRANSPARENT_HUGEPAGE':
      // mm/huge_memory.c:hugepage_init_sysfs; a machine without large pages lacks the directory as well.
      return has('/sys/kernel/mm/transparent_hugepage') ? 'y' : unknown;
    case 'PM':
      // kernel/power/main.c:pm_init makes the directory.
      if (has('/sys/power')) return 'y';
      return files.kind === 'live' ? 'n' : unknown;
    case 'VFIO_DEVICE_CDEV':
      return has('/dev/vfio/devices') ? 'y' : unknown;
    case 'VFIO_GROUP':
    case 'VFIO_CONTAINER':
      return has('/dev/vfio/vfio') ? 'y' : unknown;
  }
}

/** A loadable module has `initstate`; what is built in has only a directory (kernel/module/sysfs.c). */
function ofModule(files: MachineFiles, module: string): 'y' | 'm' | undefined {
  if (isMissing(files.status(`/sys/module/${module}`))) return undefined;
  return isMissing(files.status(`/sys/module/${module}/initstate`)) ? 'y' : 'm';
}
