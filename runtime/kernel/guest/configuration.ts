/** /etc, as far as a plan writes to it, and files that are being written there. */
import { parentOf } from '../../../src/machine/configuration.ts';
import type { Op } from '../../../src/model/op.ts';
import { collection } from './build.ts';
import type { Machine } from './machine.ts';
import type { Directory, Node, PlainFile } from './node.ts';
import type { Process } from './process.ts';
import { refuse } from './refuse.ts';
import { decodeText, encodeText } from './text.ts';

/**
 * The model knows a file once it has its name, and all of its text at once. Until then what is written stands here, under
 * the name that it was made with; rename(2) hands it to the model.
 */
export class ConfigurationFiles {
  readonly directory: Directory;
  private readonly machine: Machine;
  private readonly written = new Map<string, PlainFile>();
  /** Who made a directory; the others are root's. */
  private readonly makers = new Map<string, number>();

  constructor(machine: Machine) {
    this.machine = machine;
    this.directory = this.at('/etc');
  }

  /** open(2) with O_CREAT of what is not there: 0 or a negative errno. */
  create({ pid, who }: Process, path: string): number {
    const refusal = this.refusal({ op: 'config.write', pid, path, text: '' });
    if (refusal < 0) return refusal;
    const bytes = new Uint8Array(0);
    this.written.set(path, { kind: 'plain', mode: 0o600, uid: who.uid, gid: who.gid, bytes });
    return 0;
  }

  /** Only what was made here is renamed: to what else is moved within /etc no plan comes. */
  rename({ pid }: Process, from: string, to: string): number {
    const file = this.written.get(from);
    if (file === undefined) return refuse('ENOENT');
    const answer = this.machine.value({ op: 'config.write', pid, path: to, text: decodeText(file.bytes) });
    if (answer >= 0) this.written.delete(from);
    return answer;
  }

  unlink({ pid }: Process, path: string): number {
    if (!this.written.has(path)) return this.machine.value({ op: 'config.remove', pid, path });
    const refusal = this.refusal({ op: 'config.write', pid, path, text: '' });
    if (refusal === 0) this.written.delete(path);
    return refusal;
  }

  rmdir({ pid }: Process, path: string): number {
    const op = { op: 'config.remove_directory', pid, path } as const;
    const held = [...this.written.keys()].some((file) => parentOf(file) === path);
    return held && this.refusal(op) === 0 ? refuse('ENOTEMPTY') : this.machine.value(op);
  }

  mkdir({ pid, who }: Process, path: string): number {
    const answer = this.machine.value({ op: 'config.make_directory', pid, path });
    if (answer >= 0) this.makers.set(path, who.uid);
    return answer;
  }

  /** Whether a directory is a process's own. */
  owns({ who }: Process, path: string): boolean {
    return who.uid === (this.makers.get(path) ?? 0);
  }

  private refusal(op: Op): number {
    const refusal = this.machine.refusalOf(op);
    return refusal === null || !('errno' in refusal) ? 0 : refuse(refusal.errno);
  }

  private at(path: string): Directory {
    const name = (its: string) => its.slice(path.length + 1);
    const within = (its: string) => parentOf(its) === path;
    const { written, machine } = this;
    return collection(
      () => {
        const { directories, files } = machine.state.configuration;
        return [...Object.keys(directories), ...Object.keys(files), ...written.keys()]
          .filter(within)
          .map(name);
      },
      (its) => this.entry(`${path}/${its}`),
    );
  }

  private entry(path: string): Node | undefined {
    const { directories, files } = this.machine.state.configuration;
    if (Object.hasOwn(directories, path)) return this.at(path);
    const text = Object.hasOwn(files, path) ? files[path] : undefined;
    if (text === undefined) return this.written.get(path);
    const read = () => text;
    return { kind: 'attribute', mode: 0o644, size: encodeText(text).length, read };
  }
}
