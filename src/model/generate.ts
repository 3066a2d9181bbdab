import type { Asked, Rule, Subject } from './guard.ts';
import { laws } from './laws.ts';
import type { OpKind } from './op.ts';
import { asking, rules } from './ops.ts';
import { type ProfileId, profileIds, profiles } from './profiles.ts';
import { noProcess } from './step.ts';

/** The model as a page for who knows the kernel and reads no TypeScript, made of the very tables that `step` walks. */
export function generate(): Record<string, string> {
  return { 'docs/model.md': page() };
}

const kernels: readonly ProfileId[] = profileIds;

const subjects: Readonly<Record<Subject, string>> = {
  container: 'Containers: /dev/vfio/vfio',
  group: 'Groups: /dev/vfio/N and /dev/vfio/noiommu-N',
  device: 'Devices: what GET_DEVICE_FD gives',
  cdev: 'Device nodes: /dev/vfio/devices/vfioX',
  iommufd: 'iommufd: /dev/iommu',
  sysfs: 'sysfs: devices and drivers',
  modules: 'Modules and their parameters',
  files: 'Files and descriptors',
  configuration: 'Configuration files',
  kvm: 'Virtual machines: /dev/kvm, and the VFIO device of a machine',
};

function page(): string {
  const ops = Object.entries(rules) as unknown as readonly (readonly [OpKind, Rule])[];
  const chapters = (Object.keys(subjects) as readonly Subject[]).flatMap((subject) => {
    const inside = ops.filter(([, { words }]) => words.object === subject);
    const sections = inside.flatMap(([op, rule]) => operation(op, rule));
    return inside.length === 0 ? [] : [`## ${subjects[subject]}`, '', ...sections];
  });
  const guards = new Set(
    ops.flatMap(([op]) => kernels.flatMap((kernel) => asking[kernel][op].guards.map(({ id }) => id))),
  );
  return `${[
    ...introduction(ops.length, guards.size),
    ...chapters,
    '## Laws',
    '',
    'What holds in every reachable state or of every step, in the kernels named. The exhaustive exploration of small worlds',
    'asks each law everywhere (`test/src/model`).',
    '',
    ...table(
      ['law', 'statement', 'enforced in', 'kernels'],
      laws.map(({ id, statement, enforcedBy, profiles: held }) => [
        id,
        statement,
        code(enforcedBy),
        which(held),
      ]),
    ),
  ]
    .join('\n')
    .trimEnd()}\n`;
}

function introduction(operations: number, guards: number): readonly string[] {
  return [
    '# The model',
    '',
    '<!-- Generated from src/model by `npm run generate`. -->',
    '',
    `The formal model of VFIO is a transition system: ${operations} operations, which ${guards} guards may refuse. This page is made of the`,
    'tables that the model itself runs on, so what is wrong here is wrong in the checker, in the planner and in the simulated',
    'kernel. Where it differs from a real kernel, the kernel is right: please say so.',
    '',
    '**How to read it.** An operation is made by a process. Its guards stand in the order in which the kernel makes these',
    'tests; the first that applies gives the errno, and a refused operation changes nothing. If none applies, the effect',
    'happens. *waits* in place of an errno: the call would not return until others let go. The source is file:function in the',
    'kernel’s tree, and where kernels differ each is told after its name. A guard that stands in some kernels alone names',
    'them; kernels that make the same tests in different orders have tables of their own.',
    '',
    'Of arguments the tables tell what is the operation’s own. Most have `fd`, the descriptor that the call is made on, and',
    'those with a structure behind a pointer have `argsz`, the size that its first field claims: nothing for “large enough”, null for a',
    `pointer that cannot be read. Before all guards the model asks whether the calling process exists (\`${noProcess.id}\`). An ioctl`,
    'whose number means something else on the file that it is made on is that other operation, or the `ioctl` below.',
    '',
    ...table(
      ['kernel', 'source that was read'],
      kernels.map((kernel) => [`\`${kernel}\``, profiles[kernel].source]),
    ),
  ];
}

