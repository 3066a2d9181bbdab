/** JSON Schema to TypeScript: one interface or alias for each named definition, all readonly, with the descriptions. */

const reference = (schema) => schema.$ref.replace('#/$defs/', '');

const comment = (text, indent) => (text === undefined ? '' : `${indent}/** ${text} */\n`);

const key = (name) => (/^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name));

function objectType(schema, indent) {
  const inner = `${indent}  `;
  const required = new Set(schema.required ?? []);
  const lines = Object.entries(schema.properties ?? {}).map(
    ([name, value]) =>
      `${comment(value.description, inner)}${inner}readonly ${key(name)}${required.has(name) ? '' : '?'}: ${typeOf(value, inner)};\n`,
  );
  if (lines.length === 0 && typeof schema.additionalProperties === 'object')
    lines.push(`${inner}readonly [name: string]: ${typeOf(schema.additionalProperties, inner)};\n`);
  return `{\n${lines.join('')}${indent}}`;
}

function typeOf(schema, indent) {
  if (schema.$ref !== undefined) return reference(schema);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches !== undefined) return branches.map((branch) => typeOf(branch, indent)).join(' | ');
  if (Array.isArray(schema.type))
    return schema.type.map((type) => typeOf({ ...schema, type }, indent)).join(' | ');
  if (Object.keys(schema).length === 0) return 'unknown';
  switch (schema.type) {
    case 'object':
      return objectType(schema, indent);
    case 'array': {
      const item = typeOf(schema.items, indent);
      return `readonly ${/[|]/.test(item) && !item.startsWith('{') ? `(${item})` : item}[]`;
    }
    case 'string':
      return 'string';
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'null':
      return 'null';
    default:
      throw new Error(`no TypeScript for the schema ${JSON.stringify(schema)}`);
  }
}

function declaration(name, schema) {
  const head = comment(schema.description, '');
  return schema.type === 'object' && schema.properties !== undefined
    ? `${head}export interface ${name} ${objectType(schema, '')}\n`
    : `${head}export type ${name} = ${typeOf(schema, '')};\n`;
}

/** The TypeScript module that declares `type` (the document) and every definition in its schema. */
export function typesOf({ type, json, schema }) {
  const parts = [[type, json], ...Object.entries(json.$defs ?? {})];
  const text = parts.map(([name, body]) => declaration(name, body)).join('\n');
  return `// Generated from ${schema} by \`npm run generate\`; do not edit.\n\n${text}`;
}
