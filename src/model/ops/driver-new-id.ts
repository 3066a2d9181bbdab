import { attachDriver } from '../binding.ts';
import { driverFile } from '../driver-directory.ts';
import { tableCovers, takesData } from '../driver-table.ts';
import { changeIds, dynamicIds, idOf, matchesId } from '../dynamic-ids.ts';
import type { Guard, Rule } from '../guard.ts';
import { leavers, lockHolders, lockWords } from '../leaving.ts';
import { matches } from '../matching.ts';
import type { Op } from '../op.ts';
import type { DynamicId, Hardware, State, World } from '../state.ts';
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

/** The driver is offered every device that it matches, and asks under the device's lock whether it has one. */
const leaving: Guard<NewId> = {
  id: 'driver.new_id.leaving',
  words: `the id matches a device that is leaving: ${lockWords}`,
  errno: null,
  citation: 'drivers/base/dd.c:__driver_attach (drivers/pci/pci-driver.c:pci_add_dynid)',
  applies: (world, state, op) => matched(world, state, op).length > 0,
  waitsFor: (world, state, op) => lockHolders(world, state, matched(world, state, op)),
};

function matched(world: World, state: State, op: NewId): readonly Hardware[] {
  const asked = idOf(op.text);
  if (asked === null) return [];
  const added = withId(state, op.driver, asked.id);
  return leavers(world, state, (hardware, device) => matches(added, device, hardware, op.driver));
}

function withId(state: State, driver: string, id: DynamicId): State {
  return changeIds(state, driver, [...dynamicIds(state, driver), id]);
}

const now = [...file, text, known, data, twice, leaving];

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
  guards: { seed: [...file, text, known, data, leaving], '6.1': now },
  effect: (world, state, op) => {
    const asked = idOf(op.text);
    const driver = world.drivers.get(op.driver);
    const value = taken(op.text);
    if (asked === null || driver === undefined) return { value };
    return { state: attachDriver(world, withId(state, op.driver, asked.id), driver), value };
  },
  undo: (_world, _before, op) => ({ ...op, op: 'driver.remove_id' }),
};
