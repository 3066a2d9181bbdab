// Generated from src/wire/trace.schema.ts by `npm run generate`; do not edit.
import type { JsonSchema } from '../schema.ts';

export const traceSchema: JsonSchema = {
 "$schema": "https://json-schema.org/draft/2020-12/schema",
 "$id": "urn:vfioplan:schema:trace:1",
 "title": "vfioplan trace record",
 "description": "One line of a trace (JSON Lines): a process, an operation on the kernel, what it answered.",
 "oneOf": [
  {
   "$ref": "#/$defs/TraceHeader"
  },
  {
   "$ref": "#/$defs/TraceProcess"
  },
  {
   "$ref": "#/$defs/TraceExit"
  },
  {
   "$ref": "#/$defs/TraceCall"
  }
 ],
 "$defs": {
  "TraceHeader": {
   "type": "object",
   "properties": {
    "record": {
     "type": "string",
     "const": "header"
    },
    "format": {
     "type": "string",
     "const": "vfioplan.trace"
    },
    "version": {
     "type": "number",
     "const": 1
    },
    "profile": {
     "description": "kernel profile of the model; left out: the one nearest to the machine's release",
     "type": "string",
     "minLength": 1,
     "maxLength": 40
    },
    "machine": {
     "description": "the machine as it was when the trace began",
     "anyOf": [
      {
       "type": "object",
       "properties": {
        "file": {
         "type": "string",
         "minLength": 1,
         "maxLength": 4096,
         "description": "a snapshot; relative to the trace's folder"
        }
       },
       "required": [
        "file"
       ],
       "additionalProperties": false
      },
      {
       "type": "object",
       "properties": {
        "snapshot": {
         "type": "object",
         "properties": {},
         "additionalProperties": {},
         "description": "a snapshot: docs/schema/snapshot.json"
        }
       },
       "required": [
        "snapshot"
       ],
       "additionalProperties": false
      }
     ]
    },
    "from": {
     "description": "who answered; a script has no answers",
     "type": "object",
     "properties": {
      "kernel": {
       "type": "string",
       "enum": [
        "simulated",
        "linux"
       ]
      },
      "release": {
       "description": "as `uname -r` says",
       "type": "string",
       "maxLength": 255
      }
     },
     "required": [
      "kernel"
     ],
     "additionalProperties": false
    },
    "about": {
     "type": "string",
     "maxLength": 4096
    }
   },
   "required": [
    "record",
    "format",
    "version"
   ],
   "additionalProperties": false
  },
  "TraceProcess": {
   "type": "object",
   "properties": {
    "record": {
     "type": "string",
     "const": "process"
    },
    "name": {
     "$ref": "#/$defs/TraceProcessName"
    },
    "uid": {
     "type": "integer",
     "minimum": 0,
     "maximum": 4294967295
    },
    "gid": {
     "type": "integer",
     "minimum": 0,
     "maximum": 4294967295
    },
    "groups": {
     "maxItems": 65536,
     "type": "array",
     "items": {
      "type": "integer",
      "minimum": 0,
      "maximum": 4294967295
     }
    },
    "capabilities": {
     "maxItems": 64,
     "type": "array",
     "items": {
      "type": "string",
      "pattern": "^CAP_[A-Z_]{1,40}$"
     },
     "description": "effective, in the initial user namespace"
    },
    "memlock": {
     "anyOf": [
      {
       "type": "integer",
       "minimum": 0,
       "maximum": 9007199254740991
      },
      {
       "type": "null"
      }
     ],
     "description": "soft RLIMIT_MEMLOCK in bytes; null is unlimited"
    }
   },
   "required": [
    "record",
    "name",
    "uid",
    "gid",
    "groups",
    "capabilities",
    "memlock"
   ],
   "additionalProperties": false,
   "description": "a process begins, or an existing one is somebody else from now on; its descriptors stay"
  },
  "TraceProcessName": {
   "type": "string",
   "pattern": "^[A-Za-z][A-Za-z0-9_.-]{0,63}$",
   "description": "a process that an earlier record introduced"
  },
  "TraceExit": {
   "type": "object",
   "properties": {
    "record": {
     "type": "string",
     "const": "exit"
    },
    "process": {
     "$ref": "#/$defs/TraceProcessName"
    }
   },
   "required": [
    "record",
    "process"
   ],
   "additionalProperties": false,
   "description": "a process ends: all that it has open is closed"
  },
  "TraceCall": {
   "type": "object",
   "properties": {
    "record": {
     "type": "string",
     "const": "call"
    },
    "process": {
     "$ref": "#/$defs/TraceProcessName"
    },
    "operation": {
     "$ref": "#/$defs/TraceOperation"
    },
    "untold": {
     "description": "fields of the operation that nobody told: what stands there only holds the place",
     "maxItems": 64,
     "type": "array",
     "items": {
      "type": "string",
      "maxLength": 64
     }
    },
    "result": {
     "$ref": "#/$defs/TraceResult"
    },
    "shows": {
     "description": "what paths show afterwards: file text without its final newline, a link's last component, `mode uid:gid` of a node; null: absent",
     "type": "object",
     "propertyNames": {
      "type": "string"
     },
     "additionalProperties": {
      "type": [
       "string",
       "null"
      ]
     }
    },
    "taint": {
     "description": "/proc/sys/kernel/tainted afterwards",
     "type": "integer",
     "minimum": 0,
     "maximum": 9007199254740991
    },
    "log": {
     "description": "what VFIO, the IOMMU code and the driver core logged meanwhile, without time stamps",
     "maxItems": 1024,
     "type": "array",
     "items": {
      "type": "string",
      "maxLength": 4096
     }
    },
    "comment": {
     "type": "string",
     "maxLength": 4096
    }
   },
   "required": [
    "record",
    "process",
    "operation"
   ],
   "additionalProperties": false,
   "description": "one operation of one process, and what came of it"
  },
  "TraceOperation": {
   "oneOf": [
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "module.load"
      },
      "module": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      },
      "parameters": {
       "description": "as modprobe takes them: `ids=8086:10d3`",
       "maxItems": 64,
       "type": "array",
       "items": {
        "type": "string",
        "maxLength": 8192,
        "pattern": "^[^\\u0000]*$"
       }
      }
     },
     "required": [
      "op",
      "module"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "module.unload"
      },
      "module": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      },
      "also": {
       "maxItems": 64,
       "type": "array",
       "items": {
        "type": "string",
        "maxLength": 8192,
        "pattern": "^[^\\u0000]*$"
       }
      }
     },
     "required": [
      "op",
      "module"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "parameter.write"
      },
      "module": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      },
      "parameter": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      },
      "text": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      }
     },
     "required": [
      "op",
      "module",
      "parameter",
      "text"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "override.write"
      },
      "device": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      },
      "text": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      }
     },
     "required": [
      "op",
      "device",
      "text"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "driver.bind"
      },
      "driver": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      },
      "device": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      }
     },
     "required": [
      "op",
      "driver",
      "device"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "driver.unbind"
      },
      "driver": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      },
      "device": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      }
     },
     "required": [
      "op",
      "driver",
      "device"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "drivers.probe"
      },
      "device": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      }
     },
     "required": [
      "op",
      "device"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "driver.new_id"
      },
      "driver": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      },
      "text": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      }
     },
     "required": [
      "op",
      "driver",
      "text"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "driver.remove_id"
      },
      "driver": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      },
      "text": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      }
     },
     "required": [
      "op",
      "driver",
      "text"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "bus.autoprobe"
      },
      "text": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      }
     },
     "required": [
      "op",
      "text"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "bus.rescan"
      },
      "device": {
       "description": "on whose bus; left out: everywhere",
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      },
      "text": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      }
     },
     "required": [
      "op",
      "text"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "device.remove"
      },
      "device": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      },
      "text": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      }
     },
     "required": [
      "op",
      "device",
      "text"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "device.enable"
      },
      "device": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      },
      "text": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      }
     },
     "required": [
      "op",
      "device",
      "text"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "device.sysfs_reset"
      },
      "device": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      },
      "text": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      }
     },
     "required": [
      "op",
      "device",
      "text"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "device.reset_method"
      },
      "device": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      },
      "text": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      }
     },
     "required": [
      "op",
      "device",
      "text"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "device.sriov_numvfs"
      },
      "device": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      },
      "text": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      }
     },
     "required": [
      "op",
      "device",
      "text"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "device.sriov_autoprobe"
      },
      "device": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      },
      "text": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      }
     },
     "required": [
      "op",
      "device",
      "text"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "iommu_group.type"
      },
      "group": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "text": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      }
     },
     "required": [
      "op",
      "group",
      "text"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "node.own"
      },
      "path": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      },
      "of": {
       "description": "whose node it is, where its number is handed out by the kernel: then whichever that function has",
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      },
      "uid": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "gid": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "mode": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      }
     },
     "required": [
      "op",
      "path",
      "uid",
      "gid",
      "mode"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "config.write"
      },
      "path": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      },
      "text": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      }
     },
     "required": [
      "op",
      "path",
      "text"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "config.remove"
      },
      "path": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      }
     },
     "required": [
      "op",
      "path"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "config.make_directory"
      },
      "path": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      }
     },
     "required": [
      "op",
      "path"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "config.remove_directory"
      },
      "path": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      }
     },
     "required": [
      "op",
      "path"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "open"
      },
      "path": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      },
      "as": {
       "description": "names the descriptor that it answers, for the operations that follow",
       "$ref": "#/$defs/TraceName"
      }
     },
     "required": [
      "op",
      "path"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "close"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      }
     },
     "required": [
      "op",
      "fd"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "descriptor.pass"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "to": {
       "$ref": "#/$defs/TraceProcessName"
      },
      "as": {
       "description": "names the descriptor that it answers, for the operations that follow",
       "$ref": "#/$defs/TraceName"
      }
     },
     "required": [
      "op",
      "fd",
      "to"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "file.call"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "call": {
       "type": "string",
       "enum": [
        "read",
        "write",
        "mmap",
        "lseek"
       ]
      }
     },
     "required": [
      "op",
      "fd",
      "call"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "eventfd"
      },
      "as": {
       "description": "names the descriptor that it answers, for the operations that follow",
       "$ref": "#/$defs/TraceName"
      }
     },
     "required": [
      "op"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "container.api_version"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      }
     },
     "required": [
      "op",
      "fd"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "container.check_extension"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "extension": {
       "type": "integer",
       "minimum": -9007199254740991,
       "maximum": 9007199254740991
      }
     },
     "required": [
      "op",
      "fd",
      "extension"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "container.set_iommu"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "type": {
       "type": "integer",
       "minimum": -9007199254740991,
       "maximum": 9007199254740991
      }
     },
     "required": [
      "op",
      "fd",
      "type"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "container.get_info"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      }
     },
     "required": [
      "op",
      "fd"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "container.map_dma"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "flags": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "vaddr": {
       "$ref": "#/$defs/TraceWide"
      },
      "iova": {
       "$ref": "#/$defs/TraceWide"
      },
      "size": {
       "$ref": "#/$defs/TraceWide"
      },
      "memory": {
       "type": "string",
       "enum": [
        "writable",
        "untouched",
        "read-only",
        "none"
       ],
       "description": "what stands behind vaddr"
      }
     },
     "required": [
      "op",
      "fd",
      "flags",
      "vaddr",
      "iova",
      "size",
      "memory"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "container.unmap_dma"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "flags": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "iova": {
       "$ref": "#/$defs/TraceWide"
      },
      "size": {
       "$ref": "#/$defs/TraceWide"
      },
      "pgsize": {
       "$ref": "#/$defs/TraceWide"
      },
      "bitmapSize": {
       "$ref": "#/$defs/TraceWide"
      },
      "bitmap": {
       "description": "what stands behind the address of a bitmap of dirty pages",
       "type": "string",
       "enum": [
        "writable",
        "read-only",
        "none",
        "kernel",
        "unreadable"
       ]
      }
     },
     "required": [
      "op",
      "fd",
      "flags",
      "iova",
      "size"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "container.dirty_pages"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "flags": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "iova": {
       "$ref": "#/$defs/TraceWide"
      },
      "size": {
       "$ref": "#/$defs/TraceWide"
      },
      "pgsize": {
       "$ref": "#/$defs/TraceWide"
      },
      "bitmapSize": {
       "$ref": "#/$defs/TraceWide"
      },
      "bitmap": {
       "description": "what stands behind the address of a bitmap of dirty pages",
       "type": "string",
       "enum": [
        "writable",
        "read-only",
        "none",
        "kernel",
        "unreadable"
       ]
      }
     },
     "required": [
      "op",
      "fd",
      "flags",
      "iova",
      "size"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "group.get_status"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      }
     },
     "required": [
      "op",
      "fd"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "group.set_container"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "container": {
       "$ref": "#/$defs/TraceDescriptor"
      }
     },
     "required": [
      "op",
      "fd",
      "container"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "group.unset_container"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      }
     },
     "required": [
      "op",
      "fd"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "group.get_device_fd"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "name": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      },
      "as": {
       "description": "names the descriptor that it answers, for the operations that follow",
       "$ref": "#/$defs/TraceName"
      }
     },
     "required": [
      "op",
      "fd",
      "name"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "device.bind_iommufd"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "tail": {
       "description": "bytes that are not 0 stand behind the structure",
       "type": "boolean"
      },
      "iommufd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "flags": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "token": {
       "description": "a UUID, anything else stands for zeros; left out, none can be read",
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$"
      }
     },
     "required": [
      "op",
      "fd",
      "iommufd",
      "flags"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "device.attach_ioas"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "target": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "flags": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      }
     },
     "required": [
      "op",
      "fd",
      "target",
      "flags"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "device.detach_ioas"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "flags": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      }
     },
     "required": [
      "op",
      "fd",
      "flags"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "iommufd.destroy"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "tail": {
       "description": "bytes that are not 0 stand behind the structure",
       "type": "boolean"
      },
      "id": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      }
     },
     "required": [
      "op",
      "fd",
      "id"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "iommufd.ioas_alloc"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "tail": {
       "description": "bytes that are not 0 stand behind the structure",
       "type": "boolean"
      },
      "flags": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      }
     },
     "required": [
      "op",
      "fd",
      "flags"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "iommufd.ioas_iova_ranges"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "tail": {
       "description": "bytes that are not 0 stand behind the structure",
       "type": "boolean"
      },
      "reserved": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "ioas": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "room": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      }
     },
     "required": [
      "op",
      "fd",
      "ioas",
      "room"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "iommufd.ioas_allow_iovas"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "tail": {
       "description": "bytes that are not 0 stand behind the structure",
       "type": "boolean"
      },
      "reserved": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "ioas": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "ranges": {
       "maxItems": 4096,
       "type": "array",
       "items": {
        "$ref": "#/$defs/TraceWide"
       }
      }
     },
     "required": [
      "op",
      "fd",
      "ioas",
      "ranges"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "iommufd.ioas_map"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "tail": {
       "description": "bytes that are not 0 stand behind the structure",
       "type": "boolean"
      },
      "reserved": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "flags": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "ioas": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "vaddr": {
       "$ref": "#/$defs/TraceWide"
      },
      "length": {
       "$ref": "#/$defs/TraceWide"
      },
      "iova": {
       "$ref": "#/$defs/TraceWide"
      },
      "memory": {
       "type": "string",
       "enum": [
        "writable",
        "untouched",
        "read-only",
        "none"
       ],
       "description": "what stands behind vaddr"
      }
     },
     "required": [
      "op",
      "fd",
      "flags",
      "ioas",
      "vaddr",
      "length",
      "iova",
      "memory"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "iommufd.ioas_copy"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "tail": {
       "description": "bytes that are not 0 stand behind the structure",
       "type": "boolean"
      },
      "flags": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "dst": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "src": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "length": {
       "$ref": "#/$defs/TraceWide"
      },
      "dstIova": {
       "$ref": "#/$defs/TraceWide"
      },
      "srcIova": {
       "$ref": "#/$defs/TraceWide"
      }
     },
     "required": [
      "op",
      "fd",
      "flags",
      "dst",
      "src",
      "length",
      "dstIova",
      "srcIova"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "iommufd.ioas_unmap"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "tail": {
       "description": "bytes that are not 0 stand behind the structure",
       "type": "boolean"
      },
      "ioas": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "iova": {
       "$ref": "#/$defs/TraceWide"
      },
      "length": {
       "$ref": "#/$defs/TraceWide"
      }
     },
     "required": [
      "op",
      "fd",
      "ioas",
      "iova",
      "length"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "iommufd.option"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "tail": {
       "description": "bytes that are not 0 stand behind the structure",
       "type": "boolean"
      },
      "reserved": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "option": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "operation": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "object": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "value": {
       "$ref": "#/$defs/TraceWide"
      }
     },
     "required": [
      "op",
      "fd",
      "option",
      "operation",
      "object",
      "value"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "iommufd.vfio_ioas"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "tail": {
       "description": "bytes that are not 0 stand behind the structure",
       "type": "boolean"
      },
      "reserved": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "operation": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "ioas": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      }
     },
     "required": [
      "op",
      "fd",
      "operation",
      "ioas"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "iommufd.hwpt_alloc"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "tail": {
       "description": "bytes that are not 0 stand behind the structure",
       "type": "boolean"
      },
      "reserved": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "flags": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "deviceId": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "target": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "dataType": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "dataLength": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "behind": {
       "description": "the data can be read at its address; left out: it cannot",
       "type": "string",
       "enum": [
        "readable"
       ]
      },
      "faultId": {
       "description": "id of a queue of page faults",
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      }
     },
     "required": [
      "op",
      "fd",
      "flags",
      "deviceId",
      "target",
      "dataType",
      "dataLength"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "iommufd.get_hw_info"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "tail": {
       "description": "bytes that are not 0 stand behind the structure",
       "type": "boolean"
      },
      "reserved": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "flags": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "deviceId": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "length": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "buffer": {
       "type": "string",
       "enum": [
        "writable",
        "none"
       ],
       "description": "what stands behind the address"
      }
     },
     "required": [
      "op",
      "fd",
      "flags",
      "deviceId",
      "length",
      "buffer"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "iommufd.hwpt_set_dirty_tracking"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "tail": {
       "description": "bytes that are not 0 stand behind the structure",
       "type": "boolean"
      },
      "hwpt": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "flags": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      }
     },
     "required": [
      "op",
      "fd",
      "hwpt",
      "flags"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "iommufd.hwpt_get_dirty_bitmap"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "tail": {
       "description": "bytes that are not 0 stand behind the structure",
       "type": "boolean"
      },
      "reserved": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "hwpt": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "flags": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "iova": {
       "$ref": "#/$defs/TraceWide"
      },
      "length": {
       "$ref": "#/$defs/TraceWide"
      },
      "pageSize": {
       "$ref": "#/$defs/TraceWide"
      }
     },
     "required": [
      "op",
      "fd",
      "hwpt",
      "flags",
      "iova",
      "length",
      "pageSize"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "iommufd.hwpt_invalidate"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "tail": {
       "description": "bytes that are not 0 stand behind the structure",
       "type": "boolean"
      },
      "reserved": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "hwpt": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "array": {
       "type": "boolean",
       "description": "whether the address of entries is given"
      },
      "entryLength": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "entries": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "dataType": {
       "description": "what the entries are; 0 when left out",
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "content": {
       "description": "words at the address, and zeros behind them; left out: nothing is there",
       "maxItems": 1024,
       "type": "array",
       "items": {
        "type": "integer",
        "minimum": -2147483648,
        "maximum": 4294967295
       }
      }
     },
     "required": [
      "op",
      "fd",
      "hwpt",
      "array",
      "entryLength",
      "entries"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "iommufd.fault_queue_alloc"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "tail": {
       "description": "bytes that are not 0 stand behind the structure",
       "type": "boolean"
      },
      "flags": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "as": {
       "description": "names the descriptor that it answers, for the operations that follow",
       "$ref": "#/$defs/TraceName"
      }
     },
     "required": [
      "op",
      "fd",
      "flags"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "iommufd.noiommu_get_pa"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "tail": {
       "description": "bytes that are not 0 stand behind the structure",
       "type": "boolean"
      },
      "reserved": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "flags": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "ioas": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "iova": {
       "$ref": "#/$defs/TraceWide"
      },
      "length": {
       "$ref": "#/$defs/TraceWide"
      }
     },
     "required": [
      "op",
      "fd",
      "flags",
      "ioas",
      "iova",
      "length"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "iommufd.api_version"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      }
     },
     "required": [
      "op",
      "fd"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "iommufd.check_extension"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "extension": {
       "type": "integer",
       "minimum": -9007199254740991,
       "maximum": 9007199254740991
      }
     },
     "required": [
      "op",
      "fd",
      "extension"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "iommufd.set_iommu"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "type": {
       "type": "integer",
       "minimum": -9007199254740991,
       "maximum": 9007199254740991
      }
     },
     "required": [
      "op",
      "fd",
      "type"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "iommufd.get_info"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      }
     },
     "required": [
      "op",
      "fd"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "iommufd.map_dma"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "flags": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "vaddr": {
       "$ref": "#/$defs/TraceWide"
      },
      "iova": {
       "$ref": "#/$defs/TraceWide"
      },
      "size": {
       "$ref": "#/$defs/TraceWide"
      },
      "memory": {
       "type": "string",
       "enum": [
        "writable",
        "untouched",
        "read-only",
        "none"
       ],
       "description": "what stands behind vaddr"
      }
     },
     "required": [
      "op",
      "fd",
      "flags",
      "vaddr",
      "iova",
      "size",
      "memory"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "iommufd.unmap_dma"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "flags": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "iova": {
       "$ref": "#/$defs/TraceWide"
      },
      "size": {
       "$ref": "#/$defs/TraceWide"
      }
     },
     "required": [
      "op",
      "fd",
      "flags",
      "iova",
      "size"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "device.get_info"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      }
     },
     "required": [
      "op",
      "fd"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "device.region_info"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "index": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      }
     },
     "required": [
      "op",
      "fd",
      "index"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "device.irq_info"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "index": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      }
     },
     "required": [
      "op",
      "fd",
      "index"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "device.reset"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      }
     },
     "required": [
      "op",
      "fd"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "kvm.create_vm"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "as": {
       "description": "names the descriptor that it answers, for the operations that follow",
       "$ref": "#/$defs/TraceName"
      }
     },
     "required": [
      "op",
      "fd"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "kvm.create_device"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "as": {
       "description": "names the descriptor that it answers, for the operations that follow",
       "$ref": "#/$defs/TraceName"
      }
     },
     "required": [
      "op",
      "fd"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "kvm.add_group"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "file": {
       "$ref": "#/$defs/TraceDescriptor"
      }
     },
     "required": [
      "op",
      "fd",
      "file"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "kvm.del_group"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "file": {
       "$ref": "#/$defs/TraceDescriptor"
      }
     },
     "required": [
      "op",
      "fd",
      "file"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "device.set_irqs"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "flags": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "index": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "start": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "count": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "data": {
       "maxItems": 4096,
       "type": "array",
       "items": {
        "$ref": "#/$defs/TraceDescriptor"
       },
       "description": "for each vector a byte, or the descriptor of an eventfd"
      }
     },
     "required": [
      "op",
      "fd",
      "flags",
      "index",
      "start",
      "count",
      "data"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "device.read"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "offset": {
       "$ref": "#/$defs/TraceWide"
      },
      "count": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      }
     },
     "required": [
      "op",
      "fd",
      "offset",
      "count"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "device.write"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "offset": {
       "$ref": "#/$defs/TraceWide"
      },
      "bytes": {
       "maxItems": 65536,
       "type": "array",
       "items": {
        "type": "integer",
        "minimum": 0,
        "maximum": 255
       }
      }
     },
     "required": [
      "op",
      "fd",
      "offset",
      "bytes"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "device.mmap"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "offset": {
       "$ref": "#/$defs/TraceWide"
      },
      "length": {
       "type": "integer",
       "minimum": 0,
       "maximum": 9007199254740991
      },
      "shared": {
       "type": "boolean"
      }
     },
     "required": [
      "op",
      "fd",
      "offset",
      "length",
      "shared"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "device.hot_reset_info"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      }
     },
     "required": [
      "op",
      "fd"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "device.hot_reset"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "flags": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "groups": {
       "maxItems": 4096,
       "type": "array",
       "items": {
        "$ref": "#/$defs/TraceDescriptor"
       }
      }
     },
     "required": [
      "op",
      "fd",
      "flags",
      "groups"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "device.ioeventfd"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "flags": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "offset": {
       "$ref": "#/$defs/TraceWide"
      },
      "data": {
       "$ref": "#/$defs/TraceWide"
      },
      "eventfd": {
       "$ref": "#/$defs/TraceDescriptor"
      }
     },
     "required": [
      "op",
      "fd",
      "flags",
      "offset",
      "data",
      "eventfd"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "device.feature"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "flags": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      },
      "token": {
       "type": "string",
       "maxLength": 8192,
       "pattern": "^[^\\u0000]*$",
       "description": "a UUID; anything else stands for zeros"
      },
      "eventfd": {
       "$ref": "#/$defs/TraceDescriptor"
      }
     },
     "required": [
      "op",
      "fd",
      "flags",
      "token",
      "eventfd"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "op": {
       "type": "string",
       "const": "ioctl"
      },
      "fd": {
       "$ref": "#/$defs/TraceDescriptor"
      },
      "argsz": {
       "anyOf": [
        {
         "type": "integer",
         "minimum": -2147483648,
         "maximum": 4294967295
        },
        {
         "type": "null"
        }
       ]
      },
      "request": {
       "type": "integer",
       "minimum": -2147483648,
       "maximum": 4294967295
      }
     },
     "required": [
      "op",
      "fd",
      "request"
     ],
     "additionalProperties": false
    }
   ]
  },
  "TraceName": {
   "type": "string",
   "pattern": "^[A-Za-z][A-Za-z0-9_.-]{0,63}$"
  },
  "TraceDescriptor": {
   "anyOf": [
    {
     "$ref": "#/$defs/TraceName"
    },
    {
     "type": "integer",
     "minimum": -2147483648,
     "maximum": 2147483647
    }
   ],
   "description": "the name that the operation gave which opened it; a number stands for itself"
  },
  "TraceWide": {
   "type": "string",
   "pattern": "^0x[0-9a-f]{1,16}$",
   "description": "an unsigned number of 64 bits, in hexadecimal"
  },
  "TraceResult": {
   "anyOf": [
    {
     "type": "object",
     "properties": {
      "value": {
       "description": "what the call returned; of one that opens a descriptor its number there, which is not compared",
       "type": "integer",
       "minimum": -9007199254740991,
       "maximum": 9007199254740991
      },
      "out": {
       "description": "fields that the kernel wrote back; those of 64 bits as `0x…`",
       "type": "object",
       "propertyNames": {
        "type": "string"
       },
       "additionalProperties": {
        "anyOf": [
         {
          "type": "integer",
          "minimum": -9007199254740991,
          "maximum": 9007199254740991
         },
         {
          "type": "string",
          "maxLength": 65536
         }
        ]
       }
      }
     },
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "errno": {
       "type": "string",
       "pattern": "^(E[A-Z0-9]{1,20}|errno \\d{1,4})$"
      }
     },
     "required": [
      "errno"
     ],
     "additionalProperties": false
    },
    {
     "type": "object",
     "properties": {
      "blocks": {
       "maxItems": 1024,
       "type": "array",
       "items": {
        "$ref": "#/$defs/TraceProcessName"
       },
       "description": "the call did not return; who had to let go first, as far as that is known"
      }
     },
     "required": [
      "blocks"
     ],
     "additionalProperties": false
    }
   ]
  }
 }
};
