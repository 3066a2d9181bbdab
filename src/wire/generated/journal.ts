// Generated from src/wire/journal.schema.ts by `npm run generate`; do not edit.
import type { JsonSchema } from '../schema.ts';

export const journalSchema: JsonSchema = {
 "$schema": "https://json-schema.org/draft/2020-12/schema",
 "$id": "urn:vfioplan:schema:journal:1",
 "title": "vfioplan journal record",
 "description": "One line of a journal (JSON Lines): what was intended or done in one step of carrying out a plan.",
 "oneOf": [
  {
   "$ref": "#/$defs/JournalHeader"
  },
  {
   "$ref": "#/$defs/JournalIntent"
  },
  {
   "type": "object",
   "properties": {
    "record": {
     "type": "string",
     "const": "outcome"
    },
    "step": {
     "type": "integer",
     "minimum": 1,
     "maximum": 100000
    },
    "errno": {
     "anyOf": [
      {
       "type": "string",
       "maxLength": 20
      },
      {
       "type": "null"
      }
     ],
     "description": "name of the errno; null: success"
    },
    "observed": {
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
    "matches": {
     "type": "boolean",
     "description": "as predicted"
    }
   },
   "required": [
    "record",
    "step",
    "errno",
    "observed",
    "matches"
   ],
   "additionalProperties": false,
   "description": "the step was done, and this is what the machine shows"
  },
  {
   "type": "object",
   "properties": {
    "record": {
     "type": "string",
     "const": "undo"
    },
    "step": {
     "type": "integer",
     "minimum": 1,
     "maximum": 100000
    }
   },
   "required": [
    "record",
    "step"
   ],
   "additionalProperties": false,
   "description": "the step is about to be undone"
  },
  {
   "type": "object",
   "properties": {
    "record": {
     "type": "string",
     "const": "undone"
    },
    "step": {
     "type": "integer",
     "minimum": 1,
     "maximum": 100000
    },
    "errno": {
     "anyOf": [
      {
       "type": "string",
       "maxLength": 20
      },
      {
       "type": "null"
      }
     ],
     "description": "name of the errno; null: success"
    },
    "observed": {
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
    "matches": {
     "type": "boolean",
     "description": "as predicted"
    }
   },
   "required": [
    "record",
    "step",
    "errno",
    "observed",
    "matches"
   ],
   "additionalProperties": false,
   "description": "the step was undone, and this is what the machine shows"
  },
  {
   "type": "object",
   "properties": {
    "record": {
     "type": "string",
     "const": "resume"
    },
    "why": {
     "type": "string",
     "enum": [
      "recover",
      "revert",
      "confirm",
      "expire"
     ]
    },
    "time": {
     "type": "string",
     "maxLength": 40,
     "description": "as the caller gave it, ISO 8601"
    },
    "bootId": {
     "anyOf": [
      {
       "type": "string",
       "maxLength": 64
      },
      {
       "type": "null"
      }
     ],
     "description": "/proc/sys/kernel/random/boot_id; null: there is none"
    }
   },
   "required": [
    "record",
    "why",
    "time",
    "bootId"
   ],
   "additionalProperties": false,
   "description": "a later run took the journal up again"
  },
  {
   "$ref": "#/$defs/JournalEnd"
  }
 ],
 "$defs": {
  "JournalHeader": {
   "type": "object",
   "properties": {
    "record": {
     "type": "string",
     "const": "header"
    },
    "format": {
     "type": "string",
     "const": "vfioplan.journal"
    },
    "version": {
     "type": "number",
     "const": 1
    },
    "generation": {
     "type": "integer",
     "minimum": 1,
     "maximum": 4294967295
    },
    "host": {
     "type": "string",
     "minLength": 1,
     "maxLength": 255
    },
    "backend": {
     "type": "string",
     "enum": [
      "simulated",
      "linux"
     ]
    },
    "time": {
     "type": "string",
     "maxLength": 40,
     "description": "as the caller gave it, ISO 8601"
    },
    "bootId": {
     "anyOf": [
      {
       "type": "string",
       "maxLength": 64
      },
      {
       "type": "null"
      }
     ],
     "description": "/proc/sys/kernel/random/boot_id; null: there is none"
    },
    "policyDigest": {
     "type": "string",
     "pattern": "^[0-9a-f]{64}$"
    },
    "snapshotDigest": {
     "type": "string",
     "pattern": "^[0-9a-f]{64}$"
    },
    "planDigest": {
     "type": "string",
     "pattern": "^[0-9a-f]{64}$",
     "description": "SHA-256 over the canonical plan"
    },
    "steps": {
     "type": "integer",
     "minimum": 0,
     "maximum": 100000,
     "description": "how many the plan has"
    },
    "confirmWithin": {
     "description": "seconds in which somebody has to confirm it; left out: nobody has to",
     "type": "integer",
     "minimum": 1,
     "maximum": 86400
    }
   },
   "required": [
    "record",
    "format",
    "version",
    "generation",
    "host",
    "backend",
    "time",
    "bootId",
    "policyDigest",
    "snapshotDigest",
    "planDigest",
    "steps"
   ],
   "additionalProperties": false
  },
  "JournalIntent": {
   "type": "object",
   "properties": {
    "record": {
     "type": "string",
     "const": "intent"
    },
    "step": {
     "type": "integer",
     "minimum": 1,
     "maximum": 100000
    },
    "operation": {
     "$ref": "#/$defs/PlanOperation"
    },
    "sentence": {
     "type": "string"
    },
    "identity": {
     "anyOf": [
      {
       "type": "string",
       "pattern": "^[0-9a-f]{4}:[0-9a-f]{4}$"
      },
      {
       "type": "null"
      }
     ],
     "description": "vendor:device of the function that is acted on, read again right before; null: none is"
    },
    "before": {
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
    "after": {
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
    "undo": {
     "anyOf": [
      {
       "type": "object",
       "properties": {
        "operation": {
         "$ref": "#/$defs/PlanOperation"
        },
        "sentence": {
         "type": "string"
        },
        "after": {
         "type": "object",
         "propertyNames": {
          "type": "string"
         },
         "additionalProperties": {
          "type": [
           "string",
           "null"
          ]
         },
         "description": "what the touched paths show once the step is undone"
        }
       },
       "required": [
        "operation",
        "sentence",
        "after"
       ],
       "additionalProperties": false
      },
      {
       "type": "object",
       "properties": {
        "none": {
         "type": "string",
         "description": "why nothing has to be undone"
        }
       },
       "required": [
        "none"
       ],
       "additionalProperties": false
      }
     ]
    }
   },
   "required": [
    "record",
    "step",
    "operation",
    "sentence",
    "identity",
    "before",
    "after",
    "undo"
   ],
   "additionalProperties": false,
   "description": "the step is about to be done"
  },
  "PlanOperation": {
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
       "maxLength": 255,
       "pattern": "^\\w[\\w !+,.:-]*$"
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
       "maxLength": 255,
       "pattern": "^\\w[\\w !+,.:-]*$"
      },
      "also": {
       "description": "further modules, after it, in this order",
       "maxItems": 64,
       "type": "array",
       "items": {
        "type": "string",
        "maxLength": 255,
        "pattern": "^\\w[\\w !+,.:-]*$"
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
       "maxLength": 255,
       "pattern": "^\\w[\\w !+,.:-]*$"
      },
      "parameter": {
       "type": "string",
       "maxLength": 255,
       "pattern": "^\\w[\\w !+,.:-]*$"
      },
      "text": {
       "type": "string",
       "maxLength": 64
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
       "pattern": "^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]$"
      },
      "text": {
       "type": "string",
       "maxLength": 255
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
       "maxLength": 255,
       "pattern": "^\\w[\\w !+,.:-]*$"
      },
      "device": {
       "type": "string",
       "pattern": "^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]$"
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
       "maxLength": 255,
       "pattern": "^\\w[\\w !+,.:-]*$"
      },
      "device": {
       "type": "string",
       "pattern": "^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]$"
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
       "pattern": "^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]$"
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
       "const": "device.sriov_autoprobe"
      },
      "device": {
       "type": "string",
       "pattern": "^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]$"
      },
      "text": {
       "type": "string",
       "pattern": "^[01]$"
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
       "pattern": "^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]$"
      },
      "text": {
       "type": "string",
       "pattern": "^\\d{1,5}$"
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
       "const": "node.own"
      },
      "path": {
       "type": "string",
       "pattern": "^\\/dev\\/(vfio\\/[A-Za-z0-9/-]+|iommu)$"
      },
      "of": {
       "description": "the function whose node it is: one that comes back may have another number by then",
       "type": "string",
       "pattern": "^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]$"
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
      "mode": {
       "type": "integer",
       "minimum": 0,
       "maximum": 511
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
       "maxLength": 255,
       "pattern": "^\\/etc\\/(modules-load\\.d\\/vfioplan\\.conf|modprobe\\.d\\/vfioplan\\.conf|udev\\/rules\\.d\\/60-vfioplan\\.rules|security\\/limits\\.d\\/60-vfioplan\\.conf|systemd\\/system\\/[A-Za-z0-9:_@-][A-Za-z0-9:_.@-]*\\.service\\.d\\/60-vfioplan\\.conf)$"
      },
      "text": {
       "type": "string",
       "maxLength": 1048576,
       "description": "the whole file"
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
       "maxLength": 255,
       "pattern": "^\\/etc\\/(modules-load\\.d\\/vfioplan\\.conf|modprobe\\.d\\/vfioplan\\.conf|udev\\/rules\\.d\\/60-vfioplan\\.rules|security\\/limits\\.d\\/60-vfioplan\\.conf|systemd\\/system\\/[A-Za-z0-9:_@-][A-Za-z0-9:_.@-]*\\.service\\.d\\/60-vfioplan\\.conf)$"
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
       "maxLength": 255,
       "pattern": "^\\/etc\\/(modules-load\\.d|modprobe\\.d|udev\\/rules\\.d|security\\/limits\\.d|systemd\\/system\\/[A-Za-z0-9:_@-][A-Za-z0-9:_.@-]*\\.service\\.d)$"
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
       "maxLength": 255,
       "pattern": "^\\/etc\\/(modules-load\\.d|modprobe\\.d|udev\\/rules\\.d|security\\/limits\\.d|systemd\\/system\\/[A-Za-z0-9:_@-][A-Za-z0-9:_.@-]*\\.service\\.d)$"
      }
     },
     "required": [
      "op",
      "path"
     ],
     "additionalProperties": false
    }
   ]
  },
  "JournalEnd": {
   "type": "object",
   "properties": {
    "record": {
     "type": "string",
     "const": "end"
    },
    "verdict": {
     "type": "string",
     "enum": [
      "done",
      "rolled back",
      "incomplete",
      "reverted"
     ]
    },
    "left": {
     "maxItems": 100000,
     "type": "array",
     "items": {
      "$ref": "#/$defs/JournalLeft"
     },
     "description": "what is still to be undone, and why it could not be"
    }
   },
   "required": [
    "record",
    "verdict",
    "left"
   ],
   "additionalProperties": false
  },
  "JournalLeft": {
   "type": "object",
   "properties": {
    "step": {
     "type": "integer",
     "minimum": 1,
     "maximum": 100000
    },
    "sentence": {
     "type": "string"
    },
    "reason": {
     "type": "string"
    }
   },
   "required": [
    "step",
    "sentence",
    "reason"
   ],
   "additionalProperties": false
  }
 }
};
