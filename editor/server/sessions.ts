/** The policies that are open, judged in two waves, and what is published of it. */
import type { Connection } from 'vscode-languageserver';
import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts';
import type { Reading } from '../../src/syntax/read.ts';
import { keyOf, type Workspace } from '../service/workspace.ts';
import { shown, type Where } from './convert.ts';
import type { Front } from './front.ts';
import { Positions } from './positions.ts';
import { Session } from './session.ts';

/** Milliseconds without a key before the second wave: it is not to be in the way of the next key. */
const pause = 100;

export class Sessions implements Where {
  /** The client asks for hints anew when it is told to. */
  refreshes = false;
  private readonly byFile = new Map<string, Session>();
  private readonly texts = new Map<string, string>();
  /** What was sent last, of files that are open or had something said of them. */
  private readonly published = new Map<string, string>();
  private readonly known = new WeakMap<Reading, Positions>();
  private readonly connection: Connection;
  private readonly front: Front;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly waiting = new Set<Session>();

  constructor(connection: Connection, front: Front) {
    this.connection = connection;
    this.front = front;
  }

  fileOf(uri: string): string {
    return this.front.fileOf(uri);
  }

  uriOf(file: string): string {
    return this.front.uriOf(file);
  }

  /** Opened, or changed: the first wave at once, the second when nothing was typed for a moment. */
  changed(file: string, text: string): void {
    this.texts.set(file, text);
    if (!this.byFile.has(file)) this.byFile.set(file, new Session(this.front, file, text));
    for (const session of this.byFile.values()) {
      if (!session.workspace.readings.has(file)) continue;
      session.change(file, text);
      this.waiting.add(session);
    }
    this.publish();
    this.later();
  }

  closed(file: string): void {
    this.texts.delete(file);
    this.byFile.delete(file);
    this.everythingAnew();
  }

  /** Something changed outside: a snapshot, an import. */
  everythingAnew(): void {
    for (const session of this.byFile.values()) this.waiting.add(session);
    this.publish();
    this.later();
  }

  /** The one that is asked about a file; judged, if it never was. */
  of(file: string): Session | undefined {
    const session = this.byFile.get(file);
    if (session !== undefined && session.meaning === undefined) this.judge(session);
    return session;
  }

  /** A file with all that is open and speaks of it: where a name is used, beyond what the file itself imports. */
  around(file: string): Workspace | undefined {
    const own = this.byFile.get(file);
    if (own === undefined) return undefined;
    const readings = new Map(own.workspace.readings);
    for (const { workspace } of this.byFile.values()) {
      if (!workspace.readings.has(file)) continue;
      for (const [other, reading] of workspace.readings)
        if (!readings.has(other)) readings.set(other, reading);
    }
    return { ...own.workspace, readings };
  }

  positionsIn(file: string): Positions {
    for (const { workspace } of this.byFile.values()) {
      const reading = workspace.readings.get(file);
      if (reading === undefined) continue;
      const positions = this.known.get(reading) ?? new Positions(reading.text);
      this.known.set(reading, positions);
      return positions;
    }
    for (const { texts } of this.byFile.values()) {
      const text = texts.get(file);
      if (text !== undefined) return new Positions(text);
    }
    // Nothing of it was read: what is said of it is said of its beginning.
    return new Positions('');
  }

  private later(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.secondWave(), pause);
  }

  private secondWave(): void {
    for (const session of this.waiting) {
      if (this.byFile.get(session.file) === session) this.judge(session);
    }
    this.waiting.clear();
    this.publish();
    if (!this.refreshes) return;
    const told = this.connection.languages.inlayHint.refresh();
    told.catch((error: unknown) => this.connection.console.error(String(error)));
  }

  private judge(session: Session): void {
    try {
      session.judge(this.texts);
    } catch (error) {
      // The compiler throws for its own bugs only.
      const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.connection.console.error(`This is a bug in vfioplan, not in the policy: ${what}`);
    }
  }

  /** Sessions whose policy no other open one imports: those know all that a file is used for. */
  private roots(): readonly Session[] {
    const all = [...this.byFile.values()];
    const imported = (one: Session) =>
      all.some(
        (other) =>
          other !== one && other.workspace.readings.has(one.file) && !one.workspace.readings.has(other.file),
      );
    return all.filter((session) => !imported(session));
  }

  private publish(): void {
    const byFile = new Map<string, Map<string, Diagnostic>>();
    for (const file of [...this.byFile.keys(), ...this.published.keys()]) byFile.set(file, new Map());
    for (const { diagnostics } of this.roots()) {
      for (const diagnostic of diagnostics) {
        const { file } = diagnostic.place;
        const others = byFile.get(file) ?? new Map<string, Diagnostic>();
        byFile.set(file, others.set(keyOf(diagnostic), diagnostic));
      }
    }
    for (const [file, diagnostics] of byFile) this.send(file, [...diagnostics.values()]);
  }

  /** A key changes little: what the client has already is not sent again. */
  private send(file: string, said: readonly Diagnostic[]): void {
    const diagnostics = said.map((diagnostic) => shown(diagnostic, this));
    const text = JSON.stringify(diagnostics);
    const before = this.published.get(file);
    if (this.byFile.has(file) || diagnostics.length > 0) this.published.set(file, text);
    else this.published.delete(file);
    if (text === before) return;
    this.connection
      .sendDiagnostics({ uri: this.uriOf(file), diagnostics })
      .catch((error: unknown) => this.connection.console.error(String(error)));
  }

  /** Of a file, as they are published. */
  diagnosticsOf(file: string): readonly Diagnostic[] {
    return this.roots().flatMap(({ diagnostics }) => diagnostics.filter(({ place }) => place.file === file));
  }
}
