import type { Fact } from '../../src/machine/snapshot.ts';
import { isUnknown } from '../../src/machine/snapshot.ts';
import { isMissing, linkName, type MachineFiles, textOf } from './files.ts';
import { devicesPath, reason } from './functions.ts';

/**
 * Which drivers would match a function by themselves: the patterns of modules.alias and of what is built in, against the
 * function's own alias (scripts/mod/file2alias.c do_pci_entry). They name modules; what drivers a module registers only a
 * loaded one tells (/sys/module/NAME/drivers). Ids that were added to a driver at run time (new_id) are shown nowhere.
 * Beside them stand the variant drivers of VFIO that were made for the function, whose patterns begin with `vfio_pci:`
 * (file2alias.c, PCI_ID_F_VFIO_DRIVER_OVERRIDE, since 5.15): they match when an override names them.
 *
 * Before 6.17 a kernel does not tell what its built-in drivers match (scripts/mod/modpost.c wrote aliases for modules
 * alone). So that nothing matches a function is known only where no driver is built in that could; the driver that has
 * a function without an override evidently matches it.
 */
export function readMatches(
  files: MachineFiles,
  release: Fact<string>,
): (address: string) => Fact<readonly string[]> {
  if (isUnknown(release)) return () => release;
  const patterns = patternsOf(files, `/lib/modules/${release}`);
  if ('unknown' in patterns) return () => patterns;
  const silent = patterns.builtInTold ? [] : silentDrivers(files);
  return (address) => {
    const alias = textOf(files, `${devicesPath}/${address}/modalias`);
    if (isMissing(alias)) return reason(alias);
    const candidates = [...(patterns.byVendor.get(alias.slice(0, 13)) ?? []), ...patterns.ofAny];
    const matching = candidates.filter(({ form }) => form.test(alias));
    const modules = new Set(matching.filter(({ variant }) => !variant).map(({ module }) => module));
    const drivers = [...modules].map((module) => driversOf(files, module));
    const unknown = drivers.find(isUnknown);
    if (unknown !== undefined) return unknown;
    const found = new Set(drivers.flatMap((each) => (isUnknown(each) ? [] : each)));
    const variants = matching.filter(({ variant }) => variant).flatMap((each) => variantsOf(files, each));
    const all = () => [...new Set([...found, ...variants])].sort();
    if (isUnknown(silent)) return found.size > 0 ? all() : silent;
    const bound = boundByItself(files, address);
    if (bound !== null && silent.includes(bound)) found.add(bound);
    if (found.size > 0 || silent.length === 0) return all();
    return { unknown: `drivers that are built in do not tell what they match: ${silent.join(', ')}` };
  };
}

/** Built-in drivers that match no endpoint by themselves: bridges of the platform, and those that wait for an override. */
const harmless: ReadonlySet<string> = new Set([
  'agpgart-amd64',
  'agpgart-intel',
  'agpgart-via',
  'pci-stub',
  'pcieport',
  'shpchp',
  'uio_pci_generic',
  'vfio-pci',
]);

/** PCI drivers that are registered and no loaded module's: only a loaded one has `initstate` (kernel/module/sysfs.c). */
function silentDrivers(files: MachineFiles): Fact<readonly string[]> {
  const names = files.list('/sys/bus/pci/drivers');
  if (isMissing(names)) return reason(names);
  return names.filter((name) => {
    if (harmless.has(name)) return false;
    const module = linkName(files, `/sys/bus/pci/drivers/${name}/module`);
    return isMissing(module) || isMissing(textOf(files, `/sys/module/${module}/initstate`));
  });
}

function boundByItself(files: MachineFiles, address: string): string | null {
  const driver = linkName(files, `${devicesPath}/${address}/driver`);
  const override = textOf(files, `${devicesPath}/${address}/driver_override`);
  const overridden = !isMissing(override) && !['', '(null)'].includes(override.trim());
  return isMissing(driver) || overridden ? null : driver;
}

interface Pattern {
  readonly form: RegExp;
  readonly module: string;
  /** It is one of a variant driver of VFIO. */
  readonly variant: boolean;
}

interface Patterns {
  /** By `pci:v00008086`: nearly all patterns name a vendor. */
  readonly byVendor: ReadonlyMap<string, readonly Pattern[]>;
  readonly ofAny: readonly Pattern[];
  /** Whether what is built in tells its patterns too. */
  readonly builtInTold: boolean;
}

function patternsOf(files: MachineFiles, directory: string): Patterns | { readonly unknown: string } {
  const loadable = textOf(files, `${directory}/modules.alias`);
  const builtIn = textOf(files, `${directory}/modules.builtin.modinfo`);
  if (isMissing(loadable)) return reason(loadable);
  if (isMissing(builtIn)) return reason(builtIn);
  const found = [
    ...[...loadable.matchAll(/^alias (vfio_)?(pci:\S+) (\S+)$/gm)].map(
      ([, vfio, form = '', module = '']) => ({ form, module, variant: vfio !== undefined }),
    ),
    // NUL-separated `module.alias=pci:…`.
    ...builtIn.split('\0').flatMap((entry) => {
      const [, module = '', vfio, form] = /^([\w-]+)\.alias=(vfio_)?(pci:\S+)$/.exec(entry) ?? [];
      return form === undefined ? [] : [{ form, module, variant: vfio !== undefined }];
    }),
  ];
  const byVendor = new Map<string, Pattern[]>();
  const ofAny: Pattern[] = [];
  for (const { form, module, variant } of found) {
    const pattern = { form: asExpression(form), module, variant };
    const vendor = form.slice(0, 13);
    // The one of vfio-pci itself matches everything.
    if (variant && vendor.startsWith('pci:v*')) continue;
    if (vendor.includes('*') || vendor.includes('[')) ofAny.push(pattern);
    else {
      const list = byVendor.get(vendor);
      if (list === undefined) byVendor.set(vendor, [pattern]);
      else list.push(pattern);
    }
  }
  return { byVendor, ofAny, builtInTold: /(^|\0)[\w-]+\.alias=pci:/.test(builtIn) };
}

function asExpression(form: string): RegExp {
  const escaped = form
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replace(/\*/g, '[^:]*')
    .replace(/\?/g, '.');
  return new RegExp(`^${escaped}$`);
}

function driversOf(files: MachineFiles, module: string): Fact<readonly string[]> {
  const names = files.list(`/sys/module/${module.replace(/-/g, '_')}/drivers`);
  if (isMissing(names))
    return { unknown: `module ${module} matches, and is not loaded to tell its driver's name` };
  return names.filter((name) => name.startsWith('pci:')).map((name) => name.slice(4));
}

/** One that is not loaded calls its driver as its module (KBUILD_MODNAME in drivers/vfio/pci/mlx5/main.c and the others). */
function variantsOf(files: MachineFiles, { module }: Pattern): readonly string[] {
  const told = driversOf(files, module);
  return isUnknown(told) ? [module] : told;
}
