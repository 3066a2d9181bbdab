import { written } from '../../grammar/written.ts';
import type { Diagnostic, Fix, Place } from '../diagnostics/diagnostic.ts';
import { insertionAfter, removal } from '../diagnostics/fixes.ts';
import { report } from '../diagnostics/report.ts';
import { type Address, isUnknown } from '../machine/snapshot.ts';
import { guardOf } from '../model/guards.ts';
import type { Op } from '../model/op.ts';
import type { Result } from '../model/outcome.ts';
import type { Process, State, World } from '../model/state.ts';
import { step } from '../model/step.ts';
import { show } from '../model/view.ts';
import type { Allow, WhoMay } from '../policy/policy.ts';
import { containerPath, iommuPath } from '../script/paths.ts';
import { nodeOf, nodesOf, viewOf, type Way, wayOf } from '../script/ways.ts';
import { nobodys, pid, processOf, rawio } from './principals.ts';
import { describeWho, type Subject, uses } from './subject.ts';

/**
 * Whether an allow is true: on the state in which the script ends, each principal opens the nodes of each of its
 * functions and takes the device, as a program would. Then whoever else could have a node tries to open it and has to be
 * refused: the owner that it has, its group, and a stranger, for every function that is given to VFIO, allowed to
 * somebody or not. Nodes that a forbidden user has (`trespassed`) were told of.
 */
export function checkAccess(
  subject: Subject,
  end: State,
  explained: ReadonlySet<Address>,
  trespassed: ReadonlySet<string>,
): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const nodes = new Map<string, Reached>();
  const told = new Set<Allow>();
  const view = viewOf(subject.world, end);
  for (const { allow, fn } of uses(subject)) {
    const { address } = fn;
    if (explained.has(address)) continue;
    const way = wayOf(subject.world, allow, address);
    for (const [other, node] of nodesOf(view, address)) {
      const { place, device } = allow;
      const reached = nodes.get(node) ?? { place, device, address, way: other, allowed: [] };
      nodes.set(node, reached);
      if (other === way) reached.allowed.push(allow);
    }
    const process = processOf(subject.snapshot, allow.who, [rawio]);
    if (process === null || told.has(allow) || (way === 'iommufd' && !foretold(subject))) continue;
    const trial = trialOf(subject.world, process);
    // A node that is not there answers as such to whoever opens it.
    const refused = use(trial, end, way, nodeOf(view, address, way) ?? `/dev/vfio/${address}`, address);
    if (!refused) continue;
    told.add(allow);
    diagnostics.push(refusal(trial, allow, address, refused));
  }
  for (const { fn, bind } of subject.taken) {
    if (explained.has(fn.address)) continue;
    const { place, device } = bind;
    for (const [way, node] of nodesOf(view, fn.address)) {
      if (!nodes.has(node)) nodes.set(node, { place, device, address: fn.address, way, allowed: [] });
    }
  }
  for (const [path, reached] of nodes) {
    if (!trespassed.has(path)) diagnostics.push(...strangers(subject, end, path, reached));
  }
  return diagnostics;
}

/** Whether it is told which nodes devices have of their own: otherwise that is something to be shown first. */
function foretold({ snapshot, world }: Subject): boolean {
  const { IOMMUFD, VFIO_DEVICE_CDEV } = snapshot.kernel.options;
  return world.strangers !== null && !isUnknown(IOMMUFD) && !isUnknown(VFIO_DEVICE_CDEV);
}

/** A node, one of its functions with the name that a statement calls it by, and who is allowed it on the node's way. */
interface Reached {
  readonly place: Place;
  readonly device: string;
  readonly address: Address;
  readonly way: Way;
  readonly allowed: Allow[];
}

/** Who can open a node and is allowed none of its functions: the mode speaks of its owner, its group and all others. */
function strangers(subject: Subject, end: State, path: string, reached: Reached): Diagnostic[] {
  const { place, address, allowed } = reached;
  const shown = show(subject.world, end, path);
  const [, uid = 0, gid = 0] = (/ (\d+):(\d+)$/.exec(shown ?? '') ?? []).map(Number);
  const { users, userGroups } = subject.snapshot;
  const owner = isUnknown(users) ? undefined : users.find((each) => each.uid === uid)?.name;
  const group = isUnknown(userGroups) ? undefined : userGroups.find((each) => each.gid === gid)?.name;
  const may = (kind: WhoMay['kind'], name: string | undefined) =>
    allowed.some(({ who }) => who.kind === kind && who.name === name);
  // What starts a virtual machine, a service or a container hands the node to whomever it runs it as.
  const handedOver = allowed.some(({ who }) => who.kind !== 'user' && who.kind !== 'group');
  const suspects: Suspect[] = [{ who: 'anyone', its: {}, fixes: [] }];
  if (uid !== 0 && !handedOver && !may('user', owner))
    suspects.push(suspect(subject, reached, { uid }, ['user', owner]));
  if (gid !== 0 && !handedOver && !may('group', group))
    suspects.push(suspect(subject, reached, { gid }, ['group', group]));
  for (const { who, its, fixes } of suspects) {
    const trial = trialOf(subject.world, { ...stranger, ...its });
    if (!step(trial, end, { op: 'open', pid, path }).result.ok) continue;
    const cures = [
      `let only those in who are allowed it: \`chown root:root ${path}\` and \`chmod 600 ${path}\`, and look for the udev rule that opens it`,
      'or allow it to whoever is meant to have it',
    ];
    return [
      report('VP4197', place, { who, path, address }, { causes: [`${path} is ${shown}`], cures, fixes }),
    ];
  }
  return [];
}

