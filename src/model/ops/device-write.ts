import { configWrite } from '../config-space.ts';
import type { Rule } from '../guard.ts';
import type { Op } from '../op.ts';
import { coreOf, hardwareOf, withCore } from '../open-device.ts';
import { accessGuards, moved } from '../region-access.ts';
import { placeIn, region, regionOf } from '../regions.ts';

type Write = Extract<Op, { op: 'device.write' }>;

export const deviceWrite: Rule<Write> = {
  words: {
    object: 'device',
    call: 'pwrite(fd, bytes, count, offset)',
    arguments: {
      offset: "where in the device's file: the region's index shifted by 40, and the place in the region",
      bytes: 'what is written',
    },
    effect:
      'Answers how many bytes were written: to the end of a BAR at most. Of configuration space the memory bit of COMMAND, the BARs, the interrupt line and the low byte of MSI’s flags are kept as users see them; BARs of the hardware never change, and MSI is not enabled by this. What registers of the device do is not modelled, power management neither.',
    undo: 'none: what a register held is not kept',
  },
  guards: accessGuards<Write>('device.write'),
  effect: (world, state, op) => {
    const value = moved(world, state, op);
    const hardware = hardwareOf(world, state, op);
    if (hardware === undefined || regionOf(op.offset) !== region.config || value === 0) return { value };
    const changes = configWrite(hardware, coreOf(state, op), placeIn(op.offset), op.bytes);
    return { state: changes === null ? state : withCore(state, op, changes), value };
  },
  undo: () => ({ none: 'what a register held is not kept' }),
};
