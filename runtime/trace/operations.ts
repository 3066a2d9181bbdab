import type { Op } from '../../src/model/op.ts';
import { rolesOf, type TraceDescriptor, type TraceOperation } from '../../src/wire/trace.ts';

/** What the names of a trace stand for in one run of it. */
export interface Bound {
  /** The number that a name stands for in this process; a number stands for itself. */
  descriptor(pid: number, name: TraceDescriptor): number;
  pid(process: string): number;
}

/** What the numbers of one run are called in a trace. */
export interface Named {
  descriptor(pid: number, fd: number): TraceDescriptor;
  process(pid: number): string;
}

type Fields = Readonly<Record<string, unknown>>;

/** A trace's operation as the model's, done by process `pid`. */
export function opOf(operation: TraceOperation, pid: number, bound: Bound): Op {
  const { as: _, ...fields } = operation as TraceOperation & { readonly as?: string };
  return { ...converted(fields, inward(pid, bound)), pid } as unknown as Op;
}

/** The model's operation as a trace has it; `as` names the descriptor that it answers. */
export function operationOf(op: Op, named: Named, as?: string): TraceOperation {
  const { pid, ...fields } = op;
  const operation = converted(fields, outward(pid, named));
  return { ...operation, ...(as === undefined ? {} : { as }) } as unknown as TraceOperation;
}

/** Whether an operation answers a descriptor, which may be named. */
export function opens(op: string): boolean {
  return rolesOf(op).has('as');
}

export function wide(value: bigint): string {
  return `0x${BigInt.asUintN(64, value).toString(16)}`;
}

/** Changes one field's value, or one item of a list. */
type Change = (value: unknown, field: string, op: string) => unknown;

function converted(fields: Fields & { readonly op: string }, change: Change): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([field, value]) => [
      field,
      Array.isArray(value)
        ? value.map((item) => change(item, field, fields.op))
        : change(value, field, fields.op),
    ]),
  );
}

function inward(pid: number, bound: Bound): Change {
  return (value, field, op) => {
    switch (rolesOf(op).get(field)) {
      case 'wide':
        return BigInt(value as string);
      case 'descriptor':
        return bound.descriptor(pid, value as TraceDescriptor);
      case 'process':
        return bound.pid(value as string);
      default:
        return value;
    }
  };
}

function outward(pid: number, named: Named): Change {
  return (value, field, op) => {
    switch (rolesOf(op).get(field)) {
      case 'wide':
        return wide(value as bigint);
      case 'descriptor':
        return named.descriptor(pid, value as number);
      case 'process':
        return named.process(value as number);
      default:
        return value;
    }
  };
}
