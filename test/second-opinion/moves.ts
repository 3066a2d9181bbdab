import type { Moves, Section } from '../../src/model/explore/learned.ts';
import { fileOf } from '../../src/model/files.ts';
import type { Op } from '../../src/model/op.ts';
import type { OpenFile, State, World } from '../../src/model/state.ts';
import { minorAt, type Seen } from './state.ts';
import { addressOf, type Bounds, drivers, layoutOf, pids } from './world.ts';

/** What may happen in a state within the bounds, in sections and parts that each read little of it. */
export function movesIn(bounds: Bounds, world: World): readonly Section[] {
  return [...administer(bounds, world), ...pids.map((_pid, process) => uses(bounds, process))];
}

/** The parameter, and each device. */
function administer({ groups }: Bounds, { profile }: World): readonly Section[] {
  const [pid = 0] = pids;
  const parameter = profile.noiommuParameter;
  const parameters = ['N', 'Y'].map(
    (text): Op => ({ op: 'parameter.write', pid, module: 'vfio', parameter, text }),
  );
  const devices = groups.map((_group, place) => {
    const device = addressOf(place);
    return drivers.flatMap((driver): Op[] =>
      driver === null
        ? []
        : [
            { op: 'driver.bind', pid, driver, device },
            { op: 'driver.unbind', pid, driver, device },
          ],
    );
  });
  return [parameters, ...devices].map((ops) => [() => ops]);
}

/** What a process may do. */
function uses(bounds: Bounds, process: number): Section {
  const pid = pids[process] ?? -1;
  const parts: Moves[] = [
    (_world, { containers }) =>
      containers.filter((container) => container !== null).length < bounds.containers
        ? [{ op: 'open', pid, path: containerNode }]
        : [],
    ...Array.from(layoutOf(bounds).places.keys(), (place): Moves => {
      return (_world, state) => openGroup(bounds, state, pid, place);
    }),
  ];
  // A defect may bring more descriptors than the bounds; what is done with them is not asked.
  const most = bounds.containers + bounds.groupFiles + bounds.deviceFiles;
  for (let fd = 3; fd < 3 + most; fd += 1) {
    const hand: Hand = { bounds, process, pid, fd };
    parts.push(
      (_world, state) => onDescriptor(state, hand),
      (_world, state) => ontoContainers(state, hand),
      (_world, state) => toDevices(state, hand),
    );
  }
  return parts;
}

function openGroup(bounds: Bounds, state: State, pid: number, place: number): readonly Op[] {
  const group = state.groups[minorAt(bounds, state, place)];
  if ((group?.file ?? null) === null && count(state, 'group') >= bounds.groupFiles) return [];
  return [{ op: 'open', pid, path: nodeOf(bounds, state, place) }];
}

const containerNode = '/dev/vfio/vfio';

/** Where a group's node is, or where there is none. */
function nodeOf(bounds: Bounds, state: State, place: number): string {
  const group = state.groups[minorAt(bounds, state, place)];
  return `/dev/vfio/${group?.name ?? layoutOf(bounds).places[place]?.real ?? `none-${place}`}`;
}

/** A descriptor's number of a process. */
interface Hand {
  readonly bounds: Bounds;
  readonly process: number;
  readonly pid: number;
  readonly fd: number;
}

function onDescriptor(state: State, { bounds, process, pid, fd }: Hand): readonly Op[] {
  const file = fileOf(state, { pid, fd });
  if (file === null) return [];
  const ops: Op[] = [{ op: 'close', pid, fd }];
  const [, to = -1] = pids;
  if (
    bounds.passes &&
    process === 0 &&
    file.kind !== 'device' &&
    !heldBy(state, to).some(([, its]) => its === file)
  )
    ops.push({ op: 'descriptor.pass', pid, fd, to });
  if (file.kind === 'container') onContainer(bounds, pid, fd, ops);
  if (file.kind !== 'group') return ops;
  ops.push({ op: 'group.get_status', pid, fd }, { op: 'group.unset_container', pid, fd });
  if (isRevoked(state, file.group)) return ops;
  for (const container of [-1, fd]) ops.push({ op: 'group.set_container', pid, fd, container });
  return ops;
}

const types = [1, 8, 9] as const;

function onContainer({ maps }: Bounds, pid: number, fd: number, ops: Op[]): void {
  for (const type of types) {
    ops.push({ op: 'container.check_extension', pid, fd, extension: type });
    ops.push({ op: 'container.set_iommu', pid, fd, type });
  }
  if (!maps) return;
  const range = { iova: 0x1000n, size: 0x1000n } as const;
  ops.push({
    op: 'container.map_dma',
    pid,
    fd,
    flags: 3,
    ...range,
    vaddr: 0x10000n,
    memory: 'writable',
  });
  ops.push({ op: 'container.unmap_dma', pid, fd, flags: 0, ...range });
}

