import { report } from '../../diagnostics/report.ts';
import { isOurs, textAt } from '../../machine/configuration.ts';
import { isUnknown } from '../../machine/snapshot.ts';
import { wishesOf } from '../../script/derive.ts';
import type { Beyond, WantedFile } from '../../script/wishes.ts';
import { type Finding, found } from '../finding.ts';
import { unasked } from '../leaving.ts';
import { listed, type Subject } from '../subject.ts';

/**
 * What `limit` and `persist` want is written to files of vfioplan's own. Nobody else's file is overwritten, and what no file of
 * ours brings about is told.
 */
export function* wishes(subject: Subject): Iterable<Finding> {
  const { policy, snapshot } = subject;
  const { files, beyond } = wishesOf(policy);
  for (const file of files) {
    const text = textAt(snapshot, file.path);
    if (!isUnknown(text) && text !== null && !isOurs(text)) yield taken(subject, file);
  }
  const told = new Map<string, Beyond[]>();
  for (const each of beyond) {
    const { place, cause } = each;
    const key = `${place.file}:${place.span.start} ${cause}`;
    told.set(key, [...(told.get(key) ?? []), each]);
  }
  for (const alike of told.values()) yield beyondFiles(alike);
}

function taken(subject: Subject, { path, why }: WantedFile): Finding {
  const [place, ...others] = why;
  if (place === undefined) throw new Error(`nobody wants ${path}`);
  return found(
    report(
      'VP3137',
      place,
      { path },
      {
        related: others.map((other) => ({ place: other, message: 'this statement wants the file, too' })),
        causes: ['its first line is not the one that vfioplan begins its files with'],
        cures: [
          'give the file another name, or take what it says into the policy and remove it',
          'or remove the statement',
        ],
        fixes: unasked(subject, why),
      },
    ),
  );
}

/** One statement that has one reason for many is told once. */
function beyondFiles(alike: readonly Beyond[]): Finding {
  const [first] = alike as readonly [Beyond];
  return found(
    report(
      'VP3133',
      first.place,
      { what: listed(alike.map(({ sentence }) => sentence)) },
      { causes: [first.cause, 'the plan lists it'], cures: [first.cure] },
    ),
  );
}
