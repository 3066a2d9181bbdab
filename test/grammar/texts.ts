import fc from 'fast-check';
import { keywords } from '../../grammar/keywords.ts';
import { sample } from './sample.ts';
import { sentences } from './sentences.ts';

const scraps = fc.oneof(
  fc.constantFrom(...Object.keys(keywords)),
  fc.constantFrom(
    ...[
      '{',
      '}',
      '(',
      ')',
      ',',
      '..',
      '>=',
      '"',
      '"a"',
      '#',
      '# c\n',
      '\n',
      '\r\n',
      '\r',
      '\t',
      ' ',
      '\\',
      ';',
    ],
    ...['\ufeff', '\u202e', '漢', '\ud800', '\nhost x {', '\npolicy', ' import "x"', 'not ', '\0'],
  ),
  fc.string({ unit: 'binary', maxLength: 5 }),
);
/** What the grammar makes, with scraps put in place of a part: mostly one broken declaration among sound ones. */
const broken = fc
  .tuple(
    fc.oneof(sentences, fc.constant(sample)),
    fc.nat(1 << 16),
    fc.nat(20),
    fc.array(scraps, { maxLength: 4 }),
  )
  .map(([text, at, length, scrap]) => {
    const from = at % (text.length + 1);
    return text.slice(0, from) + scrap.join('') + text.slice(from + length);
  });
const soup = fc.array(scraps, { maxLength: 60 }).map((words) => words.join(' '));
/** Sound, broken and senseless texts. */
export const anyText: fc.Arbitrary<string> = fc.oneof(sentences, broken, soup, fc.string({ unit: 'binary' }));
