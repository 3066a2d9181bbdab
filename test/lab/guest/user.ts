/** The way of a userspace driver through VFIO, as a user of the machine, foretold by the model call by call. */
import type { Snapshot } from '../../../src/machine/snapshot.ts';
import type { Process } from '../../../src/model/state.ts';
import { step } from '../../../src/model/step.ts';
import { worldFrom } from '../../../src/model/world.ts';
import { type Answer, type Descriptors, toOp } from '../calls.ts';
import type { Line } from '../lines.ts';
import { describeCall, differences } from './both.ts';
import type { As, Guest } from './guest.ts';

const PID = 1000;

/** From opening the group to a device descriptor, a mapping of 2 MiB and what the device says of itself. */
export function driverCalls(
  group: string,
  device: string,
  type: number,
  mapping: NonNullable<Line['answers']>,
): readonly Line[] {
  return [
    { call: { op: 'open', path: '/dev/vfio/vfio' }, as: 'container', answers: 'fd' },
    { call: { op: 'container.api_version', fd: 'container' }, answers: 0 },
    { call: { op: 'open', path: group }, as: 'group', answers: 'fd' },
    { call: { op: 'group.get_status', fd: 'group' }, answers: 0, out: { flags: 1 } },
    { call: { op: 'group.set_container', fd: 'group', container: 'container' }, answers: 0 },
    { call: { op: 'container.check_extension', fd: 'container', extension: type }, answers: 1 },
    { call: { op: 'container.set_iommu', fd: 'container', type }, answers: 0 },
    {
      call: {
        ...{ op: 'container.map_dma', fd: 'container', flags: 3, vaddr: 0n, iova: 0n, size: 2n << 20n },
        memory: 'writable',
      },
      answers: mapping,
    },
    { call: { op: 'group.get_device_fd', fd: 'group', name: device }, as: 'device', answers: 'fd' },
    { call: { op: 'device.get_info', fd: 'device' }, answers: 0 },
    ...[...Array(10).keys()].map(
      (index): Line => ({ call: { op: 'device.region_info', fd: 'device', index } }),
    ),
    ...[...Array(6).keys()].map((index): Line => ({ call: { op: 'device.irq_info', fd: 'device', index } })),
    { call: { op: 'device.reset', fd: 'device' } },
    { call: { op: 'close', fd: 'device' }, answers: 0 },
  ];
}

/** Makes the calls in a process of that user and compares each with the model of the machine as `snapshot` shows it. */
export async function compareAs(
  guest: Guest,
  snapshot: Snapshot,
  as: As,
  lines: readonly Line[],
): Promise<readonly Answer[]> {
  const process: Process = {
    pid: PID,
    uid: as.uid,
    gid: as.uid,
    groups: [],
    capabilities: new Set(as.capabilities ?? []),
    memlock: as.memlock ?? 8 << 20,
  };
  const { world, state } = worldFrom(snapshot, { processes: [process] });
  const answers = await guest.access({ ...as, memlock: as.memlock ?? 8 << 20 }, lines);
  const descriptors: Descriptors = new Map();
  let now = state;
  for (const [index, line] of lines.entries()) {
    const outcome = step(world, now, toOp(line.call, PID, descriptors));
    const answer = answers[index];
    if (answer === undefined) throw new Error('the access program answered less than it was asked');
    if (line.as !== undefined && outcome.result.ok) descriptors.set(line.as, outcome.result.value);
    now = outcome.state;
    const who = `uid ${as.uid}${as.capabilities ? ` with ${as.capabilities}` : ''}`;
    guest.step(`${who}: ${describeCall(line.call)}`, differences(line, outcome, answer));
  }
  return answers;
}
