import type { Scenario } from './scenario.ts';
import { confirmation } from './scenarios/confirm.ts';
import { intelIommu } from './scenarios/intel-iommu.ts';
import { lasting, lastingThroughIommufd, lastingVirtual, lastingWithoutIommu } from './scenarios/lasting.ts';
import { noIommu } from './scenarios/no-iommu.ts';
import { notViable } from './scenarios/not-viable.ts';
import { puttingBack } from './scenarios/put-back.ts';
import { recording } from './scenarios/record.ts';
import { lateFailure, middleFailure } from './scenarios/rollback.ts';

/** In the order in which they run. */
export const scenarios: readonly Scenario[] = [
  noIommu,
  intelIommu,
  notViable,
  lateFailure,
  middleFailure,
  confirmation,
  puttingBack,
  lasting,
  lastingThroughIommufd,
  lastingVirtual,
  lastingWithoutIommu,
  recording,
];
