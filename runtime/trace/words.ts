import type { TraceOperation } from '../../src/wire/trace.ts';

/** An operation on one line: `group.set_container fd=group container=c`; `?` stands for what is not told. */
export function operationWords(operation: TraceOperation, untold: readonly string[] = []): string {
  const { op, ...fields } = operation;
  const told = Object.entries(fields).map(
    ([name, value]) => `${name}=${untold.includes(name) ? '?' : valueWords(value)}`,
  );
  return [op, ...told].join(' ');
}

function valueWords(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text === '' ? '""' : text;
}
