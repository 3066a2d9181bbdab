// Generated from src/plan/plan.schema.ts by `npm run generate`; do not edit.
import type { JsonSchema } from '../schema.ts';

export const planSchema: JsonSchema = {
 "$schema": "https://json-schema.org/draft/2020-12/schema",
 "$id": "urn:vfioplan:schema:plan:1",
 "title": "vfioplan plan",
 "description": "What vfioplan plans to do on one machine, step by step, with what it expects and how it is undone.",
 "type": "object",
 "properties": {
  "format": {
   "type": "string",
   "const": "vfioplan.plan"
  },
  "version": {
   "type": "number",
   "const": 1
  },
  "host": {
   "type": "string",
   "minLength": 1,
   "maxLength": 255
  },
  "today": {
   "type": "string",
   "pattern": "^\\d{4}-\\d{2}-\\d{2}$"
  },
  "until": {
   "description": "last day on which the no-IOMMU permission that the plan uses holds",
   "type": "string",
   "pattern": "^\\d{4}-\\d{2}-\\d{2}$"
  },
  "profile": {
   "type": "string",
   "minLength": 1,
   "maxLength": 255,
   "description": "kernel profile of the model"
  },
  "policyDigest": {
   "type": "string",
   "pattern": "^[0-9a-f]{64}$",
   "description": "SHA-256 over the policy files"
  },
  "policyFiles": {
   "description": "names of those files, as they were given: where `apply` looks whether the policy changed",
   "maxItems": 100000,
   "type": "array",
   "items": {
    "type": "string",
    "maxLength": 4096
   }
  },
  "snapshotDigest": {
   "type": "string",
   "pattern": "^[0-9a-f]{64}$",
   "description": "SHA-256 over the canonical snapshot"
  },
  "relies": {
   "type": "object",
   "propertyNames": {
    "type": "string"
   },
   "additionalProperties": {
    "type": "string"
   },
   "description": "facts of the machine that the plan rests on: path into the snapshot, value as canonical JSON"
  },
  "steps": {
   "maxItems": 100000,
   "type": "array",
   "items": {
    "$ref": "#/$defs/PlanStep"
   }
  },
  "confirmWithin": {
   "description": "seconds in which somebody has to confirm what was done on the real machine; else it is taken back",
   "type": "integer",
   "minimum": 1,
   "maximum": 86400
  },
  "preconditions": {
   "type": "array",
   "items": {
    "type": "object",
    "properties": {
     "fact": {
      "type": "string"
     },
     "sentence": {
      "type": "string"
     },
     "unknown": {
      "type": "string"
     },
     "expects": {
      "type": "array",
      "items": {
       "type": [
        "string",
        "number",
        "boolean",
        "null"
       ]
      }
     },
     "why": {
      "type": "array",
      "items": {
       "$ref": "#/$defs/PlanPlace"
      }
     }
    },
    "required": [
     "fact",
     "sentence",
     "unknown",
     "why"
    ],
    "additionalProperties": false
   }
  },
  "declared": {
   "type": "array",
   "items": {
    "type": "object",
    "properties": {
     "what": {
      "type": "string",
      "enum": [
       "limit",
       "persist"
      ]
     },
     "sentence": {
      "type": "string"
     },
     "why": {
      "type": "array",
      "items": {
       "$ref": "#/$defs/PlanPlace"
      }
     }
    },
    "required": [
     "what",
     "sentence",
     "why"
    ],
    "additionalProperties": false
   },
   "description": "what the policy says shall be and no step brings about"
  },
  "access": {
   "type": "array",
   "items": {
    "type": "object",
    "properties": {
     "who": {
      "type": "string"
     },
     "device": {
      "type": "string",
      "minLength": 1,
      "maxLength": 255
     },
     "path": {
      "type": "string",
      "enum": [
       "group",
       "noiommu",
       "iommufd"
      ]
     },
     "nodes": {
      "type": "array",
      "items": {
       "type": "string"
      }
     },
     "needs": {
      "type": "array",
      "items": {
       "type": "string"
      },
      "description": "capabilities and limits the process must bring"
     }
    },
    "required": [
     "who",
     "device",
     "path",
     "nodes",
     "needs"
    ],
    "additionalProperties": false
   },
   "description": "who can use what when the plan is done"
  }
 },
 "required": [
  "format",
  "version",
  "host",
  "today",
  "profile",
  "policyDigest",
  "snapshotDigest",
  "relies",
  "steps",
  "preconditions",
  "declared",
  "access"
 ],
 "additionalProperties": false,
 "$defs": {
  "PlanStep": {
   "type": "object",
   "properties": {
    "number": {
     "type": "integer",
     "minimum": 1,
     "maximum": 9007199254740991
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
     },
     "description": "what the touched paths show before"
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
     "description": "what they show after, when all goes well"
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
    },
    "lasting": {
     "type": "array",
     "items": {
      "type": "string"
     },
     "description": "what undo cannot take back, such as the taint"
    },
    "why": {
     "type": "array",
     "items": {
      "$ref": "#/$defs/PlanPlace"
     }
    }
   },
   "required": [
    "number",
    "operation",
    "sentence",
    "identity",
    "before",
    "after",
    "undo",
    "lasting",
    "why"
   ],
   "additionalProperties": false
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
  "PlanPlace": {
   "type": "object",
   "properties": {
    "file": {
     "type": "string"
    },
    "line": {
     "type": "integer",
     "minimum": 1,
     "maximum": 9007199254740991
    },
    "column": {
     "type": "integer",
     "minimum": 1,
     "maximum": 9007199254740991
    },
    "text": {
     "type": "string",
     "description": "the statement, as written"
    }
   },
   "required": [
    "file",
    "line",
    "column",
    "text"
   ],
   "additionalProperties": false
  }
 }
};
