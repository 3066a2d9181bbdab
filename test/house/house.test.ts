import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { codes } from '../../src/diagnostics/codes.ts';
import { importsOf, lineOf, readRooms, roomOf, root, type SourceFile, sourceFiles } from './rooms.ts';

// The rules of the house, as tests. Each failure is a line `file:line: what is wrong; the cure`.

const rooms = readRooms();
const product = sourceFiles(['grammar', 'src', 'runtime', 'editor', 'bench']);
const everything = [...product, ...sourceFiles(['test'])];
const architecture = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');

function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return 'node';
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function wrongImports(file: SourceFile): readonly string[] {
  const room = roomOf(file.path, rooms);
  if (!room) return [`${file.path}:1: belongs to no room; add a row to the table in ARCHITECTURE.md`];
  return importsOf(file).flatMap(({ from, line, typeOnly }) => {
    const at = `${file.path}:${line}: `;
    if (from.startsWith('.')) {
      const target = posix.normalize(posix.join(posix.dirname(file.path), from));
      const owner = roomOf(target, rooms);
      const allowed = owner !== undefined && (owner.name === room.name || room.rooms.includes(owner.name));
      return allowed
        ? []
        : [`${at}${room.name} may not import ${owner?.name ?? target}; see ARCHITECTURE.md`];
    }
    if (room.packages.includes('anything') || file.path.endsWith('/vite.config.ts')) return [];
    // What the build puts there: the bundled guest and the sandbox's own engine.
    if (from.startsWith('guest:') && room.name === 'runtime/kernel') return [];
    const name = packageOf(from);
    if (name === 'zod') {
      const fine = typeOnly || file.path.endsWith('.schema.ts');
      return fine ? [] : [`${at}zod is for *.schema.ts; import the generated validator, or the type alone`];
    }
    const siblings =
      name.startsWith('quickjs-emscripten') || name.startsWith('@jitl/') ? 'quickjs-emscripten' : name;
    return room.packages.includes(siblings)
      ? []
      : [`${at}${room.name} may not import ${name}; see ARCHITECTURE.md`];
  });
}

/**
 * What a pure wing may not say though the language has it, and what to do instead. What only a host has (process, console,
 * timers, fetch) does not compile there: tsconfig.pure.json gives those wings no host types.
 */
const impure: Record<string, string> = {
  Date: 'take the day as an argument (`today`)',
  Promise: 'stay synchronous',
};

function impurities(file: SourceFile): readonly string[] {
  const found: string[] = [];
  const say = (node: ts.Node, what: string, cure: string) =>
    found.push(`${file.path}:${lineOf(file, node)}: ${what} has no place in a pure wing; ${cure}`);
  const visit = (node: ts.Node): void => {
    if (ts.isAwaitExpression(node)) say(node, 'await', 'stay synchronous');
    if (node.kind === ts.SyntaxKind.AsyncKeyword) say(node, 'async', 'stay synchronous');
    if (ts.isPropertyAccessExpression(node) && node.getText(file.tree) === 'Math.random') {
      say(node, 'Math.random', 'take a seed as an argument');
    }
    if (ts.isIdentifier(node) && Object.hasOwn(impure, node.text)) {
      say(node, node.text, impure[node.text] ?? '');
    }
    ts.forEachChild(node, visit);
  };
  visit(file.tree);
  return found;
}

function tooLong(file: SourceFile): readonly string[] {
  const found: string[] = [];
  const lines = file.text.split('\n').length - 1;
  if (lines > 400) found.push(`${file.path}:1: ${lines} lines; split it by meaning (400 at most)`);
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body) {
      const start = lineOf(file, node);
      const end = file.tree.getLineAndCharacterOfPosition(node.end).line + 1;
      const isSuite = file.path.startsWith('test/') && ts.isArrowFunction(node);
      if (end - start + 1 > 70 && !isSuite) {
        found.push(`${file.path}:${start}: a function of ${end - start + 1} lines; split it (70 at most)`);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file.tree);
  return found;
}

/** Properties whose cases are drawn anew in each run; the second argument may be a constant of the same file. */
function unseeded(file: SourceFile): readonly string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && /^fc\.(assert|check|sample)$/.test(node.expression.getText(file.tree))) {
      const given = node.arguments[1]?.getText(file.tree) ?? '';
      const words = /^\w+$/.test(given)
        ? (new RegExp(`const ${given} = (\\{.*)`).exec(file.text)?.[1] ?? '')
        : given;
      if (!/\bseed\b/.test(words))
        found.push(`${file.path}:${lineOf(file, node)}: give it the seed of test/seed.ts`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file.tree);
  return found;
}

