import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { nameMeant } from '../diagnostics/fixes.ts';
import { report } from '../diagnostics/report.ts';
import { type Errno, errnoNumbers } from '../model/errno.ts';
import { asking } from '../model/ops.ts';
import type { Document, TestStatement, Word } from '../syntax/ast.ts';
import { type Origin, placeOf } from '../syntax/places.ts';

/** What the calls of the model answer when they are refused. */
export const knownErrnos: readonly string[] = Object.keys(errnoNumbers);

/** The calls by which tests open, use and map. */
const calls = [
  'open',
  'group.set_container',
  'container.set_iommu',
  'group.get_device_fd',
  'container.map_dma',
  'device.bind_iommufd',
  'iommufd.ioas_map',
] as const;

/** The number of an errno that the model knows, and for which reasons Linux 6.12 answers it to what a test can do. */
export function refusalsWith(errno: string): {
  readonly number: number | undefined;
  readonly refusals: readonly { readonly call: string; readonly words: string; readonly citation: string }[];
} {
  const refusals = calls.flatMap((op) =>
    asking['6.12'][op].guards.flatMap(({ errno: answer, words, citation }) =>
      answer === errno ? [{ call: op, words, citation }] : [],
    ),
  );
  return { number: errnoNumbers[errno as Errno], refusals };
}

/** Errnos in tests that nothing of what the model knows ever answers. */
export function checkErrnos(documents: readonly Document[]): Diagnostic[] {
  return documents.flatMap(({ file, declarations }) =>
    declarations
      .flatMap(({ base, node }) =>
        node.kind === 'test'
          ? node.statements.flatMap(answersOf).map((word) => ({ origin: { file, base }, word }))
          : [],
      )
      .filter(({ word: { text } }) => text !== 'ok' && !knownErrnos.includes(text))
      .map(({ origin, word }) => unknown(origin, word)),
  );
}

function answersOf(statement: TestStatement): readonly Word[] {
  if (statement.kind === 'act')
    return statement.calls.flatMap((call) => (call.kind === 'hole' ? [] : [call.result]));
  return statement.kind === 'apply' && statement.fault?.kind === 'fails' ? [statement.fault.errno] : [];
}

function unknown(origin: Origin, word: Word): Diagnostic {
  const { text } = word;
  const place = placeOf(origin, word);
  const meant = nameMeant(place, text, knownErrnos);
  if (meant.fixes.length > 0) return report('VP2016', place, { text }, meant);
  return report(
    'VP2016',
    place,
    { text },
    { cures: [`it knows ${knownErrnos.slice(0, 8).join(', ')} and others`] },
  );
}
