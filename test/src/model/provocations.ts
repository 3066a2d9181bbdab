import type { Provocation } from './provocation.ts';
import { busAndFiles } from './provocations-bus.ts';
import { deviceCdevs } from './provocations-cdev.ts';
import { compat } from './provocations-compat.ts';
import { configurationFiles } from './provocations-configuration.ts';
import { container, files } from './provocations-container.ts';
import { features, ioeventfds } from './provocations-device.ts';
import { devices, groups, virtualMachines } from './provocations-group.ts';
import { iommufds } from './provocations-iommufd.ts';
import { interrupts } from './provocations-irqs.ts';
import { leavers } from './provocations-leaving.ts';
import { noiommuCdevs } from './provocations-noiommu.ts';
import { pageTables } from './provocations-pagetables.ts';
import { regions, resets } from './provocations-regions.ts';
import { sysfs } from './provocations-sysfs.ts';
import { type1 } from './provocations-type1.ts';
import { unloads } from './provocations-unloading.ts';

/** One for every guard, by its id. */
export const provocations: Readonly<Record<string, Provocation>> = {
  ...sysfs,
  ...busAndFiles,
  ...files,
  ...configurationFiles,
  ...container,
  ...type1,
  ...groups,
  ...devices,
  ...virtualMachines,
  ...deviceCdevs,
  ...iommufds,
  ...noiommuCdevs,
  ...pageTables,
  ...compat,
  ...interrupts,
  ...ioeventfds,
  ...features,
  ...regions,
  ...resets,
  ...leavers,
  ...unloads,
};
