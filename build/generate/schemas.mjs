/** The schema of a document as a TypeScript module of data, which `src/wire/conform.ts` checks documents against. */
export function schemaModuleOf({ name, json, schema }) {
  return (
    `// Generated from ${schema} by \`npm run generate\`; do not edit.\n` +
    `import type { JsonSchema } from '../schema.ts';\n\n` +
    `export const ${name}Schema: JsonSchema = ${JSON.stringify(json, null, 1)};\n`
  );
}
