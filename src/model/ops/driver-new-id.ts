import { attachDriver } from '../binding.ts';
import { driverFile } from '../driver-directory.ts';
import { tableCovers, takesData } from '../driver-table.ts';
import { changeIds, dynamicIds, idOf, matchesId } from '../dynamic-ids.ts';
import type { Rule } from '../guard.ts';
import type { Op } from '../op.ts';
import { handler } from '../sysfs-file.ts';
import { taken } from '../text.ts';

type NewId = Extract<Op, { op: 'driver.new_id' }>;

const store = 'drivers/pci/pci-driver.c:new_id_store';

const file = driverFile<NewId>('driver.new_id', 'new_id');

const text = handler<NewId>({
  id: 'driver.new_id.text',
  words: 'the text does not begin with two hexadecimal numbers, vendor and device',
  errno: 'EINVAL',
  citation: store,
  applies: (_world, _state, op) => idOf(op.text) === null,
});

const known = handler<NewId>({
  id: 'driver.new_id.known',
  words: "the driver's own table has the id already",
  errno: 'EEXIST',
  citation: `${store}, do_pci_match_id`,
  applies: (world, _state, op) => {
    const asked = idOf(op.text);
    return asked !== null && asked.fields !== 7 && tableCovers(world, op.driver, asked.id);
  },
});

const data = handler<NewId>({
  id: 'driver.new_id.data',
  words: "no entry of the driver's own table has this driver_data",
  errno: 'EINVAL',
  citation: store,
  applies: (world, _state, op) => !takesData(world, op.driver, idOf(op.text)?.data ?? 0n),
});

const twice = handler<NewId>({
  id: 'driver.new_id.twice',
  words: 'the driver was given an id that covers this one before',
  errno: 'EEXIST',
  citation: 'drivers/pci/pci-driver.c:do_pci_add_dynid',
  applies: (_world, state, op) => {
    const asked = idOf(op.text);
    // All seven fields, and the kernel looks for no duplicate.
    if (asked === null || asked.fields === 7) return false;
    return dynamicIds(state, op.driver).some((id) => matchesId(id, asked.id));
  },
});

const now = [...file, text, known, data, twice];

export const driverNewId: Rule<NewId> = {
  words: {
    object: 'sysfs',
    call: 'write(/sys/bus/pci/drivers/DRIVER/new_id, text)',
    arguments: {
      driver: 'whose file',
      text: 'hexadecimal numbers: vendor, device and if wanted subvendor, subdevice, class, its mask, driver_data',
    },
    effect:
      'The driver matches devices of this id from now on, and is offered those that have no driver; whether it takes them is not told.',
    undo: '`driver.remove_id` with the same text, where no device was bound',
  },
  guards: { seed: [...file, text, known, data], '6.1': now },
  effect: (world, state, op) => {
    const asked = idOf(op.text);
    const driver = world.drivers.get(op.driver);
    const value = taken(op.text);
    if (asked === null || driver === undefined) return { value };
    const added = changeIds(state, op.driver, [...dynamicIds(state, op.driver), asked.id]);
    return { state: attachDriver(world, added, driver), value };
  },
  undo: (_world, _before, op) => ({ ...op, op: 'driver.remove_id' }),
};
