import { fileURLToPath } from 'node:url';
import type { Code } from '../../src/diagnostics/codes.ts';
import type { Files } from './files.ts';

/**
 * The page of a code as Markdown, from beside the program: `pages/` in what is published, the source tree otherwise.
 * `null` when the program was copied without its pages.
 */
export function pageOf(files: Files, home: URL, code: Code): string | null {
  for (const folder of ['pages/', '../../src/diagnostics/pages/']) {
    const read = files.read(fileURLToPath(new URL(`${folder}${code}.md`, home)), 1024 * 1024, false);
    if (read.kind === 'bytes') return new TextDecoder().decode(read.bytes);
  }
  return null;
}
