// Generated from src/machine/snapshot.schema.ts by `npm run generate`; do not edit.
import type { JsonSchema } from '../schema.ts';

export const snapshotSchema: JsonSchema = {
 "$schema": "https://json-schema.org/draft/2020-12/schema",
 "$id": "urn:vfioplan:schema:snapshot:1",
 "title": "vfioplan machine snapshot",
 "description": "A machine as vfioplan read it: what it knows of PCI functions, the IOMMU, disks, networks and users.",
 "type": "object",
 "properties": {
  "format": {
   "type": "string",
   "const": "vfioplan.snapshot"
  },
  "version": {
   "type": "number",
   "const": 1
  },
  "source": {
   "type": "object",
   "properties": {
    "kind": {
     "type": "string",
     "enum": [
      "live",
      "sysroot",
      "nixos-facter",
      "handmade"
     ]
    },
    "note": {
     "type": "string"
    }
   },
   "required": [
    "kind"
   ],
   "additionalProperties": false
  },
  "hostname": {
   "anyOf": [
    {
     "type": "string",
     "minLength": 1,
     "maxLength": 255
    },
    {
     "$ref": "#/$defs/Unknown"
    }
   ]
  },
  "architecture": {
   "anyOf": [
    {
     "type": "string"
    },
    {
     "$ref": "#/$defs/Unknown"
    }
   ],
   "description": "as uname -m: x86_64, aarch64"
  },
  "kernel": {
   "type": "object",
   "properties": {
    "release": {
     "anyOf": [
      {
       "type": "string"
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ]
    },
    "taint": {
     "anyOf": [
      {
       "type": "integer",
       "minimum": 0,
       "maximum": 9007199254740991
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ]
    },
    "lockdown": {
     "anyOf": [
      {
       "type": "string",
       "enum": [
        "none",
        "integrity",
        "confidentiality"
       ]
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ]
    },
    "commandLine": {
     "anyOf": [
      {
       "type": "array",
       "items": {
        "type": "string"
       }
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ]
    },
    "options": {
     "type": "object",
     "properties": {
      "VFIO": {
       "anyOf": [
        {
         "type": "string",
         "enum": [
          "y",
          "m",
          "n"
         ]
        },
        {
         "$ref": "#/$defs/Unknown"
        }
       ]
      },
      "VFIO_PCI": {
       "anyOf": [
        {
         "type": "string",
         "enum": [
          "y",
          "m",
          "n"
         ]
        },
        {
         "$ref": "#/$defs/Unknown"
        }
       ]
      },
      "VFIO_IOMMU_TYPE1": {
       "anyOf": [
        {
         "type": "string",
         "enum": [
          "y",
          "m",
          "n"
         ]
        },
        {
         "$ref": "#/$defs/Unknown"
        }
       ]
      },
      "VFIO_GROUP": {
       "anyOf": [
        {
         "type": "string",
         "enum": [
          "y",
          "m",
          "n"
         ]
        },
        {
         "$ref": "#/$defs/Unknown"
        }
       ]
      },
      "VFIO_CONTAINER": {
       "anyOf": [
        {
         "type": "string",
         "enum": [
          "y",
          "m",
          "n"
         ]
        },
        {
         "$ref": "#/$defs/Unknown"
        }
       ]
      },
      "VFIO_NOIOMMU": {
       "anyOf": [
        {
         "type": "string",
         "enum": [
          "y",
          "m",
          "n"
         ]
        },
        {
         "$ref": "#/$defs/Unknown"
        }
       ]
      },
      "VFIO_DEVICE_CDEV": {
       "anyOf": [
        {
         "type": "string",
         "enum": [
          "y",
          "m",
          "n"
         ]
        },
        {
         "$ref": "#/$defs/Unknown"
        }
       ]
      },
      "IOMMUFD": {
       "anyOf": [
        {
         "type": "string",
         "enum": [
          "y",
          "m",
          "n"
         ]
        },
        {
         "$ref": "#/$defs/Unknown"
        }
       ]
      },
      "IRQ_BYPASS_MANAGER": {
       "description": "module irqbypass, which vfio_pci_core needs; not told: it is loaded and left loaded",
       "anyOf": [
        {
         "type": "string",
         "enum": [
          "y",
          "m",
          "n"
         ]
        },
        {
         "$ref": "#/$defs/Unknown"
        }
       ]
      },
      "TRANSPARENT_HUGEPAGE": {
       "description": "how iommufd aligns addresses that it chooses; not told: it is there",
       "anyOf": [
        {
         "type": "string",
         "enum": [
          "y",
          "m",
          "n"
         ]
        },
        {
         "$ref": "#/$defs/Unknown"
        }
       ]
      },
      "PM": {
       "description": "whether devices that nobody uses are suspended; not told: they are",
       "anyOf": [
        {
         "type": "string",
         "enum": [
          "y",
          "m",
          "n"
         ]
        },
        {
         "$ref": "#/$defs/Unknown"
        }
       ]
      },
      "IOMMUFD_NOIOMMU": {
       "description": "device cdevs without an IOMMU (series of 2026); not told: a kernel without it",
       "anyOf": [
        {
         "type": "string",
         "enum": [
          "y",
          "m",
          "n"
         ]
        },
        {
         "$ref": "#/$defs/Unknown"
        }
       ]
      }
     },
     "required": [
      "VFIO",
      "VFIO_PCI",
      "VFIO_IOMMU_TYPE1",
      "VFIO_GROUP",
      "VFIO_CONTAINER",
      "VFIO_NOIOMMU",
      "VFIO_DEVICE_CDEV",
      "IOMMUFD"
     ],
     "additionalProperties": false,
     "description": "build options; n: not set or not of this version"
    }
   },
   "required": [
    "release",
    "taint",
    "lockdown",
    "commandLine",
    "options"
   ],
   "additionalProperties": false
  },
  "iommu": {
   "type": "object",
   "properties": {
    "units": {
     "anyOf": [
      {
       "type": "array",
       "items": {
        "type": "string"
       }
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ],
     "description": "names under /sys/class/iommu; []: no IOMMU is active"
    },
    "translation": {
     "description": "what each unit can do; not told: the least that a unit can",
     "anyOf": [
      {
       "type": "array",
       "items": {
        "$ref": "#/$defs/IommuUnit"
       }
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ]
    },
    "interruptRemapping": {
     "anyOf": [
      {
       "type": "boolean"
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ],
     "description": "isolated MSI: SET_IOMMU works without allow_unsafe_interrupts"
    },
    "coherent": {
     "description": "DMA is coherent with the caches; not told: on x86 it is, elsewhere nobody knows",
     "anyOf": [
      {
       "type": "boolean"
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ]
    },
    "groups": {
     "anyOf": [
      {
       "type": "array",
       "items": {
        "$ref": "#/$defs/IommuGroup"
       }
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ]
    }
   },
   "required": [
    "units",
    "interruptRemapping",
    "groups"
   ],
   "additionalProperties": false
  },
  "modules": {
   "anyOf": [
    {
     "type": "object",
     "propertyNames": {
      "type": "string",
      "minLength": 1,
      "maxLength": 255
     },
     "additionalProperties": {
      "type": "object",
      "properties": {
       "parameters": {
        "type": "object",
        "propertyNames": {
         "type": "string",
         "minLength": 1,
         "maxLength": 255
        },
        "additionalProperties": {
         "anyOf": [
          {
           "type": "string"
          },
          {
           "$ref": "#/$defs/Unknown"
          }
         ]
        },
        "description": "text as read, without the final newline"
       },
       "holders": {
        "description": "loaded modules that need it; not told: it is built in, or the kernel unloads none",
        "anyOf": [
         {
          "type": "array",
          "items": {
           "type": "string",
           "minLength": 1,
           "maxLength": 255
          }
         },
         {
          "$ref": "#/$defs/Unknown"
         }
        ]
       },
       "references": {
        "description": "what keeps it loaded: holders, and open files",
        "anyOf": [
         {
          "type": "integer",
          "minimum": 0,
          "maximum": 4294967295
         },
         {
          "$ref": "#/$defs/Unknown"
         }
        ]
       }
      },
      "required": [
       "parameters"
      ],
      "additionalProperties": false
     }
    },
    {
     "$ref": "#/$defs/Unknown"
    }
   ],
   "description": "modules present under /sys/module"
  },
  "drivers": {
   "anyOf": [
    {
     "type": "array",
     "items": {
      "type": "string",
      "minLength": 1,
      "maxLength": 255
     }
    },
    {
     "$ref": "#/$defs/Unknown"
    }
   ],
   "description": "names under /sys/bus/pci/drivers"
  },
  "functions": {
   "maxItems": 65536,
   "type": "array",
   "items": {
    "$ref": "#/$defs/PciFunction"
   }
  },
  "blockDevices": {
   "anyOf": [
    {
     "type": "array",
     "items": {
      "$ref": "#/$defs/BlockDevice"
     }
    },
    {
     "$ref": "#/$defs/Unknown"
    }
   ]
  },
  "netdevs": {
   "anyOf": [
    {
     "type": "array",
     "items": {
      "$ref": "#/$defs/Netdev"
     }
    },
    {
     "$ref": "#/$defs/Unknown"
    }
   ]
  },
  "routes": {
   "anyOf": [
    {
     "type": "array",
     "items": {
      "$ref": "#/$defs/Route"
     }
    },
    {
     "$ref": "#/$defs/Unknown"
    }
   ]
  },
  "managementPeers": {
   "anyOf": [
    {
     "type": "array",
     "items": {
      "type": "string"
     }
    },
    {
     "$ref": "#/$defs/Unknown"
    }
   ],
   "description": "addresses of established SSH sessions: the way in"
  },
  "users": {
   "anyOf": [
    {
     "type": "array",
     "items": {
      "type": "object",
      "properties": {
       "name": {
        "type": "string",
        "minLength": 1,
        "maxLength": 255
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
        "type": "array",
        "items": {
         "type": "string",
         "minLength": 1,
         "maxLength": 255
        }
       },
       "capabilities": {
        "anyOf": [
         {
          "type": "array",
          "items": {
           "type": "string"
          }
         },
         {
          "$ref": "#/$defs/Unknown"
         }
        ],
        "description": "ambient capabilities at login, e.g. CAP_SYS_RAWIO; root has all"
       }
      },
      "required": [
       "name",
       "uid",
       "gid",
       "groups",
       "capabilities"
      ],
      "additionalProperties": false
     }
    },
    {
     "$ref": "#/$defs/Unknown"
    }
   ]
  },
  "userGroups": {
   "anyOf": [
    {
     "type": "array",
     "items": {
      "type": "object",
      "properties": {
       "name": {
        "type": "string",
        "minLength": 1,
        "maxLength": 255
       },
       "gid": {
        "type": "integer",
        "minimum": 0,
        "maximum": 4294967295
       }
      },
      "required": [
       "name",
       "gid"
      ],
      "additionalProperties": false
     }
    },
    {
     "$ref": "#/$defs/Unknown"
    }
   ]
  },
  "nodes": {
   "anyOf": [
    {
     "type": "array",
     "items": {
      "$ref": "#/$defs/DeviceNode"
     }
    },
    {
     "$ref": "#/$defs/Unknown"
    }
   ],
   "description": "/dev/vfio, /dev/iommu and /dev/kvm"
  },
  "vfioDevices": {
   "description": "/sys/class/vfio-dev; not told: no plan foretells which vfioX a function gets",
   "anyOf": [
    {
     "type": "array",
     "items": {
      "type": "object",
      "properties": {
       "index": {
        "type": "integer",
        "minimum": 0,
        "maximum": 1048575,
        "description": "X of vfioX"
       },
       "function": {
        "anyOf": [
         {
          "$ref": "#/$defs/Address"
         },
         {
          "type": "null"
         }
        ],
        "description": "null: no PCI function (a mediated device)"
       }
      },
      "required": [
       "index",
       "function"
      ],
      "additionalProperties": false
     }
    },
    {
     "$ref": "#/$defs/Unknown"
    }
   ]
  },
  "configuration": {
   "description": "files by which a policy lasts; not told: nobody knows what stands in their places",
   "anyOf": [
    {
     "$ref": "#/$defs/Configuration"
    },
    {
     "$ref": "#/$defs/Unknown"
    }
   ]
  },
  "established": {
   "description": "what plans of vfioplan that are in effect have changed on the running machine, from their journals; not told: nothing is put back",
   "anyOf": [
    {
     "type": "array",
     "items": {
      "$ref": "#/$defs/Established"
     }
    },
    {
     "$ref": "#/$defs/Unknown"
    }
   ]
  }
 },
 "required": [
  "format",
  "version",
  "source",
  "hostname",
  "architecture",
  "kernel",
  "iommu",
  "modules",
  "drivers",
  "functions",
  "blockDevices",
  "netdevs",
  "routes",
  "managementPeers",
  "users",
  "userGroups",
  "nodes"
 ],
 "additionalProperties": false,
 "$defs": {
  "Unknown": {
   "type": "object",
   "properties": {
    "unknown": {
     "type": "string",
     "description": "why it is not known"
    }
   },
   "required": [
    "unknown"
   ],
   "additionalProperties": false,
   "description": "Something that the snapshot could not tell, and why."
  },
  "IommuUnit": {
   "type": "object",
   "properties": {
    "name": {
     "type": "string",
     "minLength": 1,
     "maxLength": 255
    },
    "addressBits": {
     "anyOf": [
      {
       "type": "integer",
       "minimum": 12,
       "maximum": 64
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ],
     "description": "bits of an I/O address that it translates"
    },
    "pageSizes": {
     "anyOf": [
      {
       "type": "string",
       "pattern": "^0x[0-9a-f]{1,16}$"
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ],
     "description": "sizes of pages that it has, one bit each"
    },
    "snoopControl": {
     "anyOf": [
      {
       "type": "boolean"
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ],
     "description": "it can make all DMA coherent with caches, whatever a device asks for: VFIO_DMA_CC_IOMMU"
    },
    "dirtyTracking": {
     "description": "it can tell which pages devices wrote to: IOMMU_CAP_DIRTY_TRACKING; not told: it cannot",
     "anyOf": [
      {
       "type": "boolean"
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ]
    }
   },
   "required": [
    "name",
    "addressBits",
    "pageSizes",
    "snoopControl"
   ],
   "additionalProperties": false
  },
  "IommuGroup": {
   "type": "object",
   "properties": {
    "id": {
     "type": "integer",
     "minimum": 0,
     "maximum": 1048575
    },
    "type": {
     "anyOf": [
      {
       "type": "string"
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ],
     "description": "DMA, DMA-FQ, identity, unknown …"
    },
    "reserved": {
     "anyOf": [
      {
       "type": "array",
       "items": {
        "type": "object",
        "properties": {
         "start": {
          "type": "string",
          "pattern": "^0x[0-9a-f]{1,16}$"
         },
         "end": {
          "type": "string",
          "pattern": "^0x[0-9a-f]{1,16}$"
         },
         "type": {
          "type": "string",
          "enum": [
           "direct",
           "direct-relaxable",
           "reserved",
           "msi"
          ]
         }
        },
        "required": [
         "start",
         "end",
         "type"
        ],
        "additionalProperties": false
       }
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ]
    }
   },
   "required": [
    "id",
    "type",
    "reserved"
   ],
   "additionalProperties": false
  },
  "PciFunction": {
   "type": "object",
   "properties": {
    "address": {
     "$ref": "#/$defs/Address"
    },
    "vendor": {
     "type": "string",
     "pattern": "^[0-9a-f]{4}$"
    },
    "device": {
     "type": "string",
     "pattern": "^[0-9a-f]{4}$"
    },
    "subsystemVendor": {
     "anyOf": [
      {
       "type": "string",
       "pattern": "^[0-9a-f]{4}$"
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ]
    },
    "subsystemDevice": {
     "anyOf": [
      {
       "type": "string",
       "pattern": "^[0-9a-f]{4}$"
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ]
    },
    "class": {
     "type": "string",
     "pattern": "^[0-9a-f]{6}$",
     "description": "base class, sub class, programming interface"
    },
    "revision": {
     "anyOf": [
      {
       "type": "string",
       "pattern": "^[0-9a-f]{2}$"
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ]
    },
    "label": {
     "description": "vendor and device names, for people only",
     "type": "string"
    },
    "headerType": {
     "anyOf": [
      {
       "type": "integer",
       "minimum": 0,
       "maximum": 127
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ],
     "description": "0 endpoint, 1 PCI bridge, 2 CardBus bridge"
    },
    "multifunction": {
     "description": "its header says that its device has other functions; not told: it does if there are others",
     "anyOf": [
      {
       "type": "boolean"
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ]
    },
    "driver": {
     "anyOf": [
      {
       "anyOf": [
        {
         "type": "string",
         "minLength": 1,
         "maxLength": 255
        },
        {
         "type": "null"
        }
       ]
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ],
     "description": "null: no driver is bound"
    },
    "driverOverride": {
     "anyOf": [
      {
       "anyOf": [
        {
         "type": "string",
         "minLength": 1,
         "maxLength": 255
        },
        {
         "type": "null"
        }
       ]
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ],
     "description": "null: no override"
    },
    "drivers": {
     "anyOf": [
      {
       "type": "array",
       "items": {
        "type": "string",
        "minLength": 1,
        "maxLength": 255
       }
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ],
     "description": "drivers of this kernel whose id table matches this function; variant drivers of VFIO among them, which match by override only"
    },
    "iommuGroup": {
     "anyOf": [
      {
       "anyOf": [
        {
         "type": "integer",
         "minimum": 0,
         "maximum": 1048575
        },
        {
         "type": "null"
        }
       ]
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ],
     "description": "null: the function has no IOMMU group"
    },
    "iommuUnit": {
     "description": "the unit that it is behind; null: behind none; not told: any of them",
     "anyOf": [
      {
       "anyOf": [
        {
         "type": "string",
         "minLength": 1,
         "maxLength": 255
        },
        {
         "type": "null"
        }
       ]
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ]
    },
    "slot": {
     "anyOf": [
      {
       "type": "array",
       "items": {
        "type": "string"
       }
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ],
     "description": "device.function of each bridge from the root bus down, then of the function itself; the first element is the root, e.g. pci0000:00"
    },
    "firmwareLabel": {
     "description": "the name that the firmware gives it (SMBIOS type 41, ACPI _DSM); null: none",
     "anyOf": [
      {
       "type": [
        "string",
        "null"
       ]
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ]
    },
    "serial": {
     "anyOf": [
      {
       "type": [
        "string",
        "null"
       ]
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ],
     "description": "PCIe device serial number, or of the disk or NIC"
    },
    "numaNode": {
     "anyOf": [
      {
       "type": "integer",
       "minimum": -1,
       "maximum": 4095
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ],
     "description": "-1: the firmware does not say"
    },
    "resetMethods": {
     "anyOf": [
      {
       "type": "array",
       "items": {
        "type": "string",
        "enum": [
         "device_specific",
         "acpi",
         "flr",
         "af_flr",
         "pm",
         "bus",
         "cxl_bus"
        ]
       }
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ]
    },
    "bars": {
     "anyOf": [
      {
       "type": "array",
       "items": {
        "$ref": "#/$defs/Bar"
       }
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ]
    },
    "capabilities": {
     "anyOf": [
      {
       "type": "object",
       "properties": {
        "express": {
         "type": "boolean"
        },
        "msiVectors": {
         "type": "integer",
         "minimum": 0,
         "maximum": 32,
         "description": "0: no MSI capability"
        },
        "msixVectors": {
         "type": "integer",
         "minimum": 0,
         "maximum": 2048,
         "description": "0: no MSI-X capability"
        },
        "msixTable": {
         "description": "where the MSI-X vectors are; not told: in any BAR",
         "type": "object",
         "properties": {
          "bar": {
           "type": "integer",
           "minimum": 0,
           "maximum": 5
          },
          "offset": {
           "type": "integer",
           "minimum": 0,
           "maximum": 4294967288,
           "description": "bytes from the start of the BAR"
          }
         },
         "required": [
          "bar",
          "offset"
         ],
         "additionalProperties": false
        },
        "interruptPin": {
         "type": "integer",
         "minimum": 0,
         "maximum": 4,
         "description": "0: no INTx"
        },
        "configSize": {
         "type": "integer",
         "minimum": 64,
         "maximum": 4096,
         "description": "bytes: 256 or 4096"
        }
       },
       "required": [
        "express",
        "msiVectors",
        "msixVectors",
        "interruptPin",
        "configSize"
       ],
       "additionalProperties": false
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ]
    },
    "sriov": {
     "anyOf": [
      {
       "anyOf": [
        {
         "type": "object",
         "properties": {
          "totalVfs": {
           "type": "integer",
           "minimum": 0,
           "maximum": 65535
          },
          "numVfs": {
           "type": "integer",
           "minimum": 0,
           "maximum": 65535
          },
          "driversAutoprobe": {
           "description": "drivers are asked to take its virtual functions when they come; not told: they are",
           "type": "boolean"
          },
          "routing": {
           "description": "where its virtual functions are, enabled or not",
           "type": "object",
           "properties": {
            "offset": {
             "type": "integer",
             "minimum": 0,
             "maximum": 65535
            },
            "stride": {
             "type": "integer",
             "minimum": 0,
             "maximum": 65535
            },
            "device": {
             "type": "string",
             "pattern": "^[0-9a-f]{4}$",
             "description": "device ID of the virtual functions"
            }
           },
           "required": [
            "offset",
            "stride",
            "device"
           ],
           "additionalProperties": false
          }
         },
         "required": [
          "totalVfs",
          "numVfs"
         ],
         "additionalProperties": false
        },
        {
         "type": "null"
        }
       ]
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ],
     "description": "null: not a physical function"
    },
    "physicalFunction": {
     "anyOf": [
      {
       "anyOf": [
        {
         "$ref": "#/$defs/Address"
        },
        {
         "type": "null"
        }
       ]
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ],
     "description": "the PF of a virtual function; null: not a VF"
    },
    "netdevs": {
     "anyOf": [
      {
       "type": "array",
       "items": {
        "type": "string",
        "minLength": 1,
        "maxLength": 255
       }
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ]
    },
    "blockDevices": {
     "anyOf": [
      {
       "type": "array",
       "items": {
        "type": "string",
        "minLength": 1,
        "maxLength": 255
       }
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ],
     "description": "whole disks below this function: nvme0n1, sda"
    }
   },
   "required": [
    "address",
    "vendor",
    "device",
    "subsystemVendor",
    "subsystemDevice",
    "class",
    "revision",
    "headerType",
    "driver",
    "driverOverride",
    "drivers",
    "iommuGroup",
    "slot",
    "serial",
    "numaNode",
    "resetMethods",
    "bars",
    "capabilities",
    "sriov",
    "physicalFunction",
    "netdevs",
    "blockDevices"
   ],
   "additionalProperties": false
  },
  "Address": {
   "type": "string",
   "pattern": "^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]$",
   "description": "A PCI address as the kernel prints it: `0000:03:00.0`."
  },
  "Bar": {
   "type": "object",
   "properties": {
    "index": {
     "type": "integer",
     "minimum": 0,
     "maximum": 6,
     "description": "0-5 BAR, 6 ROM"
    },
    "start": {
     "type": "string",
     "pattern": "^0x[0-9a-f]{1,16}$"
    },
    "size": {
     "type": "integer",
     "minimum": 0,
     "maximum": 9007199254740991,
     "description": "bytes"
    },
    "kind": {
     "type": "string",
     "enum": [
      "memory",
      "io",
      "rom"
     ]
    },
    "prefetchable": {
     "type": "boolean"
    }
   },
   "required": [
    "index",
    "start",
    "size",
    "kind",
    "prefetchable"
   ],
   "additionalProperties": false
  },
  "BlockDevice": {
   "type": "object",
   "properties": {
    "name": {
     "type": "string",
     "minLength": 1,
     "maxLength": 255
    },
    "function": {
     "anyOf": [
      {
       "anyOf": [
        {
         "$ref": "#/$defs/Address"
        },
        {
         "type": "null"
        }
       ]
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ],
     "description": "the PCI function it hangs on; null: none (loop, dm, md)"
    },
    "parent": {
     "anyOf": [
      {
       "type": "string",
       "minLength": 1,
       "maxLength": 255
      },
      {
       "type": "null"
      }
     ],
     "description": "the whole disk of a partition; null: a whole device"
    },
    "mounts": {
     "anyOf": [
      {
       "type": "array",
       "items": {
        "type": "string"
       }
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ],
     "description": "mount points, [] when none"
    },
    "swap": {
     "anyOf": [
      {
       "type": "boolean"
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ]
    },
    "holders": {
     "anyOf": [
      {
       "type": "array",
       "items": {
        "type": "string",
        "minLength": 1,
        "maxLength": 255
       }
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ],
     "description": "dm, md and LVM devices stacked on it"
    },
    "signature": {
     "anyOf": [
      {
       "type": [
        "string",
        "null"
       ]
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ],
     "description": "file-system, RAID, LVM or partition-table signature; null: none found"
    },
    "serial": {
     "anyOf": [
      {
       "type": [
        "string",
        "null"
       ]
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ]
    },
    "label": {
     "description": "device-mapper name or model, for people only",
     "type": "string"
    }
   },
   "required": [
    "name",
    "function",
    "parent",
    "mounts",
    "swap",
    "holders",
    "signature",
    "serial"
   ],
   "additionalProperties": false
  },
  "Netdev": {
   "type": "object",
   "properties": {
    "name": {
     "type": "string",
     "minLength": 1,
     "maxLength": 255
    },
    "function": {
     "anyOf": [
      {
       "anyOf": [
        {
         "$ref": "#/$defs/Address"
        },
        {
         "type": "null"
        }
       ]
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ],
     "description": "null: a virtual device"
    },
    "mac": {
     "anyOf": [
      {
       "type": [
        "string",
        "null"
       ]
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ]
    },
    "up": {
     "anyOf": [
      {
       "type": "boolean"
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ]
    },
    "master": {
     "anyOf": [
      {
       "anyOf": [
        {
         "type": "string",
         "minLength": 1,
         "maxLength": 255
        },
        {
         "type": "null"
        }
       ]
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ],
     "description": "bond, bridge or team that it is enslaved to"
    },
    "lower": {
     "anyOf": [
      {
       "type": "array",
       "items": {
        "type": "string",
        "minLength": 1,
        "maxLength": 255
       }
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ],
     "description": "devices below a VLAN, macvlan, bond or bridge"
    },
    "addresses": {
     "anyOf": [
      {
       "type": "array",
       "items": {
        "type": "string"
       }
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ],
     "description": "IP addresses with prefix length"
    },
    "kind": {
     "description": "bond, bridge, vlan, macvlan, team …, for people only",
     "type": "string"
    }
   },
   "required": [
    "name",
    "function",
    "mac",
    "up",
    "master",
    "lower",
    "addresses"
   ],
   "additionalProperties": false
  },
  "Route": {
   "type": "object",
   "properties": {
    "destination": {
     "type": "string",
     "description": "default, or an address with prefix length"
    },
    "netdev": {
     "type": "string",
     "minLength": 1,
     "maxLength": 255
    },
    "gateway": {
     "type": [
      "string",
      "null"
     ]
    }
   },
   "required": [
    "destination",
    "netdev",
    "gateway"
   ],
   "additionalProperties": false
  },
  "DeviceNode": {
   "type": "object",
   "properties": {
    "path": {
     "type": "string",
     "pattern": "^\\/dev\\/"
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
     "maximum": 4095,
     "description": "permission bits"
    }
   },
   "required": [
    "path",
    "uid",
    "gid",
    "mode"
   ],
   "additionalProperties": false
  },
  "Configuration": {
   "type": "object",
   "properties": {
    "readOnly": {
     "anyOf": [
      {
       "type": "boolean"
      },
      {
       "$ref": "#/$defs/Unknown"
      }
     ],
     "description": "the file system that holds /etc takes no changes"
    },
    "directories": {
     "type": "array",
     "items": {
      "type": "object",
      "properties": {
       "path": {
        "type": "string",
        "pattern": "^\\/etc(\\/[^/]+)+$"
       },
       "others": {
        "type": "boolean",
        "description": "something is in it beside what is listed here"
       }
      },
      "required": [
       "path",
       "others"
      ],
      "additionalProperties": false
     },
     "description": "of /etc, /etc/modprobe.d, modules-load.d, security/limits.d, udev/rules.d and systemd/system, and of the drop-in directories of services, those that are there"
    },
    "files": {
     "type": "array",
     "items": {
      "type": "object",
      "properties": {
       "path": {
        "type": "string",
        "pattern": "^\\/etc(\\/[^/]+)+$"
       },
       "text": {
        "anyOf": [
         {
          "type": "string",
          "maxLength": 1048576
         },
         {
          "$ref": "#/$defs/Unknown"
         }
        ]
       }
      },
      "required": [
       "path",
       "text"
      ],
      "additionalProperties": false
     },
     "description": "those that have the name of a file of vfioplan, whoever wrote them"
    }
   },
   "required": [
    "readOnly",
    "directories",
    "files"
   ],
   "additionalProperties": false
  },
  "Established": {
   "type": "object",
   "properties": {
    "path": {
     "type": "string",
     "pattern": "^\\/(sys|dev)(\\/[^/]+)+$",
     "description": "a file, named and shown as in a plan: a driver link, an override, a node"
    },
    "found": {
     "description": "what it showed before; null: it was not there",
     "type": [
      "string",
      "null"
     ]
    },
    "left": {
     "description": "what it showed when the plan was done",
     "type": [
      "string",
      "null"
     ]
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
     "description": "vendor and device of the function that it belongs to; null: it belongs to none"
    },
    "of": {
     "description": "of a node that has a number: the function whose node it is, whatever its number is by now",
     "$ref": "#/$defs/Address"
    },
    "generation": {
     "type": "integer",
     "minimum": 1,
     "maximum": 4294967295,
     "description": "of the journal that tells it last"
    },
    "earlierBoot": {
     "type": "boolean",
     "description": "the machine was started again since"
    }
   },
   "required": [
    "path",
    "found",
    "left",
    "identity",
    "generation",
    "earlierBoot"
   ],
   "additionalProperties": false
  }
 }
};
