import type { Span } from '../../grammar/span.ts';
import { report } from '../diagnostics/report.ts';
import type { Lowering } from './lowering.ts';

/** Says which of the nodes repeat another. `word` gives what may be said once; nodes without it may repeat. */
export function reportTwice<N extends Span>(
  at: Lowering,
  nodes: readonly N[],
  word: (node: N) => string | undefined,
): void {
  const seen = new Map<string, N>();
  for (const node of nodes) {
    const said = word(node);
    if (said === undefined) continue;
    const first = seen.get(said);
    if (first === undefined) {
      seen.set(said, node);
      continue;
    }
    const place = at.placeOf(node);
    at.diagnostics.push(
      report(
        'VP1020',
        place,
        { word: said },
        {
          related: [{ place: at.placeOf(first), message: 'said first here' }],
          cures: ['keep one of them'],
          fixes: [{ title: 'remove the second', edits: [{ ...place, text: '' }] }],
        },
      ),
    );
  }
}
