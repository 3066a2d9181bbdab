import type { Span } from '../../grammar/span.ts';
import { removal } from '../diagnostics/fixes.ts';
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
    const earlier = at.placeOf(first);
    // If both say the same, nothing is lost; if not, only their author knows which was meant.
    const same = at.wordsOf(node) === at.wordsOf(first);
    const fixes = same
      ? [removal(place, 'the second', true)]
      : [removal(place, 'the second'), removal(earlier, 'the first')];
    at.diagnostics.push(
      report(
        'VP1020',
        place,
        { word: said },
        { related: [{ place: earlier, message: 'said first here' }], cures: ['keep one of them'], fixes },
      ),
    );
  }
}
