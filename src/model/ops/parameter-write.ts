import { draftOf } from '../draft.ts';
import type { Guard, Rule } from '../guard.ts';
import { loaded, moduleOf, parameterOf, parsed } from '../modules.ts';
import { once } from '../once.ts';
import type { Op } from '../op.ts';
import { rootOnly } from '../permission.ts';
import { replace } from '../places.ts';
import { handler } from '../sysfs-file.ts';
import { taken } from '../text.ts';

type Write = Extract<Op, { op: 'parameter.write' }>;

/** How the kernel reads the text; null: there is no such parameter. */
const readAs = once<Write, ReturnType<typeof parsed> | null>((world, state, op) => {
  const now = parameterOf(world, state, op.module, op.parameter);
  return now === null ? null : parsed(world, now, op.text);
});

const guards: readonly Guard<Write>[] = [
  {
    id: 'parameter.write.missing',
    words: 'the module is not loaded, or this kernel gives it no such parameter',
    errno: 'ENOENT',
    citation: 'kernel/params.c:add_sysfs_param (drivers/vfio: module_param_named under CONFIG_VFIO_NOIOMMU)',
    applies: (world, state, op) => parameterOf(world, state, op.module, op.parameter) === null,
  },
  {
    id: 'parameter.write.read-only',
    words: 'the parameter can only be given when the module is loaded',
    errno: 'EACCES',
    citation: 'fs/kernfs/file.c:kernfs_fop_open',
    applies: (world, _state, op) => moduleOf(world, op.module)?.readOnly.includes(op.parameter) === true,
  },
  rootOnly('parameter.write', 'a module parameter'),
  unreadable('EINVAL', 'text', 'the kernel cannot read the text as a value of this parameter'),
];

/** None of VFIO's parameters was a number before. */
const tooLarge = unreadable('ERANGE', 'range', 'the number is too large for the parameter');

export const parameterWrite: Rule<Write> = {
  words: {
    object: 'modules',
    call: 'write(/sys/module/MODULE/parameters/PARAMETER, text)',
    arguments: { module: 'its name', parameter: 'its name', text: 'what is written' },
    effect: 'The parameter has the value; groups that exist keep what they are.',
    undo: '`parameter.write` with what was before',
  },
  guards: { seed: guards, '6.1': [...guards, tooLarge] },
  effect: (world, state, op) => {
    const module = moduleOf(world, op.module);
    const parameters = loaded(world, state, op.module);
    const read = op.text === '' ? null : readAs(world, state, op);
    const value = taken(op.text);
    if (module === undefined || parameters === null || read === null || typeof read === 'string')
      return { value };
    if (read.text === parameters[op.parameter]) return { value };
    // In two steps: V8 copies an object faster than one with a member whose name varies.
    const changed: Record<string, string> = { ...parameters };
    changed[op.parameter] = read.text;
    const draft = draftOf(state);
    draft.modules = replace(state.modules, module.index, changed);
    return { state: draft, value };
  },
  undo: (world, before, op) => {
    const text = parameterOf(world, before, op.module, op.parameter);
    return text === null ? { none: 'the parameter does not exist' } : { ...op, text };
  },
};

function unreadable(errno: 'EINVAL' | 'ERANGE', id: string, words: string): Guard<Write> {
  return handler<Write>({
    id: `parameter.write.${id}`,
    words,
    errno,
    citation: 'kernel/params.c:param_set_bool, param_set_uint (lib/kstrtox.c:kstrtobool, kstrtouint)',
    applies: (world, state, op) => readAs(world, state, op) === errno,
  });
}
