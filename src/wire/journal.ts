/** Lines of a journal. Defined in `journal.schema.ts`. */
export type {
  JournalEnd,
  JournalHeader,
  JournalIntent,
  JournalLeft,
  JournalRecord,
} from './generated/journal-types.ts';
