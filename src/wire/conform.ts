import type { Path } from './json.ts';
import type { JsonSchema } from './schema.ts';

/**
 * Compares a JSON value with a schema and says, in words that a person can act on, where they differ. A validator
 * library would be faster to write; it would not stop after a few differences, and it reports every branch of a union
 * where a person needs the one that was meant. `test/src/wire/conform.test.ts` holds this to ajv's verdict.
 */
export interface Difference {
  readonly kind: 'unknown-field' | 'missing-field' | 'type' | 'value';
  readonly path: Path;
  /** What the schema wants there, in words; for a missing field its name. */
  readonly expected: string;
  /** What stands there, in words. */
  readonly found: string;
  /** For an unknown field: those that the object may have. */
  readonly fields?: readonly string[];
}

/** The first `limit` differences in document order of the schema; none when `value` conforms. */
export function differences(schema: JsonSchema, value: unknown, limit: number): readonly Difference[] {
  const comparison: Comparison = { root: schema, found: [], limit, patterns: new Map(), unions: new Map() };
  compare(comparison, schema, value, []);
  return comparison.found;
}

interface Comparison {
  readonly root: JsonSchema;
  readonly found: Difference[];
  readonly limit: number;
  readonly patterns: Map<string, RegExp>;
  /** The branches of each union, unions inside it opened. */
  readonly unions: Map<readonly JsonSchema[], readonly JsonSchema[]>;
}

type JsonObject = { readonly [name: string]: unknown };

/** `path` is changed in place while the walk goes down; a difference takes a copy. */
function compare(
  comparison: Comparison,
  written: JsonSchema,
  value: unknown,
  path: (string | number)[],
): void {
  if (comparison.found.length >= comparison.limit) return;
  const schema = target(comparison, written);
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches !== undefined) {
    compareUnion(comparison, branches, value, path);
    return;
  }
  const problem = problemWith(comparison, schema, value);
  if (problem !== undefined) {
    comparison.found.push({
      kind: problem,
      path: [...path],
      expected: describe(comparison, schema),
      found: shown(value),
    });
    return;
  }
  if (Array.isArray(value)) {
    const { items } = schema;
    for (let index = 0; items !== undefined && index < value.length; index += 1) {
      if (comparison.found.length >= comparison.limit) return;
      path.push(index);
      compare(comparison, items, value[index], path);
      path.pop();
    }
  } else if (isObject(value)) compareFields(comparison, schema, value, path);
}

function compareFields(
  comparison: Comparison,
  schema: JsonSchema,
  value: JsonObject,
  path: (string | number)[],
): void {
  const { properties = {} } = schema;
  const { found, limit } = comparison;
  for (const name of schema.required ?? [])
    if (!Object.hasOwn(value, name) && found.length < limit)
      found.push({ kind: 'missing-field', path: [...path], expected: name, found: shown(value) });
  for (const name of Object.keys(value)) {
    if (found.length >= limit) return;
    path.push(name);
    const declared = Object.hasOwn(properties, name) ? properties[name] : schema.additionalProperties;
    if (declared === false) {
      const fields = Object.keys(properties);
      found.push({
        kind: 'unknown-field',
        path: [...path],
        expected: fields.join(', '),
        found: name,
        fields,
      });
    } else {
      if (schema.propertyNames !== undefined) compare(comparison, schema.propertyNames, name, path);
      if (typeof declared === 'object') compare(comparison, declared, value[name], path);
    }
    path.pop();
  }
}

/** A union is compared with the branch that the value seems to mean, so that one mistake gives one difference. */
function compareUnion(
  comparison: Comparison,
  branches: readonly JsonSchema[],
  value: unknown,
  path: (string | number)[],
): void {
  const flat = flatten(comparison, branches);
  const meant = flat.filter((branch) => problemWith(comparison, branch, value) === undefined);
  const members = isObjectOrArray(value);
  if (meant.some((branch) => !members || conforms(comparison, branch, value))) return;
  const likely =
    meant.find((branch) => tagFits(comparison, branch, value)) ?? meant.find((b) => !hasTag(comparison, b));
  if (likely !== undefined && members) {
    compare(comparison, likely, value, path);
    return;
  }
  const sameType = flat.some((branch) => problemWith(comparison, branch, value) === 'value');
  comparison.found.push({
    kind: sameType || (meant.length > 0 && likely === undefined) ? 'value' : 'type',
    path: [...path],
    expected: flat.map((branch) => describe(comparison, branch)).join(', or '),
    found: shown(value),
  });
}

function conforms({ root, patterns, unions }: Comparison, branch: JsonSchema, value: unknown): boolean {
  const trial: Comparison = { root, found: [], limit: 1, patterns, unions };
  compare(trial, branch, value, []);
  return trial.found.length === 0;
}

function flatten(comparison: Comparison, branches: readonly JsonSchema[]): readonly JsonSchema[] {
  const made = comparison.unions.get(branches);
  if (made !== undefined) return made;
  const flat = branches.flatMap((written) => {
    const branch = target(comparison, written);
    const inner = branch.anyOf ?? branch.oneOf;
    return inner === undefined ? [branch] : flatten(comparison, inner);
  });
  comparison.unions.set(branches, flat);
  return flat;
}

