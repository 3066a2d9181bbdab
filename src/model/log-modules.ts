import { idOf } from './dynamic-ids.ts';
import { deviceLines } from './log-probes.ts';
import { givenTo } from './module-arguments.ts';
import { loaded, moduleName } from './modules.ts';
import type { Op } from './op.ts';
import { loadStages } from './ops/module-load.ts';
import type { State, World } from './state.ts';

/** What is logged while modules are loaded. */

type Load = Extract<Op, { op: 'module.load' }>;

/** drivers/vfio/vfio_main.c:vfio_init. */
export function versionLine(world: World, before: State, after: State): readonly string[] {
  const appeared = before.modules[world.vfioModule] === null && after.modules[world.vfioModule] !== null;
  return appeared ? ['VFIO - User Level meta-driver version: 0.3'] : [];
}

/** Module by module, and for vfio-pci id by id. */
export function loadLines(world: World, before: State, op: Load): readonly string[] {
  const lines: string[] = [];
  let now = before;
  for (const { state, id } of loadStages(world, before, op.module, op.parameters)) {
    const appears = loaded(world, now, op.module) === null && loaded(world, state, op.module) !== null;
    if (appears) lines.push(...argumentLines(world, op));
    lines.push(...versionLine(world, now, state));
    // An id is offered as one that is written to new_id is.
    const step: Op =
      id === undefined ? op : { op: 'driver.new_id', pid: op.pid, driver: 'vfio-pci', text: '' };
    lines.push(...deviceLines({ world, before: now, after: state, op: step }));
    if (id !== undefined) lines.push(idLine(world, id.text));
    now = state;
  }
  const came = now !== before && moduleName(op.module) === 'vfio_pci';
  const disabled = loaded(world, now, 'vfio_pci')?.['disable_denylist'] === 'Y';
  return came && disabled ? [...lines, 'vfio_pci: device denylist disabled.'] : lines;
}

/** What is logged of a load that the kernel refused: what it needed was loaded before. */
export function refusedLoadLines(world: World, before: State, left: State, op: Load): readonly string[] {
  return [
    ...versionLine(world, before, left),
    ...deviceLines({ world, before, after: left, op }),
    ...argumentLines(world, op),
  ];
}

/** kernel/module/main.c:unknown_module_param_cb, kernel/params.c:parse_args, param_set_copystring. */
function argumentLines(world: World, op: Load): readonly string[] {
  const module = moduleName(op.module);
  return givenTo(world, op.module, op.parameters).told.flatMap(({ name, text, errno }) => {
    switch (errno) {
      case 'ENOENT':
        return [`${module}: unknown parameter '${name}' ignored`];
      case 'ENOSPC':
        return [
          `${name}: string doesn't fit in 1023 chars.`,
          `${module}: \`${text}' too large for parameter \`${name}'`,
        ];
      default:
        return [`${module}: \`${text}' invalid for parameter \`${name}'`];
    }
  });
}

/** drivers/vfio/pci/vfio_pci.c:vfio_pci_fill_ids. */
function idLine(world: World, text: string): string {
  const id = idOf(text, ':')?.id;
  if (id === undefined) return `vfio_pci: invalid id string "${text}"`;
  // Wildcards were shown as 16 bits at first.
  const bits = world.profile.viability === 'walk' ? 0xffff : 0xffffffff;
  const hex = (value: number, digits = 4) => value.toString(16).padStart(digits, '0');
  const [vendor, device, subvendor, subdevice] = [id.vendor, id.device, id.subvendor, id.subdevice].map(
    (part) => hex((part & bits) >>> 0),
  );
  return `vfio_pci: add [${vendor}:${device}[${subvendor}:${subdevice}]] class 0x${hex(id.class, 6)}/${hex(id.mask, 8)}`;
}
