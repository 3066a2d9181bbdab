import { z } from 'zod';
import {
  as,
  call,
  descriptor,
  dirty,
  mapping,
  on,
  processName,
  register,
  structure,
  text,
  wide,
  word,
} from './trace-fields.schema.ts';
import { iommufdOperations } from './trace-iommufd.schema.ts';

/**
 * The one definition of a trace: JSON Lines, each line one record, the first the header. A trace without results is a
 * script. docs/traces.md says what the records mean.
 *
 * There is one entry here, or in what is imported here, for each operation of the model (`src/model/op.ts`), with the
 * same fields but `pid`; a test holds the two together, and nothing else needs to be told of a new operation. What a field
 * means follows from its definition: `wide` is a bigint of the model, `descriptor` a descriptor, `processName` a pid, and
 * an operation with `as` answers a descriptor.
 */
export const traceOperation = z
  .discriminatedUnion('op', [
    // --- sysfs, modules, nodes
    z.strictObject({
      op: z.literal('module.load'),
      module: text,
      parameters: z.array(text).max(64).exactOptional().describe('as modprobe takes them: `ids=8086:10d3`'),
    }),
    z.strictObject({
      op: z.literal('module.unload'),
      module: text,
      also: z.array(text).max(64).exactOptional(),
    }),
    z.strictObject({ op: z.literal('parameter.write'), module: text, parameter: text, text }),
    z.strictObject({ op: z.literal('override.write'), device: text, text }),
    z.strictObject({ op: z.literal('driver.bind'), driver: text, device: text }),
    z.strictObject({ op: z.literal('driver.unbind'), driver: text, device: text }),
    z.strictObject({ op: z.literal('drivers.probe'), device: text }),
    z.strictObject({ op: z.literal('driver.new_id'), driver: text, text }),
    z.strictObject({ op: z.literal('driver.remove_id'), driver: text, text }),
    z.strictObject({ op: z.literal('bus.autoprobe'), text }),
    z.strictObject({
      op: z.literal('bus.rescan'),
      device: text.exactOptional().describe('on whose bus; left out: everywhere'),
      text,
    }),
    z.strictObject({ op: z.literal('device.remove'), device: text, text }),
    z.strictObject({ op: z.literal('device.enable'), device: text, text }),
    z.strictObject({ op: z.literal('device.sysfs_reset'), device: text, text }),
    z.strictObject({ op: z.literal('device.reset_method'), device: text, text }),
    z.strictObject({ op: z.literal('device.sriov_numvfs'), device: text, text }),
    z.strictObject({ op: z.literal('device.sriov_autoprobe'), device: text, text }),
    z.strictObject({ op: z.literal('iommu_group.type'), group: word, text }),
    z.strictObject({
      op: z.literal('node.own'),
      path: text,
      of: text
        .exactOptional()
        .describe(
          'whose node it is, where its number is handed out by the kernel: then whichever that function has',
        ),
      uid: word,
      gid: word,
      mode: word,
    }),
    // --- configuration files
    z.strictObject({ op: z.literal('config.write'), path: text, text }),
    z.strictObject({ op: z.literal('config.remove'), path: text }),
    z.strictObject({ op: z.literal('config.make_directory'), path: text }),
    z.strictObject({ op: z.literal('config.remove_directory'), path: text }),
    // --- files
    z.strictObject({ op: z.literal('open'), path: text, as }),
    z.strictObject({ op: z.literal('close'), ...on }),
    z.strictObject({ op: z.literal('descriptor.pass'), ...on, to: processName, as }),
    z.strictObject({
      op: z.literal('file.call'),
      ...on,
      call: z.enum(['read', 'write', 'mmap', 'lseek']),
    }),
    z.strictObject({ op: z.literal('eventfd'), as }),
    // --- container
    z.strictObject({ op: z.literal('container.api_version'), ...on }),
    z.strictObject({ op: z.literal('container.check_extension'), ...on, extension: register }),
    z.strictObject({ op: z.literal('container.set_iommu'), ...on, type: register }),
    z.strictObject({ op: z.literal('container.get_info'), ...call }),
    z.strictObject({ op: z.literal('container.map_dma'), ...mapping }),
    z.strictObject({ op: z.literal('container.unmap_dma'), ...call, ...dirty }),
    z.strictObject({ op: z.literal('container.dirty_pages'), ...call, ...dirty }),
    // --- group
    z.strictObject({ op: z.literal('group.get_status'), ...call }),
    z.strictObject({ op: z.literal('group.set_container'), ...call, container: descriptor }),
    z.strictObject({ op: z.literal('group.unset_container'), ...on }),
    z.strictObject({ op: z.literal('group.get_device_fd'), ...call, name: text, as }),
    // --- device
    z.strictObject({
      op: z.literal('device.bind_iommufd'),
      ...structure,
      iommufd: descriptor,
      flags: word,
      token: text
        .exactOptional()
        .describe('a UUID, anything else stands for zeros; left out, none can be read'),
    }),
    z.strictObject({ op: z.literal('device.attach_ioas'), ...call, target: word, flags: word }),
    z.strictObject({ op: z.literal('device.detach_ioas'), ...call, flags: word }),
    ...iommufdOperations,
    z.strictObject({ op: z.literal('device.get_info'), ...call }),
    z.strictObject({ op: z.literal('device.region_info'), ...call, index: word }),
    z.strictObject({ op: z.literal('device.irq_info'), ...call, index: word }),
    z.strictObject({ op: z.literal('device.reset'), ...on }),
    // --- virtual machines
    z.strictObject({ op: z.literal('kvm.create_vm'), ...on, as }),
    z.strictObject({ op: z.literal('kvm.create_device'), ...call, as }),
    z.strictObject({ op: z.literal('kvm.add_group'), ...call, file: descriptor }),
    z.strictObject({ op: z.literal('kvm.del_group'), ...call, file: descriptor }),
    z.strictObject({
      op: z.literal('device.set_irqs'),
      ...call,
      flags: word,
      index: word,
      start: word,
      count: word,
      data: z.array(descriptor).max(4096).describe('for each vector a byte, or the descriptor of an eventfd'),
    }),
    z.strictObject({ op: z.literal('device.read'), ...on, offset: wide, count: word }),
    z.strictObject({
      op: z.literal('device.write'),
      ...on,
      offset: wide,
      bytes: z.array(z.int().min(0).max(255)).max(65536),
    }),
    z.strictObject({
      op: z.literal('device.mmap'),
      ...on,
      offset: wide,
      length: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
      shared: z.boolean(),
    }),
    z.strictObject({ op: z.literal('device.hot_reset_info'), ...call }),
    z.strictObject({
      op: z.literal('device.hot_reset'),
      ...call,
      flags: word,
      groups: z.array(descriptor).max(4096),
    }),
    z.strictObject({
      op: z.literal('device.ioeventfd'),
      ...call,
      flags: word,
      offset: wide,
      data: wide,
      eventfd: descriptor,
    }),
    z.strictObject({
      op: z.literal('device.feature'),
      ...call,
      flags: word,
      token: text.describe('a UUID; anything else stands for zeros'),
      eventfd: descriptor,
    }),
    z.strictObject({ op: z.literal('ioctl'), ...call, request: word }),
  ])
  .meta({ id: 'TraceOperation' });

