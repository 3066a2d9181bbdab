import { type Formatting, format, formatWith } from '../../src/format/format.ts';
import { written } from '../../src/format/write.ts';
import { readDocument } from '../../src/syntax/read.ts';
import { unconfirmed } from '../runtime/cli/native-bench.ts';
import { provocations as ofTheCommandLine } from '../runtime/cli/provocations.ts';
import { deedProvocations } from '../runtime/execute/provocations.ts';
import { planProvocations } from '../src/plan/provocations.ts';
import { documentProvocations } from './documents.ts';

/**
 * Provokes what no text can: each name stands in a page's `deed` block, and its function makes the situation and gives
 * back the codes that it saw.
 */
export const provocations: Readonly<Record<string, () => readonly string[] | Promise<readonly string[]>>> = {
  ...documentProvocations,
  ...planProvocations,
  ...deedProvocations,
  ...ofTheCommandLine,
  'apply, and nobody confirms': unconfirmed,
  'a file of five million characters': () => wordsOf('#'.repeat(5_000_000)),
  'a file of half a million declarations': () => wordsOf('host a{}'.repeat(500_000)),
  'a hundred and one broken statements': () => wordsOf(`policy p {${' bind card vfio'.repeat(101)} }`),
  'a right-to-left override in a comment': () => wordsOf('# \u202e\n'),
  'a file with a NUL character': () => wordsOf('h\0o\0s\0t\0'),
  'a file with bytes that are no UTF-8': () => wordsOf(new TextDecoder().decode(Uint8Array.of(0x23, 0xe4))),
  'format-a-broken-declaration': () => codesIn(format('policy.vfio', 'policy p { bind card vfio-pci }')),
  'format-a-sound-declaration': () => codesIn(format('policy.vfio', 'policy p{bind card to vfio-pci}# why')),
  'format-with-a-layout-that-loses-a-comment': () =>
    codesIn(
      formatWith(
        (lines, elements) => written(lines, elements).map((line) => line.replace(/#.*/, '')),
        'policy.vfio',
        'policy p { bind card to vfio-pci }   # why',
      ),
    ),
};

function codesIn({ diagnostics }: Pick<Formatting, 'diagnostics'>): string[] {
  return diagnostics.map(({ code }) => code);
}

function wordsOf(text: string): string[] {
  return codesIn(readDocument('policy.vfio', text));
}
