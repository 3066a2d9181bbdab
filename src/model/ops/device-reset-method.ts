import type { Guard, Rule } from '../guard.ts';
import type { Op } from '../op.ts';
import { changeSettings, deviceAt, possibleResets } from '../presence.ts';
import { same } from '../same.ts';
import type { Hardware, State, World } from '../state.ts';
import { deviceFile, onDevice } from '../sysfs-file.ts';
import { handed, sameLine, taken } from '../text.ts';

type Write = Extract<Op, { op: 'device.reset_method' }>;

/** PCI_NUM_RESET_METHODS, the empty one at its beginning included. */
const most = 8;

const names: ReadonlySet<string> = new Set([
  'device_specific',
  'acpi',
  'flr',
  'af_flr',
  'pm',
  'bus',
  'cxl_bus',
]);

/** A method with which nobody will be reset, and the reason. */
type Refused = 'invalid' | 'unsupported' | 'too many';

/** The methods that a text leaves, in its order (drivers/pci/pci.c:reset_method_store). */
export function methodsOf(
  world: World,
  state: State,
  hardware: Hardware,
  text: string,
): { readonly methods: readonly string[] } | { readonly refused: Refused; readonly name: string } {
  const asked = handed(text);
  if (sameLine(asked, '')) return { methods: [] };
  const available = possibleResets(world, state, hardware);
  if (sameLine(asked, 'default')) return { methods: available };
  const methods: string[] = [];
  for (const word of asked.split(' ')) {
    if (sameLine(word, '')) continue;
    // strim takes away white space of every kind.
    const name = word.replace(/^[\t-\r]+|[\t-\r]+$/g, '');
    if (!names.has(name)) return { refused: 'invalid', name };
    if (!available.includes(name)) return { refused: 'unsupported', name };
    if (methods.length === most - 1) return { refused: 'too many', name };
    methods.push(name);
  }
  return { methods };
}

const store = 'drivers/pci/pci.c:reset_method_store';

function refused(why: Refused, id: string, words: string): Guard<Write> {
  return onDevice<Write>({
    id: `device.reset_method.${id}`,
    words,
    errno: 'EINVAL',
    citation: store,
    test: (world, state, hardware, _device, op) => {
      const answer = methodsOf(world, state, hardware, op.text);
      return 'refused' in answer && answer.refused === why;
    },
  });
}

const file = deviceFile<Write>(
  'device.reset_method',
  'reset_method',
  (_hardware, { settings }, world) => world.profile.viability === 'claim' && settings.resettable,
);
// One walk over the words finds all three; which it finds first is the text's to say.
const now = [
  ...file,
  refused('invalid', 'invalid', 'a word is no name of a way to reset'),
  refused('unsupported', 'unsupported', 'the function cannot be reset in this way'),
  refused('too many', 'count', 'more words than there are ways to reset'),
];

export const deviceResetMethod: Rule<Write> = {
  words: {
    object: 'sysfs',
    call: 'write(/sys/bus/pci/devices/DEVICE/reset_method, text)',
    arguments: {
      device: 'whose file (none before 5.15)',
      text: 'names with spaces between, `default`, or a lone newline for none',
    },
    effect: 'These ways to reset the function are tried from now on, in this order.',
    undo: '`device.reset_method` with what was before',
  },
  guards: { seed: file.slice(0, 1), '6.1': now },
  effect: (world, state, op) => {
    const hardware = deviceAt(world, state, op.device);
    const value = taken(op.text);
    if (hardware === undefined || op.text === '') return { value };
    const answer = methodsOf(world, state, hardware, op.text);
    const before = state.devices[hardware.index]?.settings.resetMethods;
    if ('refused' in answer || same(answer.methods, before)) return { value };
    return { state: changeSettings(state, hardware, { resetMethods: answer.methods }), value };
  },
  undo: (world, before, op) => {
    const hardware = deviceAt(world, before, op.device);
    const methods = (hardware && before.devices[hardware.index]?.settings.resetMethods) ?? [];
    return { ...op, text: methods.length === 0 ? '\n' : methods.join(' ') };
  },
};
