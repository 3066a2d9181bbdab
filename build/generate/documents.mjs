/**
 * The documents that vfioplan writes and reads, each with the one schema that defines it. From a schema come the
 * published JSON Schema, the same schema as a module for the reader (if it is read), and the TypeScript types.
 */
import { existsSync } from 'node:fs';
import { z } from 'zod';

const declared = [
  {
    name: 'snapshot',
    type: 'Snapshot',
    title: 'vfioplan machine snapshot',
    description:
      'A machine as vfioplan read it: what it knows of PCI functions, the IOMMU, disks, networks and users.',
    schema: 'src/machine/snapshot.schema.ts',
    types: 'src/machine/generated/snapshot.ts',
    pick: (module) => module.snapshotSchema,
  },
  {
    name: 'plan',
    type: 'Plan',
    title: 'vfioplan plan',
    description:
      'What vfioplan plans to do on one machine, step by step, with what it expects and how it is undone.',
    schema: 'src/plan/plan.schema.ts',
    types: 'src/plan/generated/plan.ts',
    pick: (module) => module.planSchema,
  },
  {
    name: 'journal',
    type: 'JournalRecord',
    title: 'vfioplan journal record',
    description:
      'One line of a journal (JSON Lines): what was intended or done in one step of carrying out a plan.',
    schema: 'src/wire/journal.schema.ts',
    types: 'src/wire/generated/journal-types.ts',
    pick: (module) => module.journalRecordSchema,
  },
  {
    name: 'trace',
    type: 'TraceRecord',
    title: 'vfioplan trace record',
    description: 'One line of a trace (JSON Lines): a process, an operation on the kernel, what it answered.',
    schema: 'src/wire/trace.schema.ts',
    types: 'src/wire/generated/trace-types.ts',
    pick: (module) => module.traceRecordSchema,
  },
  {
    name: 'test-result',
    type: 'TestReport',
    title: 'result of vfioplan test',
    description:
      'What `vfioplan test --format json` writes: every test with its verdict and trace, and what none has shown.',
    schema: 'runtime/cli/test-result.schema.ts',
    types: 'runtime/cli/generated/test-result.ts',
    pick: (module) => module.testReportSchema,
    onlyWritten: true,
  },
];

/** Each document with its JSON Schema (draft 2020-12). `root` is the repository, ending in a slash. */
export async function documents(root) {
  const found = [];
  for (const document of declared) {
    if (!existsSync(root + document.schema)) continue;
    const module = await import(new URL(document.schema, `file://${root}`).href);
    const { $schema, ...body } = z.toJSONSchema(document.pick(module));
    const head = {
      $schema,
      $id: `urn:vfioplan:schema:${document.name}:1`,
      title: document.title,
      description: document.description,
    };
    found.push({ ...document, json: { ...head, ...body } });
  }
  return found;
}
