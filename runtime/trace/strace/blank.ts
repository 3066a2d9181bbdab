import { rules } from '../../../src/model/ops.ts';
import { traceSchema } from '../../../src/wire/generated/trace.ts';
import type { JsonSchema } from '../../../src/wire/schema.ts';
import type { TraceOperation } from '../../../src/wire/trace.ts';

/** The operation that an ioctl's number stands for on a kind of file, as the model has them. */
export function operationFor(kind: string, request: number): TraceOperation['op'] | undefined {
  return byNumber.get(`${kind} ${request}`);
}

const byNumber: ReadonlyMap<string, TraceOperation['op']> = new Map(
  Object.entries(rules).flatMap(([op, { ioctl }]) =>
    ioctl === undefined ? [] : [[`${ioctl.on} ${ioctl.request}`, op as TraceOperation['op']] as const],
  ),
);

/**
 * An operation of which only some fields are told; what stands in the others holds the place. Of what is told, it takes the
 * fields that it has; `undefined` says that one is left out.
 */
export function blank(
  op: TraceOperation['op'],
  told: Readonly<Record<string, unknown>>,
): { readonly operation: TraceOperation; readonly untold: readonly string[] } {
  const { required = [], properties = {} } = schemas.get(op) ?? {};
  const fields: Record<string, unknown> = { op };
  const untold: string[] = [];
  for (const [field, schema] of Object.entries(properties)) {
    if (field === 'op' || field === 'as') continue;
    if (Object.hasOwn(told, field) || !(required.includes(field) || field === 'argsz')) continue;
    untold.push(field);
    if (required.includes(field)) fields[field] = placeholder(schema);
  }
  for (const [field, value] of Object.entries(told))
    if (Object.hasOwn(properties, field) && value !== undefined) fields[field] = value;
  return { operation: fields as unknown as TraceOperation, untold };
}

const schemas: ReadonlyMap<string, JsonSchema> = new Map(
  (traceSchema.$defs?.['TraceOperation']?.oneOf ?? []).map((schema) => [
    String(schema.properties?.['op']?.const),
    schema,
  ]),
);

function placeholder(written: JsonSchema): unknown {
  const schema =
    written.$ref === undefined ? written : (traceSchema.$defs?.[written.$ref.replace('#/$defs/', '')] ?? {});
  if (schema.enum !== undefined) return schema.enum[0];
  const branch = schema.anyOf ?? schema.oneOf;
  if (branch !== undefined)
    return placeholder(branch.find(({ type }) => type === 'integer') ?? branch[0] ?? {});
  switch (schema.type) {
    case 'integer':
      return 0;
    case 'array':
      return [];
    case 'boolean':
      return false;
    case 'object':
      return {};
    default:
      return schema.pattern?.startsWith('^0x') ? '0x0' : '';
  }
}