interface Suspect {
  readonly who: string;
  readonly its: Partial<Process>;
  readonly fixes: readonly Fix[];
}

/**
 * Whom the owner or the group of a node lets in. Where he has a name, and the statement is about the one function, the policy can
 * allow it to him. Without an IOMMU that would claim a capability, too, which only a person can know of.
 */
function suspect(
  { policy }: Subject,
  { place, device, way }: Reached,
  its: { readonly uid: number } | { readonly gid: number },
  [kind, name]: readonly ['user' | 'group', string | undefined],
): Suspect {
  if (name === undefined) return { who: 'uid' in its ? `uid ${its.uid}` : `gid ${its.gid}`, its, fixes: [] };
  const one = policy.devices.get(device)?.functions.length === 1;
  const words = `allow ${kind} ${written(name)} to use ${written(device)} via ${way}`;
  const fixes = one && way !== 'noiommu' ? [insertionAfter(place, words)] : [];
  return { who: `${kind} ${name}`, its, fixes };
}

/** Whoever is not allowed could run a program with the capability: only the node's owner and mode keep him out. */
const stranger: Process = { ...nobodys, pid, capabilities: new Set([rawio]) };

export function trialOf(world: World, process: Process): World {
  return { ...world, processes: new Map([...world.processes, [pid, process]]) };
}

interface Refused {
  readonly call: string;
  readonly errno: string;
  readonly guard: string;
}

/** VFIO_TYPE1v2_IOMMU and VFIO_NOIOMMU_IOMMU of include/uapi/linux/vfio.h. */
const type1v2 = 3;
const withoutIommu = 8;

/** The calls of a program that takes a device on its way, up to the first that is refused. */
function use(world: World, start: State, way: Way, node: string, address: Address): Refused | null {
  let state = start;
  let refused: Refused | null = null;
  const call = (name: string, op: Op): Extract<Result, { ok: true }> | null => {
    if (refused) return null;
    const { result, state: after } = step(world, state, op);
    state = after;
    if (result.ok) return result;
    const errno = 'errno' in result ? result.errno : 'nothing: it waits';
    refused = { call: name, errno, guard: result.guard };
    return null;
  };
  const opened = (path: string) => call(`open ${path}`, { op: 'open', pid, path })?.value ?? -1;
  if (way === 'iommufd') {
    const iommufd = opened(iommuPath);
    const fd = opened(node);
    call('VFIO_DEVICE_BIND_IOMMUFD', { op: 'device.bind_iommufd', pid, fd, iommufd, flags: 0 });
    const space = call('IOMMU_IOAS_ALLOC', { op: 'iommufd.ioas_alloc', pid, fd: iommufd, flags: 0 });
    const target = Number(space?.out?.['out_ioas_id'] ?? 0);
    call('VFIO_DEVICE_ATTACH_IOMMUFD_PT', { op: 'device.attach_ioas', pid, fd, target, flags: 0 });
    return refused;
  }
  const container = opened(containerPath);
  const fd = opened(node);
  call('VFIO_GROUP_SET_CONTAINER', { op: 'group.set_container', pid, fd, container });
  const type = way === 'noiommu' ? withoutIommu : type1v2;
  call('VFIO_SET_IOMMU', { op: 'container.set_iommu', pid, fd: container, type });
  call('VFIO_GROUP_GET_DEVICE_FD', { op: 'group.get_device_fd', pid, fd, name: address });
  return refused;
}

function refusal(world: World, { who, place }: Allow, address: Address, refused: Refused): Diagnostic {
  const { words, citation } = guardOf(world.profile, refused.guard);
  const { call, errno } = refused;
  return report(
    'VP4198',
    place,
    { who: describeWho(who), address, call, errno },
    {
      causes: [words],
      fixes: [removal(place, 'the allow')],
      cures: [
        'change what the statement asks for, or the machine, so that the kernel has no reason to refuse',
      ],
      kernel: { step: call, guard: words, errno, citation },
    },
  );
}
