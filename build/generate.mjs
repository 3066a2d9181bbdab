/**
 * Writes every generated file of the repository, or with `--check` says which are stale and exits 1.
 *
 * A room with files of its own to generate exports `generate()` from `<room>/generate.ts`: an object from path (relative
 * to the repository) to text, or a promise of one. It is listed in `rooms` and called when it is present.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { register } from 'tsx/esm/api';
import { documents } from './generate/documents.mjs';
import { schemaModuleOf } from './generate/schemas.mjs';
import { typesOf } from './generate/types.mjs';

const root = fileURLToPath(new URL('../', import.meta.url));
const rooms = [
  'grammar/generate.ts',
  'src/model/generate.ts',
  'test/src/model/generate.ts',
  'runtime/cli/generate.ts',
  'test/conformance/generate.ts',
];

async function generated() {
  const unregister = register();
  const files = {};
  for (const document of await documents(root)) {
    files[`docs/schema/${document.name}.json`] = `${JSON.stringify(document.json, null, 2)}\n`;
    files[document.types] = typesOf(document);
    if (!document.onlyWritten) files[`src/wire/generated/${document.name}.ts`] = schemaModuleOf(document);
  }
  for (const room of rooms.filter((path) => existsSync(root + path)))
    Object.assign(files, await (await import(new URL(room, `file://${root}`).href)).generate());
  await unregister();
  return files;
}

const check = process.argv.includes('--check');
const stale = Object.entries(await generated()).filter(
  ([path, text]) => !existsSync(root + path) || readFileSync(root + path, 'utf8') !== text,
);
for (const [path, text] of stale) {
  console.log(`${check ? 'stale' : 'written'}: ${path}`);
  if (check) continue;
  mkdirSync(dirname(root + path), { recursive: true });
  writeFileSync(root + path, text);
}
if (check && stale.length > 0) {
  console.error('run `npm run generate` and commit what it writes');
  process.exitCode = 1;
}
