import type { Place } from '../diagnostics/diagnostic.ts';
import type { Snapshot } from '../machine/snapshot.ts';
import { traceSchema } from './generated/trace.ts';
import type { TraceHeader, TraceOperation, TraceRecord } from './generated/trace-types.ts';
import type { JsonSchema } from './schema.ts';

/** Lines of a trace. Defined in `trace.schema.ts`. */
export type {
  TraceCall,
  TraceDescriptor,
  TraceHeader,
  TraceOperation,
  TraceRecord,
  TraceResult,
} from './generated/trace-types.ts';

/** A record, and where it stands: `line` counts from 1. */
export interface TraceLine<Record extends TraceRecord = TraceRecord> {
  readonly record: Record;
  readonly line: number;
  readonly place: Place;
}

/** A trace as it was read: names are introduced before they are used. */
export interface Trace {
  readonly header: TraceLine<TraceHeader>;
  /** The snapshot that the header holds; a file that it names is not read here. */
  readonly snapshot?: Snapshot;
  readonly records: readonly TraceLine<Exclude<TraceRecord, TraceHeader>>[];
}

/** What a field of an operation holds beside plain numbers and texts. */
export type FieldRole = 'wide' | 'descriptor' | 'process' | 'name';

type Kind = TraceOperation['op'];

/** The operations that a trace can hold. */
export function isTraceOperation(op: string): op is Kind {
  return roles.has(op);
}

export function traceOperations(): readonly string[] {
  return [...roles.keys()];
}

/** The fields of an operation that are not plain, by name; of a list, what its items are. */
export function rolesOf(op: string): ReadonlyMap<string, FieldRole> {
  return roles.get(op) ?? new Map();
}

const definitions: Readonly<Record<string, FieldRole>> = {
  '#/$defs/TraceWide': 'wide',
  '#/$defs/TraceDescriptor': 'descriptor',
  '#/$defs/TraceProcessName': 'process',
  '#/$defs/TraceName': 'name',
};

const roles: ReadonlyMap<string, ReadonlyMap<string, FieldRole>> = new Map(
  (traceSchema.$defs?.['TraceOperation']?.oneOf ?? []).map(({ properties = {} }) => [
    String(properties['op']?.const),
    new Map(
      Object.entries(properties).flatMap(([field, schema]) => {
        const role = roleOf(schema);
        return role === undefined ? [] : [[field, role] as const];
      }),
    ),
  ]),
);

function roleOf(schema: JsonSchema): FieldRole | undefined {
  return definitions[schema.$ref ?? ''] ?? (schema.items === undefined ? undefined : roleOf(schema.items));
}
