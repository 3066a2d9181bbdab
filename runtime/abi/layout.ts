/**
 * How a C structure lies in memory, as data, and the two functions that cross between it and values. Little endian,
 * as on x86-64 and arm64. Nothing here knows what a field means.
 */
export interface Field {
  readonly offset: number;
  readonly kind: 'u8' | 'u16' | 'u32' | 's32' | 'u64';
}

export interface Layout<Fields extends { readonly [name: string]: Field }> {
  /** sizeof in C, without a flexible array at the end. */
  readonly size: number;
  readonly fields: Fields;
}

export const u8 = (offset: number) => ({ offset, kind: 'u8' }) as const satisfies Field;
export const u16 = (offset: number) => ({ offset, kind: 'u16' }) as const satisfies Field;
export const u32 = (offset: number) => ({ offset, kind: 'u32' }) as const satisfies Field;
export const s32 = (offset: number) => ({ offset, kind: 's32' }) as const satisfies Field;
export const u64 = (offset: number) => ({ offset, kind: 'u64' }) as const satisfies Field;

/** A structure's declaration; a flexible array at its end is outside `size`. */
export function layout<const Fields extends { readonly [name: string]: Field }>(
  size: number,
  fields: Fields,
): Layout<Fields> {
  return { size, fields };
}

/** Numbers for up to 32 bits, bigint for 64. */
export type Values<Fields extends { readonly [name: string]: Field }> = {
  [Name in keyof Fields]: Fields[Name]['kind'] extends 'u64' ? bigint : number;
};

/** The structure's bytes, fields that are not given zero. Values wrap to the field's width, as a C assignment does. */
export function encode<Fields extends { readonly [name: string]: Field }>(
  layout: Layout<Fields>,
  values: Partial<Values<Fields>>,
): Uint8Array {
  const bytes = new Uint8Array(layout.size);
  patch(layout, bytes, values);
  return bytes;
}

/** Writes only the fields that are given into `bytes`, in place. Throws a RangeError when a field lies past their end. */
export function patch<Fields extends { readonly [name: string]: Field }>(
  layout: Layout<Fields>,
  bytes: Uint8Array,
  values: Partial<Values<Fields>>,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const [name, value] of Object.entries<number | bigint | undefined>(values)) {
    const field = layout.fields[name];
    if (field === undefined || value === undefined) continue;
    if (field.kind === 'u64') view.setBigUint64(field.offset, BigInt(value), true);
    else if (field.kind === 'u32') view.setUint32(field.offset, Number(value), true);
    else if (field.kind === 's32') view.setInt32(field.offset, Number(value), true);
    else if (field.kind === 'u16') view.setUint16(field.offset, Number(value), true);
    else view.setUint8(field.offset, Number(value));
  }
}

/** Every field's value. Throws a RangeError when `bytes` is shorter than the structure's fields. */
export function decode<Fields extends { readonly [name: string]: Field }>(
  layout: Layout<Fields>,
  bytes: Uint8Array,
): Values<Fields> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values: { [name: string]: number | bigint } = {};
  for (const [name, field] of Object.entries(layout.fields)) values[name] = readField(view, field);
  return values as Values<Fields>;
}

function readField(view: DataView, field: Field): number | bigint {
  switch (field.kind) {
    case 'u64':
      return view.getBigUint64(field.offset, true);
    case 'u32':
      return view.getUint32(field.offset, true);
    case 's32':
      return view.getInt32(field.offset, true);
    case 'u16':
      return view.getUint16(field.offset, true);
    case 'u8':
      return view.getUint8(field.offset);
  }
}
