import type { Snapshot } from '../../src/machine/snapshot.ts';
import { isUnknown } from '../../src/machine/snapshot.ts';
import type { Op } from '../../src/model/op.ts';
import type { ProfileId } from '../../src/model/profiles.ts';
import type { Trace, TraceOperation, TraceRecord } from '../../src/wire/trace.ts';
import type { Backend } from '../backend.ts';
import { isLowered, lower } from '../lower/lower.ts';
import { observe } from '../lower/observe.ts';
import { Bindings } from './bindings.ts';
import { UserMemory } from './memory.ts';
import { changesMachine } from './native-script.ts';
import { opens } from './operations.ts';
import { headerOf, Recorder, tainted } from './record.ts';
import { Shadow } from './shadow.ts';
import { type Actor, act, type Stage } from './stage.ts';
import { credentialsOf } from './who.ts';

/** A script carried out on a real kernel. */
export interface NativeRecording {
  readonly records: readonly TraceRecord[];
  /** Operations that were not made, since they would wait until others let go; the trace is without them. */
  readonly unmade: readonly { readonly line: number; readonly waitsFor: string }[];
  /** Operations that were taken back. */
  readonly undone: number;
  /** What is not as it was before: a path, what it showed, what it shows. */
  readonly left: readonly {
    readonly path: string;
    readonly was: string | null;
    readonly is: string | null;
  }[];
}

/** Other processes that have a device open; an unbinding would wait for them without end. */
type Holders = (device: string) => readonly string[];

/** What is to be taken back: the operation, and what the paths that it touches showed before. */
interface Change {
  readonly undo: Op | null;
  readonly before: ReadonlyMap<string, string | null>;
}

/**
 * Makes the operations of a script, of which `nativeProblems` said nothing, as this process; then closes what it opened and
 * takes back, in reverse order, what it changed for others. An operation of which the model says that it would wait without
 * end is not made.
 */
export function recordNatively(
  script: Trace,
  snapshot: Snapshot,
  profile: ProfileId | undefined,
  backend: Backend,
  holders: Holders,
): NativeRecording {
  const shadow = new Shadow(snapshot, profile);
  const stage = nativeStage(backend);
  const recorder = new Recorder(stage, shadow);
  const release = snapshot.kernel.release;
  const from = { kernel: 'linux', ...(isUnknown(release) ? {} : { release }) } as const;
  const records: TraceRecord[] = [headerOf(script, snapshot, shadow.profile.id, from)];
  const changes: Change[] = [];
  const unmade: { line: number; waitsFor: string }[] = [];
  for (const { record, line } of script.records) {
    if (record.record === 'process') {
      const { capabilities, groups, memlock = null, uid, gid } = credentialsOf(backend);
      records.push(
        recorder.take({ ...record, uid, gid, groups: [...groups], capabilities: [...capabilities], memlock }),
      );
    } else if (record.record === 'call') {
      const { process, operation } = record;
      const waitsFor = waiting(shadow, process, operation, holders);
      if (waitsFor !== null) unmade.push({ line, waitsFor });
      else {
        if (changesMachine(operation.op)) changes.push(changeOf(shadow, backend, process, operation));
        records.push(recorder.take(record));
      }
    }
  }
  stage.closeAll();
  const undone = takeBack(backend, changes);
  return { records, unmade, undone, left: leftOf(backend, changes) };
}

/** For whom the operation would wait without end; null: it would not. */
function waiting(
  shadow: Shadow,
  process: string,
  operation: TraceOperation,
  holders: Holders,
): string | null {
  const others = operation.op === 'driver.unbind' ? holders(operation.device) : [];
  if (others.length > 0) return others.join(', ');
  return 'blocks' in shadow.wouldAnswer(process, operation) ? 'this process' : null;
}

function changeOf(shadow: Shadow, backend: Backend, process: string, operation: TraceOperation): Change {
  const undo = shadow.undoOf(process, operation);
  const paths = shadow.touched(process, operation);
  return {
    undo: 'none' in undo ? null : undo,
    before: new Map(paths.map((path) => [path, observe(backend, path)])),
  };
}

/** In reverse order, each as far as something of it shows. Answers how many were. */
function takeBack(backend: Backend, changes: readonly Change[]): number {
  let undone = 0;
  for (const { undo, before } of [...changes].reverse()) {
    const differs = [...before].some(([path, was]) => observe(backend, path) !== was);
    if (undo === null || !differs || !isLowered(undo)) continue;
    if (lower(backend, undo).ok) undone += 1;
  }
  return undone;
}

/** The first observation of a path is what it showed before all. A taint stays, whatever is done. */
function leftOf(backend: Backend, changes: readonly Change[]): NativeRecording['left'] {
  const first = new Map<string, string | null>();
  for (const { before } of changes)
    for (const [path, was] of before) if (!first.has(path)) first.set(path, was);
  return [...first].flatMap(([path, was]) => {
    const is = observe(backend, path);
    return is === was || path === tainted ? [] : [{ path, was, is }];
  });
}

/** This very process on its kernel. */
function nativeStage(backend: Backend): Stage & { closeAll(): void } {
  const actors = new Map<string, Actor>();
  const bindings = new Bindings();
  const opened = new Set<number>();
  return {
    introduce: (name) => void actors.set(name, { pid: 0, backend, memory: new UserMemory(backend) }),
    exit() {
      throw new Error('a script that ends its process is refused before');
    },
    perform(process, operation) {
      const deed = act(actors, bindings, process, operation, () => {
        throw new Error('a script that passes a descriptor is refused before');
      });
      const { reply, op } = deed;
      if (reply?.ok && opens(op.op)) opened.add(reply.value);
      if (reply?.ok && op.op === 'close') opened.delete(op.fd);
      return deed;
    },
    observe: (path) => observe(backend, path),
    // A real log has the lines of the whole machine; which of them are the operation's is not known.
    logged: () => [],
    closeAll() {
      for (const fd of [...opened].reverse()) backend.close(fd);
    },
  };
}
