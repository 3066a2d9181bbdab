/**
 * What tests draw by chance is the same in each run. `SEED=7 npm test` draws otherwise; fast-check prints the seed of a property
 * that fails.
 */
export const seed = Number(process.env['SEED'] ?? 20261122);
if (!Number.isSafeInteger(seed)) throw new Error(`SEED is no whole number: ${process.env['SEED']}`);
