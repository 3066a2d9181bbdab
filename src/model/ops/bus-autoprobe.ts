import { draftOf } from '../draft.ts';
import { everywhere, type Rule } from '../guard.ts';
import type { Op } from '../op.ts';
import { rootOnly } from '../permission.ts';
import { handed, taken } from '../text.ts';

type Write = Extract<Op, { op: 'bus.autoprobe' }>;

export const busAutoprobe: Rule<Write> = {
  words: {
    object: 'sysfs',
    call: 'write(/sys/bus/pci/drivers_autoprobe, text)',
    arguments: { text: 'off when it begins with 0, on whatever else it says' },
    effect:
      'On: a driver that registers is offered the devices without a driver. Off: it is not. A device that comes asks the drivers in any case.',
    undo: '`bus.autoprobe` with what was before',
  },
  guards: everywhere<Write>(rootOnly('bus.autoprobe', 'drivers_autoprobe')),
  effect: (_world, state, op) => {
    const value = taken(op.text);
    const autoprobe = !handed(op.text).startsWith('0');
    if (op.text === '' || autoprobe === state.bus.autoprobe) return { value };
    const draft = draftOf(state);
    draft.bus = { ...state.bus, autoprobe };
    return { state: draft, value };
  },
  undo: (_world, before, op) => ({ ...op, text: before.bus.autoprobe ? '1' : '0' }),
};
