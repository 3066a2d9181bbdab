import { z } from 'zod';
import { planStep, shows } from '../plan/plan.schema.ts';

/**
 * The one definition of a journal: JSON Lines, one file for each generation, each line one record. The first is the
 * header. A record of intent is on disk before its deed is done; a journal that stops in the middle therefore tells
 * everything that may have been done, and each record of intent carries its own undo. Only the last line may be torn.
 */
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const step = z.int().min(1).max(100000);
const time = z.string().max(40).describe('as the caller gave it, ISO 8601');
const bootId = z
  .union([z.string().max(64), z.null()])
  .describe('/proc/sys/kernel/random/boot_id; null: there is none');
const errno = z.union([z.string().max(20), z.null()]).describe('name of the errno; null: success');

const header = z
  .strictObject({
    record: z.literal('header'),
    format: z.literal('vfioplan.journal'),
    version: z.literal(1),
    generation: z.int().min(1).max(4294967295),
    host: z.string().min(1).max(255),
    backend: z.enum(['simulated', 'linux']),
    time,
    bootId,
    policyDigest: digest,
    snapshotDigest: digest,
    planDigest: digest.describe('SHA-256 over the canonical plan'),
    steps: z.int().min(0).max(100000).describe('how many the plan has'),
    confirmWithin: z
      .int()
      .min(1)
      .max(86400)
      .exactOptional()
      .describe('seconds in which somebody has to confirm it; left out: nobody has to'),
  })
  .meta({ id: 'JournalHeader' });

const intent = z
  .strictObject({
    record: z.literal('intent'),
    step,
    operation: planStep.shape.operation,
    sentence: planStep.shape.sentence,
    identity: planStep.shape.identity,
    before: shows,
    after: shows,
    undo: planStep.shape.undo,
  })
  .describe('the step is about to be done')
  .meta({ id: 'JournalIntent' });

const observed = { step, errno, observed: shows, matches: z.boolean().describe('as predicted') };

const outcome = z
  .strictObject({ record: z.literal('outcome'), ...observed })
  .describe('the step was done, and this is what the machine shows');

const undo = z.strictObject({ record: z.literal('undo'), step }).describe('the step is about to be undone');

const undone = z
  .strictObject({ record: z.literal('undone'), ...observed })
  .describe('the step was undone, and this is what the machine shows');

const resume = z
  .strictObject({
    record: z.literal('resume'),
    why: z.enum(['recover', 'revert', 'confirm', 'expire']),
    time,
    bootId,
  })
  .describe('a later run took the journal up again');

const left = z.strictObject({ step, sentence: z.string(), reason: z.string() }).meta({ id: 'JournalLeft' });

const end = z
  .strictObject({
    record: z.literal('end'),
    verdict: z.enum(['done', 'rolled back', 'incomplete', 'reverted']),
    left: z.array(left).max(100000).describe('what is still to be undone, and why it could not be'),
  })
  .meta({ id: 'JournalEnd' });

export const journalRecordSchema = z.discriminatedUnion('record', [
  header,
  intent,
  outcome,
  undo,
  undone,
  resume,
  end,
]);
