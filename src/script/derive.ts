import type { Place } from '../diagnostics/diagnostic.ts';
import { isUnknown } from '../machine/snapshot.ts';
import type { World } from '../model/state.ts';
import { ROOT } from '../model/world.ts';
import type { HostPolicy } from '../policy/policy.ts';
import { bindFunction, inGroups, type Wanted, wantedOf } from './binding.ts';
import { silenceRules, wakesRules, writeFiles } from './configuration.ts';
import { createVirtualFunctions } from './creation.ts';
import { Draft } from './draft.ts';
import { limitWishes } from './limits.ts';
import { ownNodes } from './nodes.ts';
import { parameterPath } from './paths.ts';
import { persistWishes } from './persist.ts';
import type { Script } from './script.ts';
import type { Wishes } from './wishes.ts';
import { worldOf } from './world.ts';

/**
 * From what the snapshot shows to what the policy says, in the fewest operations, in this order: drivers that have to
 * be loaded; the switch of no-IOMMU mode; each IOMMU group whole before the next (unbind, override, bind); virtual
 * functions, and then what they are bound to; the owners of the nodes that then exist; the configuration files by which it
 * lasts. What is as it should be gives no step, so a script derived from the result is empty.
 *
 * Nothing is judged here: a step that the model refuses stays in the script, and the checker says why it is refused.
 * What a step rests on and the snapshot does not tell becomes a precondition. Every operation is made by `ROOT`.
 */
export function deriveScript(policy: HostPolicy): Script {
  const draft = drafted(policy, false);
  const { steps, preconditions } = wakesRules(draft) ? drafted(policy, true) : draft;
  return { steps, preconditions };
}

/** `quiet`: udev's rules of an earlier plan are taken away before anything else is done. */
function drafted(policy: HostPolicy, quiet: boolean): Draft {
  const draft = new Draft(policy, worldOf(policy));
  if (quiet) silenceRules(draft);
  const wanted = inGroups(draft, wantedOf(policy));
  loadDrivers(draft, wanted);
  switchNoIommu(draft, wanted);
  const arriving = new Set(policy.arriving.map(({ address }) => address));
  for (const each of wanted) if (!arriving.has(each.address)) bindFunction(draft, each);
  createVirtualFunctions(draft);
  for (const each of wanted) if (arriving.has(each.address)) bindFunction(draft, each);
  ownNodes(draft);
  writeFiles(draft, wishesOf(policy, draft.world));
  return draft;
}

/** What `limit` and `persist` want, beside the running machine. */
export function wishesOf(policy: HostPolicy, world: World): Wishes {
  const [limits, persist] = [limitWishes(policy, world), persistWishes(policy, world)];
  return {
    files: [...limits.files, ...persist.files],
    beyond: [...limits.beyond, ...persist.beyond],
  };
}

/** modprobe for each wanted driver that is not registered; a driver that no module brings is the checker's to refuse. */
function loadDrivers(draft: Draft, wanted: readonly Wanted[]): void {
  const waiting = new Map<string, Place[]>();
  for (const { driver, address, place } of wanted) {
    if (driver === null || draft.boundTo(address) === driver) continue;
    waiting.set(driver, [...(waiting.get(driver) ?? []), place]);
  }
  const drivers = draft.policy.snapshot.drivers;
  for (const [driver, why] of waiting) {
    const module = draft.world.drivers.get(driver)?.module;
    if (module === undefined || module === null || draft.isRegistered(driver)) continue;
    if (isUnknown(drivers)) {
      draft.need({
        fact: `/drivers/${driver}`,
        sentence: `driver ${driver} is not registered yet`,
        unknown: drivers.unknown,
        expects: [null],
        why: firstOnly(why),
      });
    }
    draft.add({ op: 'module.load', pid: ROOT, module }, firstOnly(why));
  }
}

/**
 * `Y` while a function without an IOMMU group is still to be bound to a VFIO driver and the host's permission holds;
 * `N` when the permission is absent or has expired. The parameter is read live at registration and at SET_IOMMU
 * (drivers/vfio/vfio_main.c, 6.12), so it stays `Y` as long as a permitted function is in use.
 */
function switchNoIommu(draft: Draft, wanted: readonly Wanted[]): void {
  const { noiommu, snapshot } = draft.policy;
  const permitted = noiommu.allowed && !noiommu.expired;
  const binds = wanted.filter((each) => needsFakeGroup(draft, each));
  if (permitted && binds.length === 0) return;
  const place = noiommu.place === undefined ? [] : [noiommu.place];
  const why = permitted ? [...firstOnly(binds.map((each) => each.place)), ...place] : place;
  const parameter = draft.world.profile.noiommuParameter;
  const shown = draft.shows(parameterPath(parameter));
  const text = permitted ? 'Y' : 'N';
  const told = isUnknown(snapshot.modules)
    ? snapshot.modules
    : (snapshot.modules['vfio']?.parameters[parameter] ?? 'N');
  if (isUnknown(told)) {
    draft.need({
      fact: `/modules/vfio/parameters/${parameter}`,
      sentence: 'no-IOMMU mode is off',
      unknown: told.unknown,
      expects: ['N', null],
      why,
    });
  }
  if (permitted ? shown === 'Y' : shown !== 'Y') return;
  draft.add({ op: 'parameter.write', pid: ROOT, module: 'vfio', parameter, text }, why);
}

/** Whether binding this function makes a fake group: no real one, a VFIO driver, and not bound to it yet. */
function needsFakeGroup(draft: Draft, { address, driver }: Wanted): boolean {
  const hardware = draft.world.devices.get(address);
  if (hardware === undefined || hardware.group !== null || driver === null) return false;
  return draft.world.drivers.get(driver)?.vfio === true && draft.boundTo(address) !== driver;
}

/** Three hundred functions may want one module: one statement says why as well as all of them. */
function firstOnly(places: readonly Place[]): readonly Place[] {
  const seen = new Set<string>();
  return places.filter(({ file, span }) => {
    const key = `${file}:${span.start}`;
    return seen.has(key) ? false : seen.add(key);
  });
}
