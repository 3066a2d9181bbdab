import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { format } from '../../../src/format/format.ts';

// What the repository shows of the language is laid out as it says. To mend one: `npx vfioplan fmt FILE`; a page's block
// is put into a file first.

const root = join(import.meta.dirname, '../../..');

function filesIn(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));
}

function blocksOf(markdown: string): string[] {
  return [...markdown.matchAll(/^```vfio\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);
}

const examples = filesIn('examples', '.vfio');
const pages = [...filesIn('src/diagnostics/pages', '.md'), 'grammar/README.md'];

describe('the layout of the repository', () => {
  it('has examples and pages', () => {
    expect(examples.length).toBeGreaterThan(4);
    expect(pages.length).toBeGreaterThan(100);
  });

  it.each(examples)('%s', (file) => {
    const text = readFileSync(join(root, file), 'utf8');
    expect(format(file, text)).toEqual({ text, diagnostics: [] });
  });

  it.each(pages)('%s', (file) => {
    const markdown = readFileSync(join(root, file), 'utf8');
    // What is fixed can be read; what is bad may be beyond reading, and then stays as it is.
    const [bad = '', fixed = bad] = markdown.split('## Fixed');
    for (const text of blocksOf(bad)) expect(format(file, text).text).toBe(text);
    for (const text of blocksOf(fixed)) expect(format(file, text)).toEqual({ text, diagnostics: [] });
  });
});
