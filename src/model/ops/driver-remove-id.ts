import { driverFile } from '../driver-directory.ts';
import { changeIds, dynamicIds, idOf, idRemovedBy } from '../dynamic-ids.ts';
import { everywhere, type Rule } from '../guard.ts';
import type { Op } from '../op.ts';
import type { DynamicId } from '../state.ts';
import { handler } from '../sysfs-file.ts';
import { taken } from '../text.ts';

type RemoveId = Extract<Op, { op: 'driver.remove_id' }>;

const store = 'drivers/pci/pci-driver.c:remove_id_store';

export const driverRemoveId: Rule<RemoveId> = {
  words: {
    object: 'sysfs',
    call: 'write(/sys/bus/pci/drivers/DRIVER/remove_id, text)',
    arguments: {
      driver: 'whose file',
      text: 'hexadecimal numbers: vendor, device and if wanted subvendor, subdevice, class and its mask',
    },
    effect:
      'The oldest id of run time that the numbers name is gone; what it made the driver take stays bound.',
    undo: '`driver.new_id` with the same id, where no device is waiting for it',
  },
  guards: everywhere<RemoveId>(
    ...driverFile<RemoveId>('driver.remove_id', 'remove_id'),
    handler<RemoveId>({
      id: 'driver.remove_id.text',
      words: 'the text does not begin with two hexadecimal numbers, vendor and device',
      errno: 'EINVAL',
      citation: store,
      applies: (_world, _state, op) => idOf(op.text) === null,
    }),
    handler<RemoveId>({
      id: 'driver.remove_id.unknown',
      words: 'the driver was given no such id at run time',
      errno: 'ENODEV',
      citation: store,
      applies: (_world, state, op) => {
        const asked = idOf(op.text);
        return asked !== null && idRemovedBy(dynamicIds(state, op.driver), asked.id) === -1;
      },
    }),
  ),
  effect: (_world, state, op) => {
    const asked = idOf(op.text);
    const ids = dynamicIds(state, op.driver);
    const place = asked === null ? -1 : idRemovedBy(ids, asked.id);
    const value = taken(op.text);
    if (place === -1) return { value };
    return { state: changeIds(state, op.driver, ids.toSpliced(place, 1)), value };
  },
  undo: (_world, before, op) => {
    const asked = idOf(op.text);
    const ids = dynamicIds(before, op.driver);
    const gone = asked === null ? undefined : ids[idRemovedBy(ids, asked.id)];
    return gone === undefined
      ? { none: 'it removed nothing' }
      : { ...op, op: 'driver.new_id', text: said(gone) };
  },
};

function said({ vendor, device, subvendor, subdevice, class: its, mask }: DynamicId): string {
  return [vendor, device, subvendor, subdevice, its, mask].map((word) => word.toString(16)).join(' ');
}
