import type { TraceOperation } from '../../src/wire/trace.ts';

/** What may stand in for a field that a trace does not tell: what there is at that moment. */
export interface Present {
  /** Names of the process's descriptors, those of containers first. */
  readonly descriptors: readonly string[];
  readonly devices: readonly string[];
  /** Of the container that the operation names: some of the first, and the last. */
  readonly mappings: readonly { readonly iova: string; readonly size: string }[];
}

/**
 * Operations that one of which only some fields are told may have been; `whole` says that every answer which the kernel has
 * for any value of these fields is among theirs.
 */
export interface StandIns {
  readonly operations: readonly TraceOperation[];
  readonly whole: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

/** The first is the plainest. */
export function standIns(operation: TraceOperation, untold: readonly string[], present: Present): StandIns {
  const fields = new Set(untold);
  let made: readonly Fields[] = [operation as unknown as Fields];
  if (operation.op === 'container.map_dma') {
    made = mappings(present).map((values) => ({ ...operation, ...values }));
    for (const name of ['flags', 'vaddr', 'iova', 'size', 'memory']) fields.delete(name);
  } else if (operation.op === 'container.unmap_dma') {
    made = unmappings(present).map((values) => ({ ...operation, ...values }));
    for (const name of ['flags', 'iova', 'size']) fields.delete(name);
  }
  const covered = new Set(['argsz', 'container', 'name', 'index']);
  const whole = untold.every((field) => covered.has(field));
  for (const field of fields) {
    const values = valuesOf(field, present);
    if (values.length === 0) continue;
    made = made.flatMap((its) => values.map((value) => withValue(its, field, value))).slice(0, most);
  }
  return { operations: made as unknown as readonly TraceOperation[], whole };
}

/** Beyond it nobody waits for a search. */
const most = 300;

function valuesOf(field: string, { descriptors, devices }: Present): readonly unknown[] {
  switch (field) {
    case 'container':
      return [...descriptors, -1];
    case 'name':
      return [...devices, 'none'];
    case 'index':
      return [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    case 'argsz':
      return [undefined, null, 0];
    default:
      return [];
  }
}

function withValue(fields: Fields, field: string, value: unknown): Fields {
  if (value !== undefined) return { ...fields, [field]: value };
  const { [field]: _, ...rest } = fields;
  return rest;
}

/** A page where nothing is mapped; one that is mapped already; no memory; wrong flags. */
function mappings({ mappings: present }: Present): readonly Fields[] {
  const page = { flags: 3, vaddr: '0x7f0000000000', size: '0x1000', memory: 'writable' };
  const last = present.at(-1);
  const free = last === undefined ? 0n : BigInt(last.iova) + BigInt(last.size);
  return [
    { ...page, iova: `0x${free.toString(16)}` },
    ...present.slice(0, 1).map(({ iova }) => ({ ...page, iova })),
    { ...page, iova: `0x${free.toString(16)}`, memory: 'none' },
    { ...page, iova: '0x0', flags: 0 },
  ];
}

/** Each mapping that there is; none; wrong flags. */
function unmappings({ mappings: present }: Present): readonly Fields[] {
  return [
    ...present.slice(0, 100).map(({ iova, size }) => ({ flags: 0, iova, size })),
    { flags: 0, iova: '0x0', size: '0x1000' },
    { flags: 0xff, iova: '0x0', size: '0x1000' },
  ];
}
