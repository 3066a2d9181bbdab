import { dirname, join, normalize } from 'node:path';
import type { CheckInput, Checking } from '../../src/check/checked.ts';
import type { Diagnostic, Place } from '../../src/diagnostics/diagnostic.ts';
import { report } from '../../src/diagnostics/report.ts';
import type { Snapshot } from '../../src/machine/snapshot.ts';
import { isUnknown, known } from '../../src/machine/snapshot.ts';
import type { Document, Word } from '../../src/syntax/ast.ts';
import { type Origin, placeOf } from '../../src/syntax/places.ts';
import { type Reading, readDocument } from '../../src/syntax/read.ts';
import { referencesOf } from '../../src/syntax/references.ts';
import { readSnapshot } from '../../src/wire/read.ts';
import { COMMAND_LINE, type CommandLine } from './command-line.ts';
import type { Io } from './io.ts';
import { type Progress, progressOn } from './progress.ts';
import { type Kind, kinds, readText, type TextFile } from './read.ts';

/**
 * The front door: every file that a check needs is read here, once, before anything is judged. Policies bring their
 * imports and the snapshots that their hosts name; `--machine` adds snapshots or takes the place of named ones.
 */
export interface Loaded {
  readonly sources: CheckInput['sources'];
  readonly machines: CheckInput['machines'];
  /** Every text read, for rendering. */
  readonly texts: ReadonlyMap<string, string>;
  /** What could not be read. Mistakes inside policies are left to `check`. */
  readonly diagnostics: readonly Diagnostic[];
  /** The host that this machine is, when it was asked for: the others' snapshots are then not read. */
  readonly only: string | undefined;
  /** Whether every policy was read: what stands in one that was not may forbid all the rest. */
  readonly whole: boolean;
  /** Hosts whose snapshot could not be read. */
  readonly unread: ReadonlySet<string>;
  readonly documents: readonly Document[];
  /** A snapshot that a policy names, in its place; what could not be read is among the diagnostics. */
  snapshotNamed(place: Place, path: string): Snapshot | undefined;
}

type Machine = CheckInput['machines'][number];

/** A policy to read, where it was named, and whether it may be a pipe. */
interface Wanted {
  readonly file: string;
  readonly place: Place;
  readonly pipes: boolean;
}

/** A snapshot just taken of this machine. */
export interface Live {
  readonly snapshot: Snapshot;
  /** The option that asked for it. */
  readonly word: '--live' | '--native';
  /** The host that it stands for, when the command line says so. */
  readonly host: string | undefined;
}

/** Reads policies and machines. `decode`: what makes a snapshot of a text, for who reads the same ones again and again. */
export function load(
  io: Io,
  line: CommandLine,
  policies: readonly string[],
  machines: readonly string[],
  live?: Live,
  decode: typeof readSnapshot = readSnapshot,
): Loaded {
  const reader = new Reader(io, decode);
  reader.policies(
    policies.map((file) => ({ file: normalize(file), place: line.placeOf(file), pipes: true })),
  );
  const given = machines.map((word) => machineWord(word));
  const hosts = hostNames(reader.documents);
  const nameless = given.filter(({ name }) => name === undefined).length;
  for (const { name, file, word } of given) {
    const snapshot = reader.snapshot(file, line.placeOf(word), true);
    if (snapshot === undefined) continue;
    reader.add(name ?? nameFor(snapshot, file, hosts, nameless), snapshot, line.placeOf(word));
  }
  if (live === undefined) reader.namedSnapshots();
  else reader.thisMachine(live, hosts, line.placeOf(live.word));
  return reader;
}

/**
 * What `check` finds, without what it misses only because a file could not be read: an import, or the snapshot of a
 * host. The reason is said already.
 */
export function withoutRepeats(loaded: Loaded, { diagnostics, hosts }: Checking): readonly Diagnostic[] {
  const key = ({ file, span }: Place): string => `${span.start}:${file}`;
  const said = new Set(loaded.diagnostics.map(({ place }) => key(place)));
  const unread = hosts.flatMap(({ host, diagnostics }) => (loaded.unread.has(host) ? diagnostics : []));
  const repeats = new Set([
    ...unread.filter(({ code }) => code === 'VP2009'),
    ...diagnostics.filter(({ code, place }) => code === 'VP2005' && said.has(key(place))),
  ]);
  return diagnostics.filter((diagnostic) => !repeats.has(diagnostic));
}

