import type { Fix, Place } from '../diagnostics/diagnostic.ts';
import { removal } from '../diagnostics/fixes.ts';
import type { Bind } from '../policy/policy.ts';
import type { Subject } from './subject.ts';

/**
 * Leaves a device with the driver that it has: takes out the statement that binds it, and those that allow nothing but what
 * this one binds, since they could not come true without it.
 */
export function leaving({ policy }: Subject, bind: Bind): Fix {
  const bound = new Set(bind.functions);
  const others = policy.binds.filter((other) => other !== bind).flatMap(({ functions }) => functions);
  for (const address of others) bound.delete(address);
  const resting = policy.allows.filter(
    ({ functions }) => functions.length > 0 && functions.every((address) => bound.has(address)),
  );
  const edits = [bind, ...resting].map(({ place }) => ({ ...place, text: '' }));
  const more = resting.length === 0 ? '' : ', and do not allow it';
  return { title: `leave \`${bind.device}\` with its driver${more}`, safe: false, edits };
}

/**
 * Asks no more for a step or a file: takes out every statement that wants it, one that binds together with what rests on it.
 * None where one of them says what the machine is, and not what shall be.
 */
export function unasked(subject: Subject, why: readonly Place[]): readonly Fix[] {
  const { binds, allows, creates, limits, persists } = subject.policy;
  const fixes: Fix[] = [];
  for (const place of why) {
    const bind = binds.find((each) => isAt(each.place, place));
    if (bind !== undefined) fixes.push(leaving(subject, bind));
    else if ([...allows, ...creates, ...limits, ...persists].some((each) => isAt(each.place, place)))
      fixes.push(removal(place, 'the statement'));
    else return [];
  }
  const [first] = fixes;
  if (first === undefined || fixes.length === 1) return fixes;
  const edits = fixes.flatMap((fix) => fix.edits);
  const once = edits.filter((edit, index) => edits.findIndex((other) => isAt(other, edit)) === index);
  return [{ title: 'remove the statements that want it', safe: false, edits: once }];
}

/** Whether two places are of one statement. */
export function isAt(a: Place, b: Place): boolean {
  return a.file === b.file && a.span.start === b.span.start;
}
