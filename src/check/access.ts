import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts';
import { report } from '../diagnostics/report.ts';
import { type Address, isUnknown, type Snapshot } from '../machine/snapshot.ts';
import { guardOf } from '../model/guards.ts';
import type { Op } from '../model/op.ts';
import type { Process, State, World } from '../model/state.ts';
import { step } from '../model/step.ts';
import { show } from '../model/view.ts';
import type { Allow } from '../policy/policy.ts';
import { nodeOf } from '../script/nodes.ts';
import { containerPath } from '../script/paths.ts';
import { describeWho, type Subject, uses } from './subject.ts';

/**
 * Whether an allow is true: on the state in which the script ends, each principal opens the container and the node of
 * each of its functions, attaches, sets the IOMMU and takes the device, as a program would. Then a stranger tries to
 * open the node of every function that is given to VFIO, allowed to somebody or not, and has to be refused.
 */
export function checkAccess(subject: Subject, end: State, explained: ReadonlySet<Address>): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const nodes = new Map<string, { readonly place: Place; readonly address: Address }>();
  const told = new Set<Allow>();
  const view = { shows: (path: string) => show(subject.world, end, path) };
  for (const { allow, fn } of uses(subject)) {
    const { address } = fn;
    if (explained.has(address) || allow.via === 'iommufd') continue;
    const node = nodeOf(view, address, allow.via);
    if (node !== null && !nodes.has(node)) nodes.set(node, { place: allow.place, address });
    const process = processOf(subject.snapshot, allow);
    if (process === null || told.has(allow)) continue;
    const trial = trialOf(subject.world, process);
    // A node that is not there answers as such to whoever opens it.
    const refused = use(trial, end, node ?? `/dev/vfio/${address}`, address);
    if (!refused) continue;
    told.add(allow);
    diagnostics.push(refusal(trial, allow, address, refused));
  }
  for (const { fn, bind } of subject.taken) {
    const node = explained.has(fn.address) ? null : nodeOf(view, fn.address, 'any');
    if (node !== null && !nodes.has(node)) nodes.set(node, { place: bind.place, address: fn.address });
  }
  const trial = trialOf(subject.world, stranger);
  for (const [path, { place, address }] of nodes) {
    const { result } = step(trial, end, { op: 'open', pid, path });
    if (!result.ok) continue;
    const cures = [`let only its owner in: \`chmod o-rw ${path}\`, and look for the udev rule that opens it`];
    const causes = [`${path} is ${show(trial, end, path)}`];
    diagnostics.push(report('VP4197', place, { path, address }, { causes, cures }));
  }
  return diagnostics;
}

/** The process that tries: no other has this pid, and each trial starts from the same state. */
export const pid = 1;

const nobody = 65534;

const stranger: Process = {
  pid,
  uid: nobody,
  gid: nobody,
  groups: [],
  capabilities: new Set(),
  memlock: 8 << 20,
};

export function trialOf(world: World, process: Process): World {
  return { ...world, processes: new Map([...world.processes, [pid, process]]) };
}

/**
 * The principal's process: what the snapshot tells of the user, and the capabilities that the policy says it has. A
 * virtual machine, service or container is handed its node by libvirt, systemd or the engine, so for them the node's
 * owner does not matter, and all that VFIO asks does. Null: the principal is not known, which is reported elsewhere.
 */
function processOf({ users, userGroups }: Snapshot, { who }: Allow): Process | null {
  const base = { pid, memlock: 8 << 20 };
  const claimed = new Set(who.capabilities);
  if (who.kind === 'user') {
    const user = isUnknown(users) ? undefined : users.find(({ name }) => name === who.name);
    if (!user) return null;
    // A user whose capabilities are not known was reported; the trial then asks everything else.
    const own = isUnknown(user.capabilities) ? [rawio] : user.capabilities;
    const all = user.uid === 0 ? [rawio, 'CAP_DAC_OVERRIDE'] : [];
    const groups = isUnknown(userGroups) ? [] : userGroups.filter(({ name }) => user.groups.includes(name));
    const capabilities = new Set([...claimed, ...own, ...all]);
    return { ...base, uid: user.uid, gid: user.gid, groups: groups.map(({ gid }) => gid), capabilities };
  }
  if (who.kind === 'group') {
    const group = isUnknown(userGroups) ? undefined : userGroups.find(({ name }) => name === who.name);
    if (!group) return null;
    const capabilities = new Set([...claimed, rawio]);
    return { ...base, uid: nobody, gid: group.gid, groups: [group.gid], capabilities };
  }
  const handedOver = new Set([...claimed, 'CAP_DAC_OVERRIDE', ...(who.kind === 'vm' ? [] : [rawio])]);
  return who.kind === 'anyone'
    ? null
    : { ...base, uid: nobody, gid: nobody, groups: [], capabilities: handedOver };
}

export const rawio = 'CAP_SYS_RAWIO';

interface Refused {
  readonly call: string;
  readonly errno: string;
  readonly guard: string;
}

/** VFIO_TYPE1v2_IOMMU and VFIO_NOIOMMU_IOMMU of include/uapi/linux/vfio.h. */
const type1v2 = 3;
const withoutIommu = 8;

/** The calls of a program that takes a device by its group, up to the first that is refused. */
function use(world: World, start: State, node: string, address: Address): Refused | null {
  let state = start;
  let refused: Refused | null = null;
  const call = (name: string, op: Op): number => {
    if (refused) return -1;
    const { result, state: after } = step(world, state, op);
    state = after;
    if (result.ok) return result.value;
    const errno = 'errno' in result ? result.errno : 'nothing: it waits';
    refused = { call: name, errno, guard: result.guard };
    return -1;
  };
  const container = call(`open ${containerPath}`, { op: 'open', pid, path: containerPath });
  const fd = call(`open ${node}`, { op: 'open', pid, path: node });
  call('VFIO_GROUP_SET_CONTAINER', { op: 'group.set_container', pid, fd, container });
  const type = node.includes('noiommu-') ? withoutIommu : type1v2;
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
      cures: [
        'change what the statement asks for, or the machine, so that the kernel has no reason to refuse',
      ],
      kernel: { step: call, guard: words, errno, citation },
    },
  );
}
