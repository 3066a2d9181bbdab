import { parentOf } from '../../../src/machine/configuration.ts';
import type { Snapshot } from '../../../src/machine/snapshot.ts';
import type { Plan } from '../../../src/plan/plan.ts';

export type Configuration = Exclude<NonNullable<Snapshot['configuration']>, { readonly unknown: string }>;

/** What a snapshot shows of configuration files once a plan was carried out. */
export function configurationAfter({ steps }: Plan, before: Configuration): Configuration {
  const files = new Map(before.files.map((file) => [file.path, file]));
  const directories = new Map(before.directories.map((each) => [each.path, each]));
  for (const { operation } of steps) {
    if (operation.op === 'config.write')
      files.set(operation.path, { path: operation.path, text: operation.text });
    if (operation.op === 'config.remove') files.delete(operation.path);
    if (operation.op === 'config.make_directory')
      directories.set(operation.path, { path: operation.path, others: false });
    if (operation.op === 'config.remove_directory') {
      if ([...files.keys()].some((path) => parentOf(path) === operation.path)) throw new Error('not empty');
      directories.delete(operation.path);
    }
  }
  return { readOnly: before.readOnly, directories: [...directories.values()], files: [...files.values()] };
}
