import { report } from '../../diagnostics/report.ts';
import { putBackOf } from '../../script/put-back.ts';
import { type Finding, found } from '../finding.ts';
import { nowhere, type Subject } from '../subject.ts';

/** What an earlier plan established, no policy names any more, and is not put back all the same. */
export function* putBack({ policy }: Subject): Iterable<Finding> {
  for (const { address, generation, reason } of putBackOf(policy).kept) {
    const protection = policy.protects.find(({ functions }) => functions.includes(address));
    const causes = [`generation ${generation} changed it, and is in effect`];
    const cures = [
      'name it in a policy, which then says what it shall be: `bind … to default` gives it back to the kernel',
    ];
    yield found(report('VP3138', protection?.place ?? nowhere, { address, reason }, { causes, cures }));
  }
}
