import { canonical } from '../machine/canonical.ts';
import { parentOf } from '../machine/configuration.ts';
import { type Address, isUnknown, type Snapshot } from '../machine/snapshot.ts';
import type { HostPolicy } from '../policy/policy.ts';
import { putBackOf } from '../script/put-back.ts';
import type { Script } from '../script/script.ts';
import { factsOf } from './facts.ts';

/** Facts of the machine, path to canonical JSON value. */
type Relies = { readonly [path: string]: string };

/**
 * The facts that a plan rests on: who the machine is; the kernel and its VFIO options; identity, driver, group and
 * uses of every function that the policy names or that is put back, and of those that share a group with one; the switch of no-IOMMU
 * mode; the numbers of users; the nodes that are given away; which vfioX are taken; the
 * configuration files that are written. Taint, SSH sessions, routes' gateways and functions that
 * the policy has nothing to do with may change without making a plan stale. Facts that the snapshot does not tell are
 * absent here: a precondition stands for each that matters.
 */
export function reliesOf(policy: HostPolicy, script: Script): Relies {
  const at = factsOf(policy.snapshot);
  const relies: Record<string, string> = {};
  for (const path of pathsOf(policy, script)) {
    const value = at(path);
    if (!isUnknown(value)) relies[path] = canonical(value);
  }
  return relies;
}

function* pathsOf(policy: HostPolicy, script: Script): Generator<string> {
  const { snapshot } = policy;
  yield* machineFacts;
  for (const option of Object.keys(snapshot.kernel.options)) yield `/kernel/options/${option}`;
  const { functions: returned, virtual } = putBackOf(policy);
  const named = new Set([
    ...[...policy.binds, ...policy.creates, ...policy.allows].flatMap(({ functions }) => functions),
    ...[...returned, ...virtual].map(({ address }) => address),
  ]);
  const { members, groups } = withSiblings(snapshot, named);
  for (const group of groups) yield `/iommuMembers/${group}`;
  for (const address of members) yield* functionFacts(address);
  yield* usesOf(snapshot, members);
  // What is to come must not be there.
  for (const { address } of policy.arriving) yield `/functions/${address}/vendor`;
  const drivers = new Set<string>();
  for (const { op } of script.steps) {
    if (op.op === 'driver.bind' || op.op === 'driver.unbind') drivers.add(op.driver);
    else if (op.op === 'node.own') yield `/nodes/${op.path}`;
    else if (op.op.startsWith('config.') && 'path' in op) yield* configurationFacts(op.path);
  }
  for (const driver of drivers) yield `/drivers/${driver}`;
  // Which vfioX a function gets depends on those that are taken.
  if (drivers.size > 0 && snapshot.vfioDevices !== undefined) yield '/vfioDevices';
  for (const { who } of policy.allows) {
    if (who.kind === 'user') yield `/users/${who.name}/uid`;
    else if (who.kind === 'group') yield `/userGroups/${who.name}/gid`;
  }
}

const machineFacts = [
  '/hostname',
  '/architecture',
  '/kernel/release',
  '/kernel/lockdown',
  '/iommu/units',
  '/iommu/interruptRemapping',
  '/iommu/coherent',
  '/modules/vfio/parameters/enable_unsafe_noiommu_mode',
  '/modules/vfio_iommu_type1/parameters/allow_unsafe_interrupts',
] as const;

/** A file with its directory: a plan that makes one must not find it made. */
function configurationFacts(path: string): readonly string[] {
  return [path, parentOf(path)].map((each) => `/configuration/${each}`);
}

function functionFacts(address: Address): readonly string[] {
  return [
    'vendor',
    'device',
    'subsystemVendor',
    'subsystemDevice',
    'class',
    'headerType',
    'serial',
    'driver',
    'driverOverride',
    'iommuGroup',
    'sriov',
    'physicalFunction',
    'netdevs',
    'blockDevices',
  ].map((fact) => `/functions/${address}/${fact}`);
}

/** The functions, with all those that share an IOMMU group with one of them. */
function withSiblings(snapshot: Snapshot, named: ReadonlySet<Address>) {
  const groups = new Set<number>();
  for (const { address, iommuGroup } of snapshot.functions) {
    if (named.has(address) && typeof iommuGroup === 'number') groups.add(iommuGroup);
  }
  const members = snapshot.functions
    .filter(
      ({ address, iommuGroup }) =>
        named.has(address) || (typeof iommuGroup === 'number' && groups.has(iommuGroup)),
    )
    .map(({ address }) => address);
  return { members, groups };
}

/** What the host does with disks and network ports on these functions: a plan must not outlive a mount. */
function* usesOf(snapshot: Snapshot, members: readonly Address[]): Generator<string> {
  const on = new Set<string | null>(members);
  const { blockDevices, netdevs } = snapshot;
  if (!isUnknown(blockDevices)) {
    const whole = blockDevices.filter((each) => !isUnknown(each.function) && on.has(each.function));
    const names = new Set<string | null>(whole.map(({ name }) => name));
    for (const { name, parent } of blockDevices) {
      if (names.has(name) || (parent !== null && names.has(parent))) yield `/blockDevices/${name}`;
    }
  }
  if (isUnknown(netdevs)) return;
  for (const each of netdevs) {
    if (isUnknown(each.function) || !on.has(each.function)) continue;
    yield `/netdevs/${each.name}/master`;
    yield `/netdevs/${each.name}/addresses`;
  }
}