/** `NAME=FILE`, or `FILE`. A name has no slash, so that `./a=b.json` names a file. */
function machineWord(word: string): { name: string | undefined; file: string; word: string } {
  const match = /^([^=/]+)=(.*)$/.exec(word);
  return match === null
    ? { name: undefined, file: word, word }
    : { name: match[1], file: match[2] ?? '', word };
}

function hostNames(documents: readonly Document[]): readonly string[] {
  const names = documents.flatMap(({ declarations }) =>
    declarations.flatMap(({ node }) => (node.kind === 'host' ? [node.name.text] : [])),
  );
  return [...new Set(names)];
}

/**
 * Which host a snapshot without a name stands for: the one that its host name or its file's name fits, else the only
 * host that the policies name, else a host of its own (policies `on *` speak of it too).
 */
function nameFor(snapshot: Snapshot, file: string, hosts: readonly string[], nameless: number): string {
  const stem = (file.split('/').at(-1) ?? file).replace(/(\.snapshot|\.facter)?\.json$/, '');
  const names = isUnknown(snapshot.hostname) ? [stem] : [snapshot.hostname, stem];
  const fitting = names.find((name) => hosts.some((host) => fits(name, host)));
  if (fitting !== undefined) return fitting;
  const [only, second] = hosts.filter((host) => !host.includes('*'));
  return (second === undefined && nameless === 1 ? only : undefined) ?? names[0] ?? stem;
}

/**
 * Which host this machine is: never one of another name merely because it is the only one, since the policy would then
 * act on a machine that it was not written for. null: none.
 */
function nameOfThis({ snapshot, host }: Live, hosts: readonly string[]): string | null {
  if (host !== undefined) return host;
  // "(none)" is what Linux calls itself until somebody gives it a name (init/version.c, CONFIG_DEFAULT_HOSTNAME).
  const own = known(snapshot.hostname, '(none)');
  if (own === '(none)') return nameFor(snapshot, 'this machine', hosts, 1);
  const plain = hosts.filter((each) => !each.includes('*'));
  return plain.length === 0 || hosts.some((each) => fits(own, each)) ? own : null;
}

function noHost({ hostname }: Snapshot, hosts: readonly string[], place: Place): Diagnostic {
  const own = known(hostname, '');
  const causes = [`the policies name ${hosts.map((host) => `\`${host}\``).join(', ')}`];
  const cures = [
    `declare a host \`${own}\`, or give the host that this machine is with \`--host NAME\``,
    'or run it on the machine that is meant',
  ];
  return report('VP2911', place, { hostname: own }, { causes, cures });
}

function fits(name: string, pattern: string): boolean {
  if (pattern === '*') return false;
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(name);
}

/** Declarations of all files together: what is judged in seconds and in memory that every machine has. */
const fleetLimit = 1 << 17;

class Reader implements Loaded {
  readonly sources: { file: string; text: string; reading: Reading }[] = [];
  readonly machines: Machine[] = [];
  readonly texts = new Map<string, string>();
  readonly diagnostics: Diagnostic[] = [];
  readonly documents: Document[] = [];
  readonly unread = new Set<string>();
  only: string | undefined;
  whole = true;
  /** How many were read. */
  private declarations = 0;
  private readonly io: Io;
  private readonly progress: Progress;
  /** Names by identity: a file is read once, and by one name. */
  private readonly policiesRead = new Map<string, string>();
  private readonly snapshotsRead = new Map<string, Snapshot | undefined>();

  private readonly decode: typeof readSnapshot;

  constructor(io: Io, decode: typeof readSnapshot) {
    this.io = io;
    this.decode = decode;
    this.progress = progressOn(io);
  }

  /** Policies and what they import. Circles end because nothing is read twice; `check` is the one to judge them. */
  policies(files: readonly Wanted[]): void {
    const wanted = [...files];
    // Not by recursion: a chain of imports can be longer than the stack is deep.
    for (let next = 0; next < wanted.length; next += 1) {
      const each = wanted[next];
      if (each === undefined) continue;
      for (const imported of this.policy(each)) wanted.push(imported);
    }
    this.whole = this.diagnostics.length === 0;
  }

  /** Nothing more is read then, and that is said once. */
  private get isFull(): boolean {
    return this.declarations > fleetLimit;
  }

