import type { Place } from '../diagnostics/diagnostic.ts';
import { isUnknown } from '../machine/snapshot.ts';
import { ROOT } from '../model/world.ts';
import type { HostPolicy } from '../policy/policy.ts';
import { bindFunction, inGroups, returnedOf, type Wanted, wantedOf } from './binding.ts';
import { silenceRules, wakesRules, writeFiles } from './configuration.ts';
import { createVirtualFunctions, takeVirtualFunctions } from './creation.ts';
import { Draft } from './draft.ts';
import { limitWishes } from './limits.ts';
import { giveNodesBack, ownNodes } from './nodes.ts';
import { parameterPath } from './paths.ts';
import { persistWishes } from './persist.ts';
import { type PutBack, putBackOf } from './put-back.ts';
import type { Script } from './script.ts';
import { asBefore } from './sentence.ts';
import { unloadModules } from './unloading.ts';
import type { Wishes } from './wishes.ts';
import { worldOf } from './world.ts';

/**
 * From what the snapshot shows to what the policy says, in the fewest operations, in this order: drivers that have to
 * be loaded; no-IOMMU mode on; virtual functions that go; each IOMMU group whole before the next (unbind, override,
 * bind); virtual functions that come, and then what they are bound to; no-IOMMU mode off; the owners of the nodes that then
 * exist; the configuration files by which it lasts; modules that go. What earlier plans established and no policy names any
 * more goes back, in its place among these. What is as it should be gives no step, so a script derived from the result is empty.
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
  const putBack = putBackOf(policy);
  relyOnEstablished(draft);
  const wanted = inGroups(draft, [...wantedOf(policy), ...returnedOf(putBack)]);
  loadDrivers(draft, wanted);
  switchNoIommuOn(draft, wanted);
  const going = new Set(putBack.virtual.flatMap(({ functions }) => functions));
  for (const each of wanted) if (going.has(each.address)) bindFunction(draft, each);
  takeVirtualFunctions(draft, putBack);
  const arriving = new Set(policy.arriving.map(({ address }) => address));
  const there = wanted.filter(({ address }) => !going.has(address) && !arriving.has(address));
  for (const each of there) bindFunction(draft, each);
  createVirtualFunctions(draft);
  for (const each of wanted) if (arriving.has(each.address)) bindFunction(draft, each);
  switchNoIommuOff(draft, putBack);
  const owned = ownNodes(draft);
  giveNodesBack(draft, putBack, owned);
  writeFiles(draft, wishesOf(policy));
  unloadModules(draft, putBack);
  return draft;
}

/** Where the journals cannot be read, nobody knows what has to be put back. */
function relyOnEstablished(draft: Draft): void {
  const { established } = draft.policy.snapshot;
  if (established === undefined || !isUnknown(established)) return;
  const sentence = 'it is known what earlier plans have established';
  draft.need({ fact: '/established', sentence, unknown: established.unknown, why: [] });
}

const known = new WeakMap<HostPolicy, Wishes>();

/** What `limit` and `persist` want, beside the running machine. Asked by script, checker and proof: worked out once. */
export function wishesOf(policy: HostPolicy): Wishes {
  let wishes = known.get(policy);
  if (wishes === undefined) {
    const { world } = worldOf(policy);
    const [limits, persist] = [limitWishes(policy, world), persistWishes(policy, world)];
    wishes = {
      files: [...limits.files, ...persist.files],
      beyond: [...limits.beyond, ...persist.beyond],
    };
    known.set(policy, wishes);
  }
  return wishes;
}

/** modprobe for each wanted driver that is not registered; a driver that no module brings is the checker's to refuse. */
function loadDrivers(draft: Draft, wanted: readonly Wanted[]): void {
  const waiting = new Map<string, Place[]>();
  for (const { driver, address, why } of wanted) {
    if (driver === null || draft.boundTo(address) === driver) continue;
    waiting.set(driver, [...(waiting.get(driver) ?? []), ...why]);
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
 * `Y` while a function without an IOMMU group is still to be bound to a VFIO driver and the host's permission holds. The
 * parameter is read live at registration and at SET_IOMMU (drivers/vfio/vfio_main.c, 6.12), so it stays `Y` as long as a
 * permitted function is in use.
 */
function switchNoIommuOn(draft: Draft, wanted: readonly Wanted[]): void {
  const { noiommu } = draft.policy;
  const binds = wanted.filter((each) => needsFakeGroup(draft, each));
  if (!isPermitted(draft) || binds.length === 0) return;
  const why = [...firstOnly(binds.flatMap((each) => each.why)), ...placeOf(noiommu)];
  relyOnNoIommu(draft, why);
  const parameter = draft.world.profile.noiommuParameter;
  if (draft.shows(parameterPath(parameter)) === 'Y') return;
  draft.add({ op: 'parameter.write', pid: ROOT, module: 'vfio', parameter, text: 'Y' }, why);
}

/**
 * `N` when the permission is absent or has expired, and when an earlier plan switched the mode on and nothing makes use of
 * it any more. After all that is unbound: only while the mode is on can that be bound again.
 */
function switchNoIommuOff(draft: Draft, { parameters }: PutBack): void {
  const parameter = draft.world.profile.noiommuParameter;
  const path = parameterPath(parameter);
  const permitted = isPermitted(draft);
  const mark = parameters.find((each) => each.path === path && each.found === 'N');
  if (permitted && (mark === undefined || usesFakeGroups(draft))) return;
  const why = permitted ? [] : placeOf(draft.policy.noiommu);
  if (!permitted) relyOnNoIommu(draft, why);
  if (draft.shows(path) !== 'Y') return;
  const op = { op: 'parameter.write', pid: ROOT, module: 'vfio', parameter, text: 'N' } as const;
  const because = permitted && mark !== undefined ? asBefore(mark.generation) : '';
  draft.add(op, why, `${draft.sentence(op)}${because}`);
}

function isPermitted({ policy: { noiommu } }: Draft): boolean {
  return noiommu.allowed && !noiommu.expired;
}

function placeOf({ place }: HostPolicy['noiommu']): readonly Place[] {
  return place === undefined ? [] : [place];
}

function relyOnNoIommu(draft: Draft, why: readonly Place[]): void {
  const { modules } = draft.policy.snapshot;
  const parameter = draft.world.profile.noiommuParameter;
  const told = isUnknown(modules) ? modules : (modules['vfio']?.parameters[parameter] ?? 'N');
  if (!isUnknown(told)) return;
  draft.need({
    fact: `/modules/vfio/parameters/${parameter}`,
    sentence: 'no-IOMMU mode is off',
    unknown: told.unknown,
    expects: ['N', null],
    why,
  });
}

/** Whether any function, a policy's or not, is with a VFIO driver and in no real group by now. */
function usesFakeGroups(draft: Draft): boolean {
  for (const [address, { group }] of draft.world.devices) {
    const driver = group === null ? draft.boundTo(address) : null;
    if (driver !== null && draft.world.drivers.get(driver)?.vfio === true) return true;
  }
  return false;
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
