import type { Hwpt, Iommufd, IommufdObject } from './iommufd-state.ts';
import type { State } from './state.ts';

type Held = Pick<State, 'iommufds' | 'groups' | 'files'>;

/** Contexts of iommufd as short texts without their places: by what they hold, and who holds them. */
export function iommufdKeys(state: Held, holders: readonly number[]): string {
  const keys: string[] = [];
  state.iommufds.forEach((context, place) => {
    if (context !== null) keys.push(keyOf(state, context, place, holders));
  });
  return keys.sort().join('|');
}

function keyOf(state: Held, context: Iommufd, place: number, holders: readonly number[]): string {
  const { file, objects, noiommu, compat, perProcess } = context;
  let key = `${holders[file]}${noiommu ? 'n' : ''}${perProcess ? 'p' : ''}${compat ?? ''}`;
  for (const object of objects) key += `;${object === null ? '' : objectKey(object)}`;
  for (const group of state.groups) {
    if (group?.iommufd === place) key += `,${group.iommuGroup ?? `-${group.name}`}`;
  }
  const devices: string[] = [];
  state.files.forEach((other, id) => {
    if (other?.kind === 'device' && other.iommufd === place) devices.push(`${other.device}:${holders[id]}`);
    if (other?.kind === 'fault-queue' && other.iommufd === place)
      devices.push(`f${other.object}:${holders[id]}`);
  });
  return `${key},${devices.sort().join()}`;
}

function objectKey(object: IommufdObject): string {
  if (object.kind === 'device') return `d${object.device}/${object.hwpt ?? ''}`;
  if (object.kind === 'fault-queue') return 'f';
  if (object.kind === 'nested') return `n${object.parent}/${object.queue ?? ''}`;
  if (object.kind === 'hwpt') return tableKey(object);
  let key = `${object.largePages ? 'i' : 's'}${object.tables.length > 1 ? object.tables.join('+') : ''}`;
  for (const { iova, length, access, start, pages } of object.areas) {
    key += `,${iova}+${length}@${pages.vaddr + start}^${access}${pages.memory}${pages.writable}${pages.pid}`;
  }
  for (const { start, end } of object.allowed) key += `,${start}-${end}`;
  return key;
}

function tableKey(table: Hwpt): string {
  const { ioas, automatic, coherent, tracksDirty, tracking, dirty, nestParent, driver } = table;
  const made = `${automatic ? '' : 'm'}${coherent ? 'c' : ''}${nestParent ? 'p' : ''}`;
  const marks = tracksDirty ? `${tracking ? 't' : 'd'}${dirty.join('+')}` : '';
  return `${driver ?? 'w'}${made}${marks}@${ioas}`;
}