  /** Reads one policy and answers with what it imports. */
  private policy({ file, place, pipes }: Wanted): readonly Wanted[] {
    if (this.texts.has(file)) return [];
    const read = this.text(file, place, kinds.policy, pipes);
    if (read === undefined) return [];
    const other = this.policiesRead.get(read.identity);
    if (other !== undefined) {
      const cures = [`write \`${other}\` in both places, so that the file has one name`];
      this.diagnostics.push(report('VP2906', place, { file, other }, { cures }));
      return [];
    }
    this.policiesRead.set(read.identity, file);
    if (this.isFull) return [];
    const reading = readDocument(file, read.text);
    const { document } = reading;
    this.declarations += document.declarations.length;
    if (this.isFull) {
      const cures = ['divide the fleet: check the policies of some hosts at a time'];
      const holes = { file, limit: fleetLimit };
      this.diagnostics.push(report('VP2912', place, holes, { cures }));
      // What is judged without the rest would be judged wrongly.
      this.sources.length = 0;
      this.documents.length = 0;
      return [];
    }
    this.texts.set(file, read.text);
    this.sources.push({ file, text: read.text, reading });
    this.documents.push(document);
    return referencesOf(document).imports.map(({ path, place }) => ({
      file: beside(file, path),
      place,
      pipes: false,
    }));
  }

  /** A snapshot by file name, read and decoded once however many hosts name it. */
  snapshot(file: string, place: Place, pipes: boolean): Snapshot | undefined {
    this.progress.now(`reading ${file}`);
    const read = this.text(file, place, kinds.snapshot, pipes);
    if (read === undefined) return undefined;
    if (this.snapshotsRead.has(read.identity)) return this.snapshotsRead.get(read.identity);
    this.texts.set(file, read.text);
    const { snapshot, diagnostics } = this.decode(file, read.text);
    this.diagnostics.push(...diagnostics);
    this.snapshotsRead.set(read.identity, snapshot);
    return snapshot;
  }

  add(name: string, snapshot: Snapshot, place: Place): void {
    if (this.machines.some((machine) => machine.name === name)) {
      const cures = ['give each its own name: `--machine NAME=FILE`'];
      this.diagnostics.push(report('VP2908', place, { host: name }, { cures }));
      return;
    }
    this.machines.push({ name, snapshot });
  }

  snapshotNamed(place: Place, path: string): Snapshot | undefined {
    return this.snapshot(beside(place.file, path), place, false);
  }

  thisMachine(live: Live, hosts: readonly string[], place: Place): void {
    const name = nameOfThis(live, hosts);
    if (name === null) this.diagnostics.push(noHost(live.snapshot, hosts, place));
    else this.add(name, live.snapshot, place);
    this.only = name ?? undefined;
  }

  /**
   * The snapshots that hosts name, but for hosts that the command line has given one. They are known by the host's
   * name, since two policies in two folders can both say `snapshot "machine.json"`.
   */
  namedSnapshots(): void {
    const given = new Set(this.machines.map(({ name }) => name));
    for (const { file, declarations } of this.documents) {
      for (const { base, node } of declarations) {
        if (node.kind !== 'host' || given.has(node.name.text)) continue;
        for (const statement of node.statements) {
          if (statement.kind === 'snapshot') this.named({ file, base }, node.name.text, statement.path);
        }
      }
    }
    this.progress.end();
  }

  private named(origin: Origin, host: string, path: Word): void {
    const name = host.includes('*') ? path.text : host;
    if (this.machines.some((machine) => machine.name === name)) return;
    const snapshot = this.snapshot(beside(origin.file, path.text), placeOf(origin, path), false);
    if (snapshot === undefined) this.unread.add(host);
    else this.machines.push({ name, snapshot });
  }

  private text(
    file: string,
    place: Place,
    kind: Kind,
    pipes: boolean,
  ): Exclude<TextFile, { problem: Diagnostic }> | undefined {
    const read = readText(this.io.files, file, place, kind, pipes);
    if (!('problem' in read)) return read;
    // A missing import is for `check` to report: it knows which of the files is meant.
    const imported = kind === kinds.policy && place.file !== COMMAND_LINE;
    if (!(imported && read.problem.code === 'VP2901')) this.diagnostics.push(read.problem);
    return undefined;
  }
}

/** A name written in a policy is relative to the policy's folder. */
function beside(file: string, path: string): string {
  return path.startsWith('/') ? normalize(path) : normalize(join(dirname(file), path));
}