describe('the house', () => {
  it('keeps the import table of ARCHITECTURE.md', () => {
    expect(everything.flatMap(wrongImports)).toEqual([]);
  });

  it('has every room of the table, each with a section, and no import between rooms against the walk', () => {
    for (const { name, rooms: allowed } of rooms) {
      expect(existsSync(join(root, name)), `${name} is in the table but not in the tree`).toBe(true);
      expect(architecture, `ARCHITECTURE.md has no section for ${name}`).toMatch(
        new RegExp(`^### .*\`${name}\``, 'm'),
      );
      const place = rooms.findIndex((room) => room.name === name);
      for (const other of allowed) {
        const otherPlace = rooms.findIndex((room) => room.name === other);
        expect(otherPlace, `${name} may import ${other}, which is no room`).toBeGreaterThanOrEqual(0);
        expect(otherPlace, `${name} may import ${other}, which stands to its right`).toBeLessThan(place);
      }
    }
  });

  it('keeps grammar/, src/ and editor/service/ pure', { timeout: 60_000 }, () => {
    const pure = product.filter(
      ({ path }) => /^(grammar|src|editor\/service)\//.test(path) && !path.endsWith('.schema.ts'),
    );
    expect(pure.length).toBeGreaterThan(20);
    expect(pure.flatMap(impurities)).toEqual([]);
    const tsc = ['node_modules/ts7/bin/tsc', '--noEmit', '-p', 'tsconfig.pure.json'];
    expect(spawnSync(process.execPath, tsc, { cwd: root, encoding: 'utf8' }).stdout).toBe('');
  });

  it('has no file over 400 lines and no function over 70', () => {
    expect(everything.flatMap(tooLong)).toEqual([]);
  });

  it('draws the same in each run of a test, unless it is told another seed', () => {
    expect(everything.flatMap(unseeded)).toEqual([]);
    expect(everything.filter(({ text }) => text.includes('fc.assert(')).length).toBeGreaterThan(20);
  });

  it('has no room or file that is named for nothing', () => {
    const vague = /(^|\/)(utils?|common|helpers?|types|misc)(\.ts)?(\/|$)/;
    expect(everything.map(({ path }) => path).filter((path) => vague.test(path))).toEqual([]);
  });

  it('has a page for every code, a title that agrees, and no page without a code', () => {
    const folder = join(root, 'src/diagnostics/pages');
    const pages = readdirSync(folder).filter((name) => name.endsWith('.md'));
    expect(pages.map((name) => name.replace('.md', '')).sort()).toEqual(Object.keys(codes).sort());
    for (const [code, { title }] of Object.entries(codes)) {
      const firstLine = readFileSync(join(folder, `${code}.md`), 'utf8').split('\n')[0];
      expect(firstLine).toBe(`# ${code}: ${title}`);
    }
    expect(pages.length).toBeGreaterThanOrEqual(25);
  });

  it('emits every code somewhere in the product', () => {
    const texts = product
      .filter(({ path }) => !path.startsWith('src/diagnostics/codes/'))
      .map(({ text }) => text);
    const silent = Object.keys(codes).filter((code) => !texts.some((text) => text.includes(`'${code}'`)));
    expect(silent).toEqual([]);
  });

  it('has no dead exports, files or dependencies', { timeout: 120_000 }, () => {
    const knip = spawnSync(process.execPath, ['node_modules/knip/bin/knip.js', '--no-progress'], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(knip.stdout + knip.stderr).toBe('');
    expect(knip.status).toBe(0);
  });

  it('has every generated file as `npm run generate` writes it', { timeout: 60_000 }, () => {
    const { stdout, stderr } = spawnSync(process.execPath, ['build/generate.mjs', '--check'], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(stdout + stderr).toBe('');
  });

  it('speaks of vfioplan alone: no unfinished marks, no machine-local paths', () => {
    const listed = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' });
    const files = listed
      .split('\0')
      .filter((path) => /\.(ts|mjs|js|md|json|sh|yml|html|css)$/.test(path) || path === '.ci/run');
    const local = [/\/work\//, /\/root\/(?!\.)/, /\b(TODO|FIXME|XXX)\b/];
    const found = files
      .filter((path) => path !== 'test/house/house.test.ts' && existsSync(join(root, path)))
      .flatMap((path) =>
        readFileSync(join(root, path), 'utf8')
          .split('\n')
          .flatMap((line, index) =>
            local.some((mark) => mark.test(line))
              ? [`${path}:${index + 1}: ${line.trim().slice(0, 100)}`]
              : [],
          ),
      );
    expect(found).toEqual([]);
  });
});
