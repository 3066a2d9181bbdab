/** What Node runs in the guest: one scenario, by name, with a seed. */
import { linuxBackend } from '../../../runtime/linux/linux.ts';
import { scenarios } from '../scenarios.ts';
import { Guest } from './guest.ts';

const scenario = scenarios.find(({ name }) => name === process.argv[2]);
if (scenario === undefined) throw new Error(`no scenario ${process.argv[2]}`);
const guest = new Guest(await linuxBackend(), Number(process.argv[3]));
await scenario.run(guest);
