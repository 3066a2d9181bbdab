import type { Place } from '../diagnostics/diagnostic.ts';
import { ownPaths } from '../machine/configuration.ts';
import { isVfioDriver } from '../machine/drivers.ts';
import { type Address, isUnknown, type PciFunction } from '../machine/snapshot.ts';
import type { World } from '../model/state.ts';
import type { Bind, HostPolicy, Persist } from '../policy/policy.ts';
import { keptNodes } from './kept-nodes.ts';
import { putBackOf } from './put-back.ts';
import { bindRule, createRule, isPlain } from './udev-rules.ts';
import { again, type Beyond, obstacleTo, type WantedFile, type Wishes } from './wishes.ts';

/**
 * `persist across boots` as the files of those who act at a boot: modules-load.d and modprobe.d for the drivers, udev for
 * functions and nodes. Only the policies that say so contribute.
 */
export function persistWishes(policy: HostPolicy, world: World): Wishes {
  const kept = new Map(
    policy.persists.filter(({ until }) => until !== 'nothing').map((each) => [each.policy, each]),
  );
  if (kept.size === 0) return { files: [], beyond: [] };
  const at = { policy, world, kept, functions: keptFunctions(policy, world, kept) };
  const parts = [modulesFile(at), optionsFile(at), rulesFile(at)];
  const files = parts.flatMap(({ file }) => (file === null || file.lines.length === 0 ? [] : [file]));
  const beyond = [...parts.flatMap((part) => part.beyond), ...earlyBoot(at), ...unkept(at), ...twins(at)];
  const hindered = files.map(
    (file) => [file, obstacleTo(policy.snapshot, file.path) ?? tooLong(file)] as const,
  );
  return {
    files: hindered.flatMap(([file, cause]) => (cause === null ? [file] : [])),
    beyond: [
      ...beyond,
      ...hindered.flatMap(([{ effect, why }, cause]) =>
        cause === null ? [] : why.map((place) => tell(effect, cause, place)),
      ),
    ],
  };
}

/** A snapshot tells texts of up to a megabyte. */
function tooLong({ lines }: WantedFile): string | null {
  const length = lines.reduce((sum, line) => sum + line.length + 1, 0);
  return length > 1_000_000 ? 'its text would be longer than a megabyte' : null;
}

/** A function that a policy binds, and says that it shall stay so. */
interface Kept {
  readonly fn: PciFunction;
  readonly driver: string | null;
  readonly byKernel: boolean;
  /** Drivers of the host that would take it. */
  readonly rivals: readonly string[];
  readonly persist: Persist;
  readonly bind: Bind;
}

interface At {
  readonly policy: HostPolicy;
  readonly world: World;
  readonly kept: ReadonlyMap<string, Persist>;
  readonly functions: readonly Kept[];
}

interface Part {
  readonly file: WantedFile | null;
  readonly beyond: readonly Beyond[];
}

function tell(sentence: string, cause: string, place: Place, cure = again): Beyond {
  return { what: 'persist', sentence, cause, cure, place };
}

function keptFunctions(
  policy: HostPolicy,
  world: World,
  kept: ReadonlyMap<string, Persist>,
): readonly Kept[] {
  const { snapshot, arriving } = policy;
  const byAddress = new Map([...snapshot.functions, ...arriving].map((fn) => [fn.address, fn]));
  const found = new Map<Address, Kept>();
  for (const bind of policy.binds) {
    const persist = kept.get(bind.policy);
    for (const address of persist === undefined ? [] : bind.functions) {
      const fn = byAddress.get(address);
      if (fn === undefined || persist === undefined || found.has(address)) continue;
      const driver = bind.driver(address);
      const bound = isUnknown(fn.driver) ? null : fn.driver;
      const matching = [...(world.devices.get(address)?.drivers ?? []), ...(bound === null ? [] : [bound])];
      const rivals = new Set(matching.filter((name) => name !== driver && !isVfioDriver(name)));
      const byKernel = bind.to === 'default';
      found.set(address, { fn, driver, byKernel, rivals: [...rivals], persist, bind });
    }
  }
  return [...found.values()].sort((a, b) => (a.fn.address < b.fn.address ? -1 : 1));
}

