/** Simpler arguments of one step: what a person who reads a disagreement need not wonder about. */
import { actors } from './cast.ts';
import type { Step } from './sequence.ts';

type Fields = Readonly<Record<string, unknown>>;

/** May be left out: then they are as the kernel wants them. */
const optional = ['argsz', 'tail', 'reserved', 'also'];

/** Numbers without which no other field means anything else. */
const numbers = [
  ...['flags', 'index', 'start', 'type', 'extension', 'request', 'operation', 'option', 'room', 'argsz'],
  ...['ioas', 'target', 'object', 'id', 'dst', 'src', 'mode', 'uid', 'gid'],
];

/** A mapping may become shorter, but its user address goes with what lies there. */
const addresses = [
  ...['iova', 'size', 'length', 'offset', 'dstIova', 'srcIova', 'value', 'pgsize', 'bitmapSize'],
];

/** The same step with one argument simpler, the simplest first. Each is simpler in an order that has an end. */
export function* simpler(step: Step): Iterable<Step> {
  const fields = step.op as unknown as Fields;
  const [{ pid: first }] = actors;
  if (Object.keys(step.from).length === 0 && fields['pid'] !== first) yield changed(step, { pid: first });
  for (const name of optional) if (name in fields) yield without(step, name);
  if (step.op.op === 'bus.rescan' && step.op.device !== undefined) yield without(step, 'device');
  for (const name of numbers) {
    const value = fields[name];
    if (typeof value !== 'number' || name in step.from) continue;
    for (const less of lesser(value)) yield changed(step, { [name]: less });
  }
  for (const name of addresses) {
    const value = fields[name];
    if (typeof value !== 'bigint') continue;
    for (const less of [0n, 0x1000n, 1n << 40n]) if (less < value) yield changed(step, { [name]: less });
  }
  yield* shorter(step, fields);
}

/** 0, and the number with one of its bits cleared. */
function lesser(value: number): readonly number[] {
  const all = [0, 1];
  for (let bit = 1; bit > 0 && bit <= value && bit < 2 ** 31; bit *= 2) {
    if (Math.floor(value / bit) % 2 === 1) all.push(value - bit);
  }
  return [...new Set(all)].filter((less) => less < value);
}

function* shorter(step: Step, fields: Fields): Iterable<Step> {
  const { bytes, groups, ranges, data, count } = fields;
  if (Array.isArray(bytes)) {
    if (bytes.some((byte) => byte !== 0)) yield changed(step, { bytes: bytes.map(() => 0) });
    if (bytes.length > 1) yield changed(step, { bytes: bytes.slice(0, bytes.length >> 1) });
  }
  if (Array.isArray(groups) && groups.length > 0) yield changed(step, { groups: groups.slice(0, -1) });
  if (Array.isArray(ranges) && ranges.length > 1) yield changed(step, { ranges: ranges.slice(0, -2) });
  // As many data as are counted.
  if (Array.isArray(data) && data.length > 0 && count === data.length) {
    const left = data.slice(0, -1);
    const from = Object.entries(step.from).filter(([name]) => name !== `data.${left.length}`);
    yield changed({ ...step, from: Object.fromEntries(from) }, { data: left, count: left.length });
  }
}

function changed(step: Step, fields: Fields): Step {
  return { ...step, op: { ...step.op, ...fields } as Step['op'] };
}

function without(step: Step, name: string): Step {
  const { [name]: _, ...rest } = step.op as unknown as Fields;
  const { [name]: __, ...from } = step.from;
  return { ...step, op: rest as unknown as Step['op'], from };
}
