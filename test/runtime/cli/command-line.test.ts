import { expect, test } from 'vitest';
import { commandLineOf } from '../../../runtime/cli/command-line.ts';

function shown(argv: readonly string[], word: string): string {
  const line = commandLineOf(argv);
  const { span } = line.placeOf(word);
  return line.text.slice(span.start, span.end);
}

test('points at a word, also at the value behind an equals sign', () => {
  expect(shown(['check', 'a.vfio', '--today', 'x'], 'a.vfio')).toBe('a.vfio');
  expect(shown(['check', '--today=never'], 'never')).toBe('--today=never');
});

test('points at the whole line when the word was not typed', () => {
  expect(shown(['check', 'a.vfio'], 'b.vfio')).toBe('vfioplan check a.vfio');
});

test('stays on one line whatever the words hold', () => {
  const line = commandLineOf(['check', 'a\nb', 'two words', '\u001b[2J', '']);
  expect(line.text).not.toMatch(/\p{Cc}/u);
  expect(line.text).toContain("'two words'");
});