/** Whether the kernel would bind it otherwise without a rule. */
function needsRule({ world }: At, { fn, driver, byKernel }: Kept): boolean {
  if (byKernel || driver === null || !isPlain(driver)) return false;
  return isVfioDriver(driver) || world.devices.get(fn.address)?.drivers[0] !== driver;
}

function placesOf(of: readonly Kept[]): readonly Place[] {
  return [...new Set(of.map(({ persist }) => persist.place))];
}

function modulesFile(at: At): Part {
  const of = at.functions.filter((each) => needsRule(at, each) && moduleOf(at, each.driver) !== null);
  const modules = [...new Set(of.map(({ driver }) => driver ?? ''))].sort();
  const effect = `each boot loads ${modules.join(', ')}`;
  return { file: { path: ownPaths.modules, lines: modules, effect, why: placesOf(of) }, beyond: [] };
}

/** The module that registers a driver; null: it is in the kernel, or nobody knows of one. */
function moduleOf({ world }: At, driver: string | null): string | null {
  return world.drivers.get(driver ?? '')?.module ?? null;
}

/** The switch of no-IOMMU mode where a function needs it, and for early boot which driver comes first. */
function optionsFile(at: At): Part {
  const { world, policy } = at;
  const { noiommu } = policy;
  const fake = at.functions.filter(
    ({ fn, driver }) =>
      driver !== null && isVfioDriver(driver) && world.devices.get(fn.address)?.group === null,
  );
  const permitted = noiommu.allowed && !noiommu.expired && fake.length > 0;
  const builtIn = world.modules.get('vfio')?.builtIn === true;
  const parameter = world.profile.noiommuParameter;
  const places = placesOf(fake);
  const beyond: Beyond[] = [];
  if (permitted && builtIn) {
    const cure = `add \`vfio.${parameter}=1\` to the kernel command line`;
    const cause = 'vfio is in the kernel, which reads no file of modprobe';
    beyond.push(...places.map((place) => tell('no-IOMMU mode is on after a boot', cause, place, cure)));
  }
  if (permitted && noiommu.until !== undefined) {
    const sentence = `no-IOMMU mode is off at boots after ${noiommu.until}`;
    const cause = 'no file that a boot reads knows the date';
    const cure = 'carry a plan out after that day: it takes the switch back';
    beyond.push(...places.map((place) => tell(sentence, cause, place, cure)));
  }
  const mode = permitted && !builtIn ? [`options vfio ${parameter}=1`] : [];
  const early = at.functions.filter((each) => each.persist.until === 'drivers' && needsRule(at, each));
  const pairs = early.flatMap(({ driver, rivals }) =>
    rivals.flatMap((rival) => {
      const [module, wanted] = [moduleOf(at, rival), moduleOf(at, driver)];
      return module === null || wanted === null || !isPlain(module)
        ? []
        : [`softdep ${module} pre: ${driver}`];
    }),
  );
  const order = [...new Set(pairs)].sort();
  const says = [
    ...(mode.length > 0 ? [`vfio is loaded with ${parameter}=1`] : []),
    ...(order.length > 0 ? ['drivers of the host are loaded behind those'] : []),
  ];
  const why = [...new Set([...(mode.length > 0 ? places : []), ...placesOf(early)])];
  const file = { path: ownPaths.options, lines: [...mode, ...order], effect: says.join(', '), why };
  return { file, beyond };
}

function rulesFile(at: At): Part {
  const { policy, world, kept } = at;
  const ruled = at.functions.filter((each) => needsRule(at, each));
  const binds = ruled.map(({ fn, driver }) => bindRule(fn, driver ?? ''));
  const makes = policy.creates.filter(({ policy: name }) => kept.has(name));
  const creates = makes.flatMap(({ functions, count }) =>
    functions.flatMap((address) => {
      const fn = policy.snapshot.functions.find((each) => each.address === address);
      return fn === undefined ? [] : [createRule(fn, finalDriver(policy, fn), count)];
    }),
  );
  const nodes = keptNodes(policy, world, kept);
  const says = [
    ...(binds.length > 0
      ? [
          `what no other driver has by then is bound to ${[...new Set(ruled.map(({ driver }) => driver))].join(', ')}`,
        ]
      : []),
    ...(creates.length > 0 ? ['virtual functions are created'] : []),
    ...(nodes.rules.length > 0 ? [`nodes are given to ${nodes.heirs.join(', ')}`] : []),
  ];
  const why = [
    ...new Set([
      ...placesOf(ruled),
      ...makes.flatMap(({ policy: name }) => kept.get(name)?.place ?? []),
      ...nodes.why,
    ]),
  ];
  const effect = `at each boot ${says.join(', ')}`;
  // Virtual functions come with their physical one, so what makes them stands before what takes them.
  const lines = [...new Set([...creates, ...binds, ...nodes.rules])];
  return { file: { path: ownPaths.rules, lines, effect, why }, beyond: nodes.beyond };
}

