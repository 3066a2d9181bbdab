import { expect, test } from 'vitest';
import { guardsOf } from '../../../src/model/guards.ts';
import { profileIds, profiles } from '../../../src/model/profiles.ts';
import { provocations } from './provocations.ts';
import { Session } from './session.ts';
import { deviceVectors } from './vectors-device.ts';
import { noiommuVectors } from './vectors-noiommu.ts';
import { realVectors } from './vectors-real.ts';
import { sysfsVectors } from './vectors-sysfs.ts';

/** Kernels that judge a group by a walk at every use; the vectors are of those that claim it. */
const walking = profileIds.filter((id) => profiles[id].viability === 'walk');

/** To them a group is fake when its bus has no IOMMU, and all the model's devices are on one bus. */
const beyondPci = ['group.set_container.mixing'];

/** Every guard refuses something: in a vector of the fact sheet, or in a provocation made for it. */
test.each(profileIds)('%s: no guard is out of reach', (profile) => {
  const reached = new Set<string>();
  const sessions = [...noiommuVectors, ...realVectors, ...deviceVectors, ...sysfsVectors].map(
    ({ run }) => run,
  );
  for (const run of walking.includes(profile) ? [] : sessions) {
    const session = new Session(profile);
    run(session);
    for (const guard of session.guards) reached.add(guard);
  }
  for (const [guard, provoke] of Object.entries(provocations)) {
    const session = provoke(profile);
    if (session === null) continue;
    expect(session.guards, `${guard} was to be provoked`).toContain(guard);
    for (const hit of session.guards) reached.add(hit);
  }
  const missed = [...guardsOf(profiles[profile]).keys()].filter((id) => !reached.has(id));
  expect(missed).toEqual(walking.includes(profile) ? beyondPci : []);
});
