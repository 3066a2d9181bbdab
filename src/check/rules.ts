import type { Rule } from './finding.ts';
import { coherence } from './rules/coherence.ts';
import { confirmation } from './rules/confirmation.ts';
import { conflicts } from './rules/conflicts.ts';
import { creation } from './rules/creation.ts';
import { denylist } from './rules/denylist.ts';
import { dmaClaims } from './rules/dma-claims.ts';
import { drivers } from './rules/drivers.ts';
import { effect } from './rules/effect.ts';
import { endpoints } from './rules/endpoints.ts';
import { forbidden, forbiddenMembers } from './rules/forbidden.ts';
import { groupsKnown } from './rules/groups-known.ts';
import { holdings } from './rules/holdings.ts';
import { interrupts } from './rules/interrupts.ts';
import { iommu } from './rules/iommu.ts';
import { isolation } from './rules/isolation.ts';
import { kernelKnown } from './rules/kernel-known.ts';
import { kernelVersion } from './rules/kernel-version.ts';
import { limits } from './rules/limits.ts';
import { mixing } from './rules/mixing.ts';
import { noiommuBuild } from './rules/noiommu-build.ts';
import { noiommuPermission } from './rules/noiommu-permission.ts';
import { owners } from './rules/owners.ts';
import { paths } from './rules/paths.ts';
import { persistence } from './rules/persistence.ts';
import { principals } from './rules/principals.ts';
import { protection } from './rules/protection.ts';
import { putBack } from './rules/put-back.ts';
import { rawio } from './rules/rawio.ts';
import { requirements } from './rules/requirements.ts';
import { reserved } from './rules/reserved.ts';
import { siblings } from './rules/siblings.ts';
import { unbound } from './rules/unbound.ts';
import { unsafeInterrupts } from './rules/unsafe-interrupts.ts';
import { viability } from './rules/viability.ts';
import { virtualFunctions } from './rules/virtual-functions.ts';
import { virtualMachines } from './rules/virtual-machines.ts';
import { wishes } from './rules/wishes.ts';

/** Every rule, in the order in which their messages are made; the report is sorted by place. */
export const rules: readonly Rule[] = [
  iommu,
  kernelVersion,
  kernelKnown,
  groupsKnown,
  conflicts,
  drivers,
  endpoints,
  virtualFunctions,
  creation,
  denylist,
  coherence,
  noiommuPermission,
  noiommuBuild,
  holdings,
  protection,
  putBack,
  viability,
  reserved,
  isolation,
  requirements,
  dmaClaims,
  unbound,
  paths,
  siblings,
  interrupts,
  forbidden,
  forbiddenMembers,
  unsafeInterrupts,
  principals,
  owners,
  rawio,
  virtualMachines,
  mixing,
  limits,
  persistence,
  wishes,
  confirmation,
  effect,
];
