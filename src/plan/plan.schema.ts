import { z } from 'zod';

/** The one definition of a saved plan (`npm run generate` makes its JSON Schema and validator from it). */
const address = z.string().regex(/^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/);
const name = z.string().min(1).max(255);
/** Becomes a part of a path under /sys: neither a slash nor a way up. */
const fileName = z
  .string()
  .max(255)
  .regex(/^\w[\w !+,.:-]*$/);
/** The configuration files that vfioplan owns, and no others: a plan writes them as root. */
const configFile = z
  .string()
  .max(255)
  .regex(
    /^\/etc\/(modules-load\.d\/vfioplan\.conf|modprobe\.d\/vfioplan\.conf|udev\/rules\.d\/60-vfioplan\.rules|security\/limits\.d\/60-vfioplan\.conf|systemd\/system\/[A-Za-z0-9:_@-][A-Za-z0-9:_.@-]*\.service\.d\/60-vfioplan\.conf)$/,
  );
const configDirectory = z
  .string()
  .max(255)
  .regex(
    /^\/etc\/(modules-load\.d|modprobe\.d|udev\/rules\.d|security\/limits\.d|systemd\/system\/[A-Za-z0-9:_@-][A-Za-z0-9:_.@-]*\.service\.d)$/,
  );
const date = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);
const id = z.int().min(0).max(4294967295);

/** The operations that a plan may hold: those of the model that act on sysfs, modules, nodes and configuration files. */
const planOperation = z
  .discriminatedUnion('op', [
    z.strictObject({ op: z.literal('module.load'), module: fileName }),
    z.strictObject({
      op: z.literal('module.unload'),
      module: fileName,
      also: z.array(fileName).max(64).exactOptional().describe('further modules, after it, in this order'),
    }),
    z.strictObject({
      op: z.literal('parameter.write'),
      module: fileName,
      parameter: fileName,
      text: z.string().max(64),
    }),
    z.strictObject({ op: z.literal('override.write'), device: address, text: z.string().max(255) }),
    z.strictObject({ op: z.literal('driver.bind'), driver: fileName, device: address }),
    z.strictObject({ op: z.literal('driver.unbind'), driver: fileName, device: address }),
    z.strictObject({ op: z.literal('drivers.probe'), device: address }),
    z.strictObject({
      op: z.literal('device.sriov_autoprobe'),
      device: address,
      text: z.string().regex(/^[01]$/),
    }),
    z.strictObject({
      op: z.literal('device.sriov_numvfs'),
      device: address,
      text: z.string().regex(/^\d{1,5}$/),
    }),
    z.strictObject({
      op: z.literal('node.own'),
      path: z.string().regex(/^\/dev\/(vfio\/[A-Za-z0-9/-]+|iommu)$/),
      of: address
        .exactOptional()
        .describe('the function whose node it is: one that comes back may have another number by then'),
      uid: id,
      gid: id,
      mode: z.int().min(0).max(0o777),
    }),
    z.strictObject({
      op: z.literal('config.write'),
      path: configFile,
      text: z.string().max(1048576).describe('the whole file'),
    }),
    z.strictObject({ op: z.literal('config.remove'), path: configFile }),
    z.strictObject({ op: z.literal('config.make_directory'), path: configDirectory }),
    z.strictObject({ op: z.literal('config.remove_directory'), path: configDirectory }),
  ])
  .meta({ id: 'PlanOperation' });

/** What a path shows: file text without its final newline, a link's last component, `mode uid:gid` of a node; null: absent. */
export const shows = z.record(z.string(), z.union([z.string(), z.null()]));

const place = z
  .strictObject({
    file: z.string(),
    line: z.int().min(1),
    column: z.int().min(1),
    text: z.string().describe('the statement, as written'),
  })
  .meta({ id: 'PlanPlace' });

export const planStep = z
  .strictObject({
    number: z.int().min(1),
    operation: planOperation,
    sentence: z.string(),
    identity: z
      .union([z.string().regex(/^[0-9a-f]{4}:[0-9a-f]{4}$/), z.null()])
      .describe('vendor:device of the function that is acted on, read again right before; null: none is'),
    before: shows.describe('what the touched paths show before'),
    after: shows.describe('what they show after, when all goes well'),
    undo: z.union([
      z.strictObject({
        operation: planOperation,
        sentence: z.string(),
        after: shows.describe('what the touched paths show once the step is undone'),
      }),
      z.strictObject({ none: z.string().describe('why nothing has to be undone') }),
    ]),
    lasting: z.array(z.string()).describe('what undo cannot take back, such as the taint'),
    why: z.array(place),
  })
  .meta({ id: 'PlanStep' });

export const planSchema = z.strictObject({
  format: z.literal('vfioplan.plan'),
  version: z.literal(1),
  host: name,
  today: date,
  until: date.exactOptional().describe('last day on which the no-IOMMU permission that the plan uses holds'),
  profile: name.describe('kernel profile of the model'),
  policyDigest: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe('SHA-256 over the policy files'),
  policyFiles: z
    .array(z.string().max(4096))
    .max(100000)
    .exactOptional()
    .describe('names of those files, as they were given: where `apply` looks whether the policy changed'),
  snapshotDigest: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe('SHA-256 over the canonical snapshot'),
  relies: z
    .record(z.string(), z.string())
    .describe('facts of the machine that the plan rests on: path into the snapshot, value as canonical JSON'),
  steps: z.array(planStep).max(100000),
  confirmWithin: z
    .int()
    .min(1)
    .max(86400)
    .exactOptional()
    .describe(
      'seconds in which somebody has to confirm what was done on the real machine; else it is taken back',
    ),
  preconditions: z.array(
    z.strictObject({
      fact: z.string(),
      sentence: z.string(),
      unknown: z.string(),
      expects: z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])).exactOptional(),
      why: z.array(place),
    }),
  ),
  declared: z
    .array(z.strictObject({ what: z.enum(['limit', 'persist']), sentence: z.string(), why: z.array(place) }))
    .describe('what the policy says shall be and no step brings about'),
  access: z
    .array(
      z.strictObject({
        who: z.string(),
        device: name,
        path: z.enum(['group', 'noiommu', 'iommufd']),
        nodes: z.array(z.string()),
        needs: z.array(z.string()).describe('capabilities and limits the process must bring'),
      }),
    )
    .describe('who can use what when the plan is done'),
});
