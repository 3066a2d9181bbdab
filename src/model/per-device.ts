import type { Profile } from './profiles.ts';
import type { Hardware, World } from './state.ts';

/**
 * Facts that follow from a device and the kernel alone are worked out at the first question, and shared by all answers.
 * Like `once`, only time tells.
 */
export function perDevice<T>(work: (world: World, hardware: Hardware) => T): typeof work {
  const latest: { readonly hardware: Hardware; readonly profile: Profile; readonly facts: T }[] = [];
  return (world, hardware) => {
    const known = latest[hardware.index];
    if (known !== undefined && known.hardware === hardware && known.profile === world.profile)
      return known.facts;
    const facts = work(world, hardware);
    latest[hardware.index] = { hardware, profile: world.profile, facts };
    return facts;
  };
}