/** Null where it is not known. */
function finalDriver(policy: HostPolicy, fn: PciFunction): string | null {
  const bind = policy.binds.find(({ functions }) => functions.includes(fn.address));
  const back = putBackOf(policy).functions.find(({ address }) => address === fn.address);
  const now = isUnknown(fn.driver) ? null : fn.driver;
  const driver = bind === undefined ? (back === undefined ? now : back.driver) : bind.driver(fn.address);
  return driver !== null && isPlain(driver) ? driver : null;
}

function earlyBoot({ kept, functions }: At): readonly Beyond[] {
  const early = [...kept.values()].filter(({ until }) => until === 'drivers');
  const bound = new Set(functions.map(({ persist }) => persist));
  return early
    .filter((persist) => bound.has(persist))
    .map(({ policy, place }) =>
      tell(
        `policy ${policy} holds before other drivers come`,
        'an initramfs that does not hold these files loads drivers before anybody reads them',
        place,
        'make the initramfs anew when they have changed (`update-initramfs -u`, `dracut --force`)',
      ),
    );
}

/** What another driver takes before any file is read, or no file can say. */
function* unkept(at: At): Iterable<Beyond> {
  for (const each of at.functions) {
    const { fn, driver, byKernel, rivals, persist } = each;
    if (byKernel) continue;
    if (driver === null) {
      const cause =
        rivals.length > 0 ? `${rivals.join(', ')} takes it again` : 'a driver that matches it takes it';
      yield tell(`${fn.address} has no driver after a boot`, cause, persist.place);
    } else if (!isPlain(driver)) {
      const cause = 'the name of the driver cannot stand in a rule';
      yield tell(`${fn.address} is bound to ${driver} after a boot`, cause, persist.place);
    } else if (needsRule(at, each)) {
      const first = rivals.find((name) => moduleOf(at, name) === null);
      const cause = `${first} is in the kernel and takes it before udev reads a rule`;
      if (first !== undefined)
        yield tell(`${fn.address} is bound to ${driver} after a boot`, cause, persist.place);
    }
  }
}

/**
 * Cards of one kind that a boot knows by their places alone: a rule sees no serial number. Where all of a kind are kept it does
 * not matter which is which, functions of one card move together, and virtual functions are what their physical one makes.
 */
function* twins(at: At): Iterable<Beyond> {
  const ruled = new Set(at.functions.filter((each) => needsRule(at, each)).map(({ fn }) => fn.address));
  const left = new Map<string, Address[]>();
  for (const { address, vendor, device, physicalFunction } of at.policy.snapshot.functions) {
    const virtual = !isUnknown(physicalFunction) && physicalFunction !== null;
    if (virtual || ruled.has(address)) continue;
    const kind = `${vendor}:${device}`;
    left.set(kind, [...(left.get(kind) ?? []), address]);
  }
  for (const { fn, persist } of at.functions) {
    if (!ruled.has(fn.address)) continue;
    const kind = `${fn.vendor}:${fn.device}`;
    const twin = left.get(kind)?.find((address) => cardOf(address) !== cardOf(fn.address));
    if (twin === undefined) continue;
    const cause = `both are ${kind}, and udev sees no serial number of a card`;
    const cure = 'leave the cards in their slots while the policy persists';
    yield tell(`a boot knows ${fn.address} from ${twin} by more than its slot`, cause, persist.place, cure);
  }
}

function cardOf(address: Address): string {
  return address.slice(0, address.lastIndexOf('.'));
}
