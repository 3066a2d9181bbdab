import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** A row of ARCHITECTURE.md's table. `rooms` and `packages` are what it may import. */
interface Room {
  readonly name: string;
  readonly rooms: readonly string[];
  readonly packages: readonly string[];
}

/** The import table, read from the page that people read, so that there is only one. */
export function readRooms(): readonly Room[] {
  const page = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
  const table = page.slice(page.indexOf('| room | may import |'));
  const rows = [...table.matchAll(/^\| `([^`]+)` \|(.*)\|$/gm)];
  const names = rows.map((row) => row[1] ?? '');
  return rows.map((row, index) => {
    const cells = (row[2] ?? '').split(',').map((cell) => cell.trim());
    const listed = cells.filter((cell) => cell.startsWith('`')).map((cell) => cell.slice(1, -1));
    return {
      name: names[index] ?? '',
      rooms: listed.includes('*') ? names.slice(0, index) : listed,
      packages: cells.filter((cell) => cell !== '' && !cell.startsWith('`')),
    };
  });
}

export interface Import {
  readonly from: string;
  readonly line: number;
  readonly typeOnly: boolean;
}

/** A source file of the wings, parsed once. `path` is relative to the repository, with forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
}

export function sourceFiles(wings: readonly string[]): readonly SourceFile[] {
  return wings.flatMap((wing) =>
    readdirSync(join(root, wing), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !entry.name.endsWith('.d.ts'))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
      .filter((path) => !/(^|\/)(generated|dist|node_modules)\//.test(path))
      .map((path) => {
        const text = readFileSync(join(root, path), 'utf8');
        return { path, text, tree: ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true) };
      }),
  );
}

export function lineOf(file: SourceFile, node: ts.Node): number {
  return file.tree.getLineAndCharacterOfPosition(node.getStart(file.tree)).line + 1;
}

/** Every import, re-export and dynamic import of a file. */
export function importsOf(file: SourceFile): readonly Import[] {
  const found: Import[] = [];
  const add = (node: ts.Node, specifier: ts.Node | undefined, typeOnly: boolean) => {
    if (specifier && ts.isStringLiteralLike(specifier)) {
      found.push({ from: specifier.text, line: lineOf(file, node), typeOnly });
    }
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node, node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    } else if (ts.isExportDeclaration(node)) {
      add(node, node.moduleSpecifier, node.isTypeOnly);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node, node.arguments[0], false);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node, node.argument.literal, true);
    }
    ts.forEachChild(node, visit);
  };
  visit(file.tree);
  return found;
}

/** The room that a path belongs to: the longest room name that is the path or a folder above it. */
export function roomOf(path: string, rooms: readonly Room[]): Room | undefined {
  return rooms
    .filter(({ name }) => path === name || path.startsWith(`${name}/`))
    .sort((a, b) => b.name.length - a.name.length)[0];
}