function ontoContainers(state: State, { pid, fd }: Hand): readonly Op[] {
  if (fileOf(state, { pid, fd })?.kind !== 'group') return [];
  return heldBy(state, pid).flatMap(([container, { kind }]) =>
    kind === 'container' ? [{ op: 'group.set_container', pid, fd, container }] : [],
  );
}

function toDevices(state: State, { bounds, pid, fd }: Hand): readonly Op[] {
  if (fileOf(state, { pid, fd })?.kind !== 'group') return [];
  if (count(state, 'device') >= bounds.deviceFiles) return [];
  const held = heldBy(state, pid);
  return [...layoutOf(bounds).homes.keys()].flatMap((device) =>
    held.some(([, file]) => file.kind === 'device' && file.device === device)
      ? []
      : [{ op: 'group.get_device_fd', pid, fd, name: addressOf(device) }],
  );
}

function heldBy(state: State, pid: number): readonly (readonly [number, OpenFile])[] {
  const table = state.descriptors.find((other) => other.pid === pid)?.files ?? [];
  return table.flatMap((_id, place) => {
    const file = fileOf(state, { pid, fd: place + 3 });
    return file === null ? [] : [[place + 3, file] as const];
  });
}

function count(state: State, kind: OpenFile['kind']): number {
  return state.files.filter((file) => file?.kind === kind).length;
}

/** Whether the group is gone, and only its file is left. */
function isRevoked(state: State, minor: number): boolean {
  return (state.groups[minor]?.iommuGroup ?? null) === null;
}

/** What vfio.pml calls an operation that `movesIn` names for the state. */
export function wordsOf(bounds: Bounds, state: State, seen: Seen, op: Op): string {
  return [pids.indexOf(op.pid), ...wordsFor(bounds, state, seen, op)].join(' ');
}

type Words = readonly (string | number)[];

function wordsFor(bounds: Bounds, state: State, seen: Seen, op: Op): Words {
  switch (op.op) {
    case 'parameter.write':
      return ['parameter', op.text === 'Y' ? 1 : 0];
    case 'driver.bind':
    case 'driver.unbind': {
      const place = bounds.groups.findIndex((_group, device) => addressOf(device) === op.device);
      return [op.op === 'driver.bind' ? 'bind' : 'unbind', place, drivers.indexOf(op.driver)];
    }
    case 'open': {
      if (op.path === containerNode) return ['open_container'];
      const places = [...layoutOf(bounds).places.keys()];
      return ['open_group', places.findIndex((place) => nodeOf(bounds, state, place) === op.path)];
    }
    default:
      return 'fd' in op ? wordsOn(state, seen, op) : [];
  }
}

function wordsOn(state: State, seen: Seen, op: Op & { readonly fd: number }): Words {
  const file = fileOf(state, op);
  if (file?.kind === 'device') return [verbOf(op, 'device'), file.device];
  if (file?.kind === 'container') {
    const place = seen.containers.indexOf(file.container);
    return [verbOf(op, 'container'), place, ...typeOf(op)];
  }
  if (file?.kind !== 'group') return [];
  const revoked = isRevoked(state, file.group);
  const place = (revoked ? seen.revoked : seen.groups).indexOf(file.group);
  if (op.op === 'group.set_container' && (op.container === -1 || op.container === op.fd))
    return ['set_no_container', place, op.container === -1 ? 0 : 1];
  const verb = verbOf(op, 'group');
  return [
    revoked ? `revoked_${verb.replace(/_group$|^get_(?=status)/, '')}` : verb,
    place,
    ...onto(state, seen, op),
  ];
}

function verbOf({ op }: Op, kind: string): string {
  const verb = op.slice(op.indexOf('.') + 1);
  return op === 'close' || op === 'descriptor.pass' ? `${verb}_${kind}` : verb;
}

function typeOf(op: Op): readonly number[] {
  if (op.op === 'container.check_extension') return [op.extension];
  return op.op === 'container.set_iommu' ? [op.type] : [];
}

/** The container or the device that a group's operation names. */
function onto(state: State, seen: Seen, op: Op): readonly number[] {
  if (op.op === 'group.set_container') {
    const file = fileOf(state, { pid: op.pid, fd: op.container });
    return [file?.kind === 'container' ? seen.containers.indexOf(file.container) : -1];
  }
  if (op.op !== 'group.get_device_fd') return [];
  return [state.devices.findIndex((_device, index) => addressOf(index) === op.name)];
}
