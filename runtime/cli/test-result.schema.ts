import { z } from 'zod';

/**
 * The one definition of what `vfioplan test --format json` writes. It is strict, so that a test finds what is written and
 * not declared here. vfioplan itself never reads it.
 */
const code = z.string().regex(/^VP\d{4}$/);
const from1 = z.int().min(1);

const position = z
  .strictObject({
    line: from1.exactOptional(),
    column: from1.exactOptional().describe('in UTF-16 units'),
    offset: z.int().min(0).describe('in UTF-16 units, from 0'),
  })
  .describe('line and column are left out where there is no text')
  .meta({ id: 'Position' });

const range = z.strictObject({ start: position, end: position.describe('exclusive') }).meta({ id: 'Range' });

const related = z.strictObject({ message: z.string(), file: z.string(), range });

const kernel = z
  .strictObject({
    step: z.string(),
    guard: z.string().describe('what the kernel tests there, in words'),
    errno: z.string(),
    citation: z.string().describe('file and function of the kernel'),
  })
  .meta({ id: 'KernelAnswer' });

const fix = z
  .strictObject({
    title: z.string(),
    safe: z.boolean().describe('`vfioplan check --fix` makes it'),
    edits: z.array(z.strictObject({ file: z.string(), range, text: z.string() })),
  })
  .meta({ id: 'Fix' });

const diagnostic = z
  .strictObject({
    code,
    severity: z.enum(['error', 'warning', 'info']),
    message: z.string(),
    file: z.string(),
    range,
    related: z.array(related),
    causes: z.array(z.string()),
    cures: z.array(z.string()).describe('the best first'),
    kernel: kernel.exactOptional(),
    fixes: z.array(fix),
  })
  .meta({ id: 'ResultDiagnostic' });

const reason = z
  .strictObject({
    guard: z.union([z.string(), z.null()]).describe('its name in docs/model.md; null: none refused'),
    words: z.string(),
    errno: z.union([z.string(), z.null()]).describe('null: the call does not return'),
    citation: z.string(),
  })
  .describe('the guard that refused')
  .meta({ id: 'ResultReason' });

const traceStep = z
  .strictObject({
    who: z.string().describe('`vfioplan`, or a principal'),
    what: z.string(),
    answer: z.string().describe('`0`, `a descriptor`, an errno'),
    reason: reason.exactOptional(),
  })
  .meta({ id: 'ResultTraceStep' });

const place = { file: z.string(), line: from1, column: from1 };

const test = z
  .strictObject({
    name: z.string(),
    host: z.string().describe('the host that the machine of the test stands for'),
    ...place,
    passed: z.boolean(),
    codes: z.array(code).describe('of what did not hold; its diagnostic is among the diagnostics'),
    trace: z.array(traceStep).describe('what was done, up to the first thing that was not as the test says'),
  })
  .meta({ id: 'ResultTest' });

const covered = z
  .strictObject({
    policy: z.string(),
    kind: z.enum([
      'bind',
      'create',
      'allow',
      'limit',
      'persist',
      'confirm',
      'forbid',
      'forbid-unsafe-interrupts',
      'protect',
      'require',
    ]),
    ...place,
  })
  .meta({ id: 'ResultStatement' });

const coverage = z
  .strictObject({
    statements: z.int().min(0).describe('of all policies'),
    exercised: z.int().min(0),
    unused: z.array(covered).describe('no test has established them, or nobody has made use of them'),
    unrefused: z.array(covered).describe('laws for which no test was refused'),
    refusals: z.array(code).describe('with which policies were refused as tests expected, sorted'),
  })
  .meta({ id: 'ResultCoverage' });

export const testReportSchema = z.strictObject({
  format: z.literal('vfioplan.result'),
  version: z.literal(1),
  command: z.enum(['test', '']).describe('empty: the command line was not understood'),
  exitCode: z.union([z.literal(0), z.literal(1), z.literal(64), z.literal(70)]),
  diagnostics: z.array(diagnostic),
  tests: z
    .array(test)
    .exactOptional()
    .describe('in the order of the files, whatever ran first; left out where none could be run'),
  coverage: coverage.exactOptional(),
});
