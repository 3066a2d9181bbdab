/** The grammar's own answer to "did you mean", for rooms that know diagnostics but no grammar. */
export { nearest } from '../../grammar/nearest.ts';
