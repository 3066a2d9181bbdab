import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { replacement } from '../diagnostics/fixes.ts';
import { report } from '../diagnostics/report.ts';
import type { ActStatement, Call, Document } from '../syntax/ast.ts';
import { type Origin, placeOf } from '../syntax/places.ts';

/** What is answered where there is no container and no iommufd: neither is open (fs/ioctl.c SYSCALL_DEFINE3(ioctl)). */
const withoutFile = 'EBADF';

/** Maps in tests that nothing was used before: they are for what the same process used last, and have no file to go to. */
export function checkMaps(documents: readonly Document[]): Diagnostic[] {
  return documents.flatMap(({ file, declarations }) =>
    declarations.flatMap(({ base, node }) =>
      node.kind === 'test'
        ? node.statements.flatMap((statement) =>
            statement.kind === 'act'
              ? mapsBeforeUse(statement).map((map) => nowhere({ file, base }, map))
              : [],
          )
        : [],
    ),
  );
}

type Mapping = Extract<Call, { kind: 'map' }>;

/** What could not be read may have been the use. */
function mapsBeforeUse({ calls }: ActStatement): readonly Mapping[] {
  const first = calls.findIndex(({ kind }) => kind === 'use' || kind === 'hole');
  return (first < 0 ? calls : calls.slice(0, first)).filter(
    (call) => call.kind === 'map' && call.result.text !== withoutFile,
  ) as Mapping[];
}

function nowhere(origin: Origin, map: Mapping): Diagnostic {
  const cures = [
    'use a device before it in the same block: `use DEVICE via group -> ok`',
    `or expect what the kernel answers: \`-> ${withoutFile}\``,
  ];
  const fixes = [replacement(placeOf(origin, map.result), withoutFile)];
  return report('VP2018', placeOf(origin, map), { expected: map.result.text }, { cures, fixes });
}
