import { type Code, codes } from './codes.ts';
import type { Declaration } from './declare.ts';
import type { Diagnostic, Place } from './diagnostic.ts';

type HolesOf<Text extends string> = Text extends `${string}{${infer Hole}}${infer Rest}`
  ? Hole | HolesOf<Rest>
  : never;

/** The values that a code's message needs, by name; a missing one does not compile. */
export type Holes<C extends Code> = {
  readonly [H in HolesOf<(typeof codes)[C]['message']>]: string | number;
};

export type Extra = Partial<
  Pick<Diagnostic, 'related' | 'causes' | 'cures' | 'kernel' | 'fixes' | 'severity'>
>;

/** Makes a diagnostic. `extra.severity` may only weaken or strengthen what `--strict` governs; leave it out otherwise. */
export function report<C extends Code>(
  code: C,
  place: Place,
  holes: Holes<C>,
  extra: Extra = {},
): Diagnostic {
  const { message, severity }: Declaration = codes[code];
  const values = holes as Record<string, string | number>;
  return {
    code,
    severity,
    message: message.replace(/\{(\w+)\}/g, (_, hole: string) => String(values[hole])),
    place,
    related: [],
    causes: [],
    cures: [],
    fixes: [],
    ...extra,
  };
}