function operation(op: OpKind, rule: Rule): readonly string[] {
  const { call, arguments: own, effect, undo } = rule.words;
  const request = rule.ioctl === undefined ? '' : `, request 0x${rule.ioctl.request.toString(16)}`;
  const args = Object.entries<string>(own).map(([name, words]) => `- \`${name}\`: ${words}`);
  return [
    `### ${op}`,
    '',
    `\`${call}\`${request}`,
    '',
    ...(args.length > 0 ? [...args, ''] : []),
    ...guardTables(op),
    `**Effect.** ${effect}`,
    '',
    `**Undo.** ${undo.startsWith('none: ') ? `N${undo.slice(1)}` : undo}.`,
    '',
  ];
}

function guardTables(op: OpKind): readonly string[] {
  const shared = sameOrders(op);
  return shared.flatMap(({ kernels: inside, order }) => {
    const title = shared.length === 1 ? [] : [`In ${which(inside)}:`, ''];
    if (order.length === 0) return [...title, 'No guard: it never fails.', ''];
    const rows = order.map((id, place) => {
      const made = inside.flatMap((kernel) => {
        const guard = asking[kernel][op].guards.find((other) => other.id === id);
        return guard === undefined ? [] : [[kernel, guard] as const];
      });
      const told = made.length === inside.length ? 'all' : made.map(([kernel]) => kernel).join(', ');
      return [`${place + 1}`, ...guardRow(id, made), ...(inside.length > 1 ? [told] : [])];
    });
    const heads = ['', 'refused when', 'errno', 'guard', 'source', ...(inside.length > 1 ? ['kernels'] : [])];
    return [...title, ...table(heads, rows)];
  });
}

function guardRow(id: string, made: readonly (readonly [ProfileId, Asked])[]): readonly string[] {
  return [
    perKernel(made, ({ words }) => words),
    perKernel(made, ({ errno }) => errno ?? '*waits*'),
    `\`${id}\``,
    perKernel(made, ({ citation }) => code(citation)),
  ];
}

/** What is told once if it is the same everywhere, and otherwise after the kernels that it is true of. */
function perKernel(made: readonly (readonly [ProfileId, Asked])[], tell: (guard: Asked) => string): string {
  const told = new Map<string, ProfileId[]>();
  for (const [kernel, guard] of made) {
    const text = tell(guard);
    told.set(text, [...(told.get(text) ?? []), kernel]);
  }
  const texts = [...told];
  if (texts.length === 1) return texts[0]?.[0] ?? '';
  return texts.map(([text, where]) => `${where.join(', ')}: ${text}`).join('<br>');
}

/** Kernels whose guards fit into one order, and that order. */
function sameOrders(
  op: OpKind,
): readonly { readonly kernels: readonly ProfileId[]; readonly order: readonly string[] }[] {
  const shared: { kernels: ProfileId[]; order: readonly string[] }[] = [];
  const idsOf = (kernel: ProfileId) => asking[kernel][op].guards.map(({ id }) => id);
  for (const kernel of kernels) {
    const place = shared.find((other) => merged([...other.kernels, kernel].map(idsOf)) !== null);
    if (place === undefined) shared.push({ kernels: [kernel], order: idsOf(kernel) });
    else {
      place.kernels.push(kernel);
      place.order = merged(place.kernels.map(idsOf)) ?? place.order;
    }
  }
  return shared;
}

/** One order in which every list is a part; null when two lists have something in opposite orders. */
function merged(lists: readonly (readonly string[])[]): readonly string[] | null {
  let rest = lists.filter((list) => list.length > 0);
  const order: string[] = [];
  while (rest.length > 0) {
    const heads = rest.map((list) => list[0]);
    const next = heads.find((head) => rest.every((list) => list.indexOf(head ?? '', 1) === -1));
    if (next === undefined) return null;
    order.push(next);
    rest = rest.map((list) => (list[0] === next ? list.slice(1) : list)).filter((list) => list.length > 0);
  }
  return order;
}

function which(some: readonly ProfileId[]): string {
  return some.length === kernels.length ? 'all' : some.join(', ');
}

function code(text: string): string {
  return `\`${text}\``;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heads), `|${'---|'.repeat(heads.length)}`, ...rows.map(line), ''];
}
