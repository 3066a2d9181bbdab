import { configByte } from '../config-space.ts';
import type { Rule } from '../guard.ts';
import type { Op } from '../op.ts';
import { coreOf, hardwareOf } from '../open-device.ts';
import { accessGuards, moved } from '../region-access.ts';
import { placeIn, region, regionOf } from '../regions.ts';
import type { State, World } from '../state.ts';

type Read = Extract<Op, { op: 'device.read' }>;

export const deviceRead: Rule<Read> = {
  words: {
    object: 'device',
    call: 'pread(fd, buffer, count, offset)',
    arguments: {
      offset: "where in the device's file: the region's index shifted by 40, and the place in the region",
      count: 'how many bytes',
    },
    effect:
      'Answers how many bytes were read: to the end of a BAR at most. What they are is told where the model knows all of them: IDs, BARs, the interrupt line once it was written, the interrupt pin, and the MSI-X table, which reads as ones. A ROM is taken to be there where the snapshot has its BAR; that the host holds a BAR is not known and not asked.',
    undo: 'none: it only asks',
  },
  guards: accessGuards<Read>('device.read'),
  effect: (world, state, op) => {
    const value = moved(world, state, op);
    const bytes = knownBytes(world, state, op, value);
    return bytes === null ? { value } : { value, out: { bytes } };
  },
  undo: () => ({ none: 'it only asks' }),
};

/** More than anybody compares. */
const most = 64;

/** What was read, in hexadecimal; null where it is not known. */
function knownBytes(world: World, state: State, op: Read, count: number): string | null {
  const hardware = hardwareOf(world, state, op);
  if (hardware === undefined || count === 0 || count > most) return null;
  const [index, at] = [regionOf(op.offset), placeIn(op.offset)];
  const table = hardware.msixTable;
  if (table?.bar === index && at >= table.start && at + count <= table.end) return 'ff'.repeat(count);
  if (index !== region.config) return null;
  const core = coreOf(state, op);
  let text = '';
  for (let place = at; place < at + count; place += 1) {
    const byte = configByte(world, hardware, core, place);
    if (byte === null) return null;
    text += byte < 16 ? `0${byte.toString(16)}` : byte.toString(16);
  }
  return text;
}
