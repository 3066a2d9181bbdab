import type { Fix } from '../diagnostics/diagnostic.ts';
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
