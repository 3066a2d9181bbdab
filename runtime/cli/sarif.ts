import { type LineIndex, lineIndex, positionAt } from '../../grammar/lines.ts';
import type { Code } from '../../src/diagnostics/codes.ts';
import type { Diagnostic, Fix, Place, Severity } from '../../src/diagnostics/diagnostic.ts';
import { explain } from '../../src/diagnostics/explain.ts';
import { COMMAND_LINE, type CommandLine } from './command-line.ts';
import { version } from './version.ts';

/** What a run found, to be written as a SARIF log. */
interface Found {
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: ReadonlyMap<string, string>;
  readonly command: CommandLine;
  readonly exitCode: number;
  /** The command could not do its work; what it found wrong does not count. */
  readonly failed: boolean;
  /** The page of a code, as Markdown; null: it is not there. */
  readonly pageOf: (code: Code) => string | null;
}

/**
 * A log as SARIF has it (Static Analysis Results Interchange Format 2.1.0, OASIS 2020): the codes that were given as
 * rules, with their pages, and each diagnostic as a result with its place, what is related to it, and its fixes.
 */
export function sarifOf({ diagnostics, sources, command, exitCode, failed, pageOf }: Found): unknown {
  const codes = [...new Set(diagnostics.map(({ code }) => code))].sort();
  const places = new Places(sources);
  return {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'vfioplan',
            version,
            rules: codes.map((code) => ruleOf(code, pageOf(code))),
          },
        },
        invocations: [{ commandLine: command.text, exitCode, executionSuccessful: !failed }],
        columnKind: 'utf16CodeUnits',
        results: diagnostics.map((diagnostic) =>
          resultOf(diagnostic, codes.indexOf(diagnostic.code), places),
        ),
      },
    ],
  };
}

const levels: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', info: 'note' };

function ruleOf(code: Code, page: string | null): unknown {
  const explanation = explain(code);
  if (explanation === undefined) throw new Error(`${code} is not declared`);
  const { title, message, severity } = explanation;
  const first = /^# .*\n+([^#\n].*)$/m.exec(page ?? '')?.[1];
  return {
    id: code,
    shortDescription: { text: title },
    fullDescription: { text: first ?? message },
    ...(page === null ? {} : { help: { text: page, markdown: page } }),
    defaultConfiguration: { level: levels[severity] },
  };
}

function resultOf(diagnostic: Diagnostic, ruleIndex: number, places: Places): unknown {
  const { code, severity, place, related, kernel, fixes } = diagnostic;
  const fixable = fixes.filter(
    ({ edits }) => edits.length > 0 && edits.every(({ file }) => places.has(file)),
  );
  return {
    ruleId: code,
    ruleIndex,
    level: levels[severity],
    message: { text: textOf(diagnostic) },
    locations: [places.location(place)],
    ...(related.length === 0
      ? {}
      : {
          relatedLocations: related.map((other, index) => ({
            id: index + 1,
            message: { text: other.message },
            ...places.location(other.place),
          })),
        }),
    ...(fixable.length === 0 ? {} : { fixes: fixable.map((fix) => fixOf(fix, places)) }),
    ...(kernel === undefined ? {} : { properties: { kernel } }),
  };
}

/** The message, and below it what the terminal shows under its excerpt. */
function textOf({ message, causes, kernel, cures }: Diagnostic): string {
  const answer = kernel && `${kernel.step} fails with ${kernel.errno}: ${kernel.guard} (${kernel.citation})`;
  return [
    message,
    ...causes.map((cause) => `because: ${cause}`),
    ...(answer === undefined ? [] : [`kernel: ${answer}`]),
    ...cures.map((cure) => `help: ${cure}`),
  ].join('\n');
}

/** `safe` is no word of SARIF's: whether `check --fix` makes the fix. */
function fixOf({ title, safe, edits }: Fix, places: Places): unknown {
  const files = [...new Set(edits.map(({ file }) => file))];
  return {
    description: { text: title },
    artifactChanges: files.map((file) => ({
      artifactLocation: { uri: uriOf(file) },
      replacements: edits
        .filter((edit) => edit.file === file)
        .map((edit) => ({ deletedRegion: places.region(edit), insertedContent: { text: edit.text } })),
    })),
    properties: { safe },
  };
}

class Places {
  readonly #sources: ReadonlyMap<string, string>;
  readonly #indexes = new Map<string, LineIndex>();

  constructor(sources: ReadonlyMap<string, string>) {
    this.#sources = sources;
  }

  /** Whether it is a file that was read. */
  has(file: string): boolean {
    return file !== COMMAND_LINE && this.#sources.has(file);
  }

  location(place: Place): Record<string, unknown> {
    // The command line, or the machine as a whole, is no artifact.
    if (!this.has(place.file)) return { logicalLocations: [{ fullyQualifiedName: this.#named(place) }] };
    return {
      physicalLocation: { artifactLocation: { uri: uriOf(place.file) }, region: this.region(place) },
    };
  }

  #named({ file, span }: Place): string {
    const word = file === COMMAND_LINE ? this.#sources.get(file)?.slice(span.start, span.end) : undefined;
    return word === undefined ? file : `${file}: ${word}`;
  }

  /** Lines and columns count from 1, the end is the column after the last. */
  region({ file, span }: Place): Record<string, number> {
    const text = this.#sources.get(file) ?? '';
    const lines = this.#indexes.get(file) ?? lineIndex(text);
    this.#indexes.set(file, lines);
    const start = positionAt(lines, Math.min(span.start, text.length));
    const end = positionAt(lines, Math.min(span.end, text.length));
    return {
      startLine: start.line,
      startColumn: start.column,
      endLine: end.line,
      endColumn: end.column,
      charOffset: Math.min(span.start, text.length),
      charLength: Math.max(0, Math.min(span.end, text.length) - span.start),
    };
  }
}

/** A path as a URI reference: relative as it was given, or of the scheme `file`. */
function uriOf(file: string): string {
  const path = file.split('/').map(encodeURIComponent).join('/');
  return file.startsWith('/') ? `file://${path}` : path;
}
