import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { format } from '../../../src/format/format.ts';

// What the repository shows of the language is laid out as it says. To mend it: `npx vitest run test/src/format -u`.

const root = join(import.meta.dirname, '../../..');

function filesIn(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));
}

/** The page with its policies laid out. What is bad may be beyond reading, and stays; all else can be read. */
function laidOut(markdown: string): string {
  const [bad = '', ...rest] = markdown.split(/(?=^## Fixed$)/m);
  const isPage = rest.length > 0;
  return [bad, ...rest]
    .map((part) =>
      part.replace(/(?<=^```vfio\n)[\s\S]*?(?=^```$)/gm, (block) => {
        const { text, diagnostics } = format('a.vfio', block);
        if (!isPage || part !== bad) expect(diagnostics).toEqual([]);
        return text;
      }),
    )
    .join('');
}

const examples = filesIn('examples', '.vfio');
const pages = [...filesIn('src/diagnostics/pages', '.md'), 'grammar/README.md'];

describe('the layout of the repository', () => {
  it('has examples and pages', () => {
    expect(examples.length).toBeGreaterThan(4);
    expect(pages.length).toBeGreaterThan(100);
  });

  it.each(examples)('%s', async (file) => {
    const { text, diagnostics } = format(file, readFileSync(join(root, file), 'utf8'));
    expect(diagnostics).toEqual([]);
    await expect(text).toMatchFileSnapshot(join(root, file));
  });

  it.each(pages)('%s', async (file) => {
    await expect(laidOut(readFileSync(join(root, file), 'utf8'))).toMatchFileSnapshot(join(root, file));
  });
});