const id = z.int().min(0).max(4294967295);

const header = z
  .strictObject({
    record: z.literal('header'),
    format: z.literal('vfioplan.trace'),
    version: z.literal(1),
    profile: z
      .string()
      .min(1)
      .max(40)
      .exactOptional()
      .describe("kernel profile of the model; left out: the one nearest to the machine's release"),
    machine: z
      .union([
        z.strictObject({
          file: z.string().min(1).max(4096).describe("a snapshot; relative to the trace's folder"),
        }),
        z.strictObject({ snapshot: z.looseObject({}).describe('a snapshot: docs/schema/snapshot.json') }),
      ])
      .exactOptional()
      .describe('the machine as it was when the trace began'),
    from: z
      .strictObject({
        kernel: z.enum(['simulated', 'linux']),
        release: z.string().max(255).exactOptional().describe('as `uname -r` says'),
      })
      .exactOptional()
      .describe('who answered; a script has no answers'),
    about: z.string().max(4096).exactOptional(),
  })
  .meta({ id: 'TraceHeader' });

const process = z
  .strictObject({
    record: z.literal('process'),
    name: processName,
    uid: id,
    gid: id,
    groups: z.array(id).max(65536),
    capabilities: z
      .array(z.string().regex(/^CAP_[A-Z_]{1,40}$/))
      .max(64)
      .describe('effective, in the initial user namespace'),
    memlock: z.union([z.int().min(0), z.null()]).describe('soft RLIMIT_MEMLOCK in bytes; null is unlimited'),
  })
  .describe('a process begins, or an existing one is somebody else from now on; its descriptors stay')
  .meta({ id: 'TraceProcess' });

const exit = z
  .strictObject({ record: z.literal('exit'), process: processName })
  .describe('a process ends: all that it has open is closed')
  .meta({ id: 'TraceExit' });

const field = z.union([z.int(), z.string().max(65536)]);

const result = z
  .union([
    z.strictObject({
      value: z
        .int()
        .exactOptional()
        .describe(
          'what the call returned; of one that opens a descriptor its number there, which is not compared',
        ),
      out: z
        .record(z.string(), field)
        .exactOptional()
        .describe('fields that the kernel wrote back; those of 64 bits as `0x…`'),
    }),
    z.strictObject({
      errno: z.string().regex(/^(E[A-Z0-9]{1,20}|errno \d{1,4})$/),
    }),
    z.strictObject({
      blocks: z
        .array(processName)
        .max(1024)
        .describe('the call did not return; who had to let go first, as far as that is known'),
    }),
  ])
  .meta({ id: 'TraceResult' });

const deed = z
  .strictObject({
    record: z.literal('call'),
    process: processName,
    operation: traceOperation,
    untold: z
      .array(z.string().max(64))
      .max(64)
      .exactOptional()
      .describe('fields of the operation that nobody told: what stands there only holds the place'),
    result: result.exactOptional(),
    shows: z
      .record(z.string(), z.union([z.string(), z.null()]))
      .exactOptional()
      .describe(
        "what paths show afterwards: file text without its final newline, a link's last component, `mode uid:gid` of a node; null: absent",
      ),
    taint: z.int().min(0).exactOptional().describe('/proc/sys/kernel/tainted afterwards'),
    log: z
      .array(z.string().max(4096))
      .max(1024)
      .exactOptional()
      .describe('what VFIO, the IOMMU code and the driver core logged meanwhile, without time stamps'),
    comment: z.string().max(4096).exactOptional(),
  })
  .describe('one operation of one process, and what came of it')
  .meta({ id: 'TraceCall' });

export const traceRecordSchema = z.discriminatedUnion('record', [header, process, exit, deed]);