/** Constant fields tell the branches of a discriminated union apart. */
function tagsOf(comparison: Comparison, branch: JsonSchema): readonly (readonly [string, unknown])[] {
  return Object.entries(branch.properties ?? {}).flatMap(([name, written]) => {
    const field = target(comparison, written);
    return field.const === undefined ? [] : [[name, field.const] as const];
  });
}

function hasTag(comparison: Comparison, branch: JsonSchema): boolean {
  return tagsOf(comparison, branch).length > 0;
}

function tagFits(comparison: Comparison, branch: JsonSchema, value: unknown): boolean {
  const tags = tagsOf(comparison, branch);
  if (!isObject(value)) return false;
  if (tags.length > 0) return tags.every(([name, constant]) => value[name] === constant);
  return (branch.required ?? []).some((name) => Object.hasOwn(value, name));
}

/** What is wrong with the value itself, its members apart. */
function problemWith(
  comparison: Comparison,
  schema: JsonSchema,
  value: unknown,
): 'type' | 'value' | undefined {
  if (schema.type !== undefined && !hasType(schema.type, value))
    return schema.type === 'integer' && typeof value === 'number' ? 'value' : 'type';
  if (schema.const !== undefined && value !== schema.const) return 'value';
  if (schema.enum !== undefined && !schema.enum.some((allowed) => allowed === value)) return 'value';
  if (typeof value === 'string') {
    if (value.length < (schema.minLength ?? 0)) return 'value';
    if (value.length > (schema.maxLength ?? Number.POSITIVE_INFINITY)) return 'value';
    if (schema.pattern !== undefined && !pattern(comparison, schema.pattern).test(value)) return 'value';
  }
  if (typeof value === 'number') {
    if (value < (schema.minimum ?? Number.NEGATIVE_INFINITY)) return 'value';
    if (value > (schema.maximum ?? Number.POSITIVE_INFINITY)) return 'value';
  }
  if (Array.isArray(value)) {
    if (value.length < (schema.minItems ?? 0)) return 'value';
    if (value.length > (schema.maxItems ?? Number.POSITIVE_INFINITY)) return 'value';
  }
  return undefined;
}

function hasType(type: string | readonly string[], value: unknown): boolean {
  if (typeof type !== 'string') return type.some((each) => hasType(each, value));
  switch (type) {
    case 'object':
      return isObject(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'null':
      return value === null;
    default:
      return typeof value === type;
  }
}

function target(comparison: Comparison, schema: JsonSchema): JsonSchema {
  if (schema.$ref === undefined) return schema;
  const found = comparison.root.$defs?.[schema.$ref.replace('#/$defs/', '')];
  if (found === undefined) throw new Error(`the schema has no definition ${schema.$ref}`);
  return target(comparison, found);
}

function pattern(comparison: Comparison, source: string): RegExp {
  let made = comparison.patterns.get(source);
  if (made === undefined) {
    made = new RegExp(source, 'u');
    comparison.patterns.set(source, made);
  }
  return made;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isObjectOrArray(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function describe(comparison: Comparison, schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum !== undefined) return `one of ${schema.enum.map((value) => `\`${value}\``).join(', ')}`;
  if (Array.isArray(schema.type))
    return schema.type.map((type: string) => describe(comparison, { ...schema, type })).join(', or ');
  switch (schema.type) {
    case 'object': {
      const tags = tagsOf(comparison, schema).map(([name, value]) => `\`${name}\` \`${value}\``);
      if (tags.length > 0) return `an object with ${tags.join(' and ')}`;
      const fields = schema.required ?? [];
      return fields.length === 1 ? `an object with \`${fields[0]}\`` : 'an object';
    }
    case 'array':
      return schema.maxItems === undefined ? 'a list' : `a list of at most ${schema.maxItems} items`;
    case 'string':
      return describeString(schema);
    case 'integer':
      return `a whole number${describeRange(schema)}`;
    default:
      return `${schema.type}`;
  }
}

function describeString(schema: JsonSchema): string {
  if (schema.pattern !== undefined) return `text that matches \`${schema.pattern}\``;
  if (schema.maxLength !== undefined)
    return `text of ${schema.minLength ?? 0} to ${schema.maxLength} characters`;
  return 'text';
}

function describeRange({ minimum, maximum }: JsonSchema): string {
  if (maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER)
    return minimum === undefined ? ` of at most ${maximum}` : ` from ${minimum} to ${maximum}`;
  return minimum === undefined ? '' : ` of at least ${minimum}`;
}

/** A value in words, short whatever it is. */
function shown(value: unknown): string {
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY)
    return 'a number too large to hold';
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return `${value}`;
  if (typeof value === 'string') {
    const short = value.length > 40 ? `${value.slice(0, 40)}…` : value;
    return `the text ${JSON.stringify(short)}`;
  }
  return Array.isArray(value) ? `a list of ${value.length}` : 'an object';
}
