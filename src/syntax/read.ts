/**
 * A policy file's text to its tree and what is wrong with its words: the first stage of everything. Never throws,
 * whatever the text. Blocks that were read before are remembered, so a keystroke costs what it changed.
 */
import { type Block, type PlacedBlock, parse } from '../../grammar/parse.ts';
import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts';
import { removal } from '../diagnostics/fixes.ts';
import { report } from '../diagnostics/report.ts';
import type { Declaration, Document, PlacedDeclaration } from './ast.ts';
import { bidirectional, codePoint } from './hidden.ts';
import { diagnose } from './issues.ts';
import { lower } from './lower.ts';
import { Lowering } from './lowering.ts';

export interface Reading {
  readonly text: string;
  /** What the grammar made of it, by place; none of a text of which no part can be trusted. */
  readonly blocks: readonly PlacedBlock[];
  readonly document: Document;
  /** By place; at most `diagnosticLimit`. */
  readonly diagnostics: readonly Diagnostic[];
}

/** UTF-16 units that a file may have: thirty times a policy of 5,500 lines. */
export const fileLimit = 4 << 20;
export const diagnosticLimit = 100;

/** `before`: what was read before the text was changed. It spares work, and changes nothing of the answer. */
export function readDocument(file: string, text: string, before?: Reading): Reading {
  const untrusted = unreadable(file, text);
  if (untrusted !== undefined) return notRead(file, text, [], untrusted);
  const blocks = parse(text, before);
  const many = tooMany(file, text, blocks);
  if (many !== undefined) return notRead(file, text, blocks, many);
  const declarations: PlacedDeclaration[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const { start, block } of blocks) {
    const lowered = lowerBlock(block, file, start, text);
    for (const node of lowered.declarations) declarations.push({ base: start, node });
    for (const diagnostic of lowered.diagnostics) diagnostics.push(diagnostic);
  }
  return { text, blocks, document: { file, declarations }, diagnostics: limited(diagnostics) };
}

function notRead(file: string, text: string, blocks: Reading['blocks'], why: Diagnostic): Reading {
  const node = { kind: 'hole', span: { start: 0, end: text.length } } as const;
  return { text, blocks, document: { file, declarations: [{ base: 0, node }] }, diagnostics: [why] };
}

/** Where there are too many declarations: most of what would be said of the first ones is said for want of the others. */
function tooMany(file: string, text: string, blocks: Reading['blocks']): Diagnostic | undefined {
  for (const { start, block } of blocks) {
    const issue = block.issues.find(({ kind }) => kind === 'too-many');
    if (issue !== undefined) return diagnose(file, start, text.slice(start, start + block.length), issue);
  }
  return undefined;
}

function placeAt(file: string, start: number, length = 1): Place {
  return { file, span: { start, end: start + length } };
}

/** What is wrong with text of which no part can be trusted. */
export function unreadable(file: string, text: string): Diagnostic | undefined {
  if (text.length > fileLimit) {
    return report(
      'VP1013',
      placeAt(file, 0),
      { what: 'the file', size: text.length, limit: fileLimit },
      {
        cures: ['split it into several files, and `import` them'],
      },
    );
  }
  const zero = text.indexOf('\0');
  if (zero >= 0) {
    return report(
      'VP1017',
      placeAt(file, zero),
      { what: 'it holds a NUL character' },
      {
        cures: ['if it is UTF-16, as some editors save, save it as UTF-8; otherwise it is no policy'],
      },
    );
  }
  return undefined;
}

interface LoweredBlock {
  readonly declarations: readonly Declaration[];
  /** With the places that they have at `start` of `file`. */
  readonly diagnostics: readonly Diagnostic[];
  readonly file: string;
  readonly start: number;
}

const lowered = new WeakMap<Block, LoweredBlock>();

function lowerBlock(block: Block, file: string, start: number, text: string): LoweredBlock {
  const known = lowered.get(block);
  if (known !== undefined) {
    if (known.diagnostics.length === 0 || (known.start === start && known.file === file)) return known;
  }
  const own = text.slice(start, start + block.length);
  const at = new Lowering(file, start, own);
  const declarations = block.declarations.map((node) => lower(at, node));
  const unquoted = at.diagnostics.filter(({ code }) => code === 'VP1021').map(({ place }) => place.span);
  const issues = block.issues.filter(
    (issue) =>
      issue.kind !== 'unexpected' ||
      // Of hidden characters, and of a path that lacks its quotes, more is told.
      !(
        isInvisible(issue.text) ||
        unquoted.some((span) => span.start <= start + issue.start && start + issue.end <= span.end)
      ),
  );
  const diagnostics = [
    ...issues.map((issue) => diagnose(file, start, own, issue)),
    ...invisible(file, start, own),
    ...at.diagnostics,
  ];
  diagnostics.sort((a, b) => a.place.span.start - b.place.span.start);
  // The tree is the same wherever it stands: it is made once.
  const result = { file, start, declarations: known?.declarations ?? declarations, diagnostics };
  lowered.set(block, result);
  return result;
}

/** What a failed decoding leaves. */
const undecoded = '\ufffd';
const bidirectionalRuns = new RegExp(bidirectional, 'g');

function isInvisible(text: string): boolean {
  return text.replace(bidirectionalRuns, '').replaceAll(undecoded, '') === '';
}

function invisible(file: string, start: number, text: string): Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const { 0: run, index } of text.matchAll(bidirectionalRuns)) {
    const place = placeAt(file, start + index, run.length);
    found.push(
      report(
        'VP1016',
        place,
        { codePoint: [...run].map(codePoint).join(' ') },
        {
          cures: ['remove it: a policy must read as it is'],
          // Not unasked: what was read as something else has to be read anew.
          fixes: [removal(place, 'it')],
        },
      ),
    );
  }
  const bad = text.indexOf(undecoded);
  if (bad >= 0) {
    found.push(
      report(
        'VP1017',
        placeAt(file, start + bad),
        { what: 'its bytes here are no UTF-8' },
        {
          cures: ['save it as UTF-8; it may have been written as Latin-1'],
        },
      ),
    );
  }
  return found;
}

function limited(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const next = diagnostics[diagnosticLimit];
  if (next === undefined) return diagnostics;
  const rest = report(
    'VP1014',
    next.place,
    { limit: diagnosticLimit },
    { cures: ['mend the first ones: the rest often follows'] },
  );
  return [...diagnostics.slice(0, diagnosticLimit), rest];
}
