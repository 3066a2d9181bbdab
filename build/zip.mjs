// A ZIP archive (APPNOTE.TXT 6.3.10, without extensions) of texts and of a folder, the same bytes for the same content.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';

/** 1980-01-01, the first day that the format knows. */
const date = 0x21;
const utf8 = 0x800;
const deflated = 8;

function entry(name, content, offset) {
  const bytes = Buffer.from(name);
  const packed = deflateRawSync(content, { level: 9 });
  const shared = Buffer.alloc(26);
  [20, utf8, deflated, 0, date].forEach((value, index) => {
    shared.writeUInt16LE(value, index * 2);
  });
  shared.writeUInt32LE(crc32(content), 10);
  shared.writeUInt32LE(packed.length, 14);
  shared.writeUInt32LE(content.length, 18);
  shared.writeUInt16LE(bytes.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), shared, bytes, packed]);
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(offset, 10);
  const central = Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([20, 0]), shared, rest, bytes]);
  return { local, central };
}

/** `texts`: by name in the archive; `folder` is put below `prefix`. */
export function zip(texts, folder, prefix) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name))
    .sort()
    .map((path) => [`${prefix}/${relative(folder, path).replaceAll('\\', '/')}`, readFileSync(path)]);
  const all = [...Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)]), ...files];
  const entries = [];
  let offset = 0;
  for (const [name, content] of all) {
    const made = entry(name, content, offset);
    entries.push(made);
    offset += made.local.length;
  }
  const directory = Buffer.concat(entries.map(({ central }) => central));
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...entries.map(({ local }) => local), directory, end]);
}
