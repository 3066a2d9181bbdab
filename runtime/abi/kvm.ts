/**
 * What of KVM's constants and structures VFIO needs (include/uapi/linux/kvm.h, Linux 6.12, x86-64): numbers and layouts, nothing else.
 * A test compares every line with what a C compiler says about the kernel's own headers.
 */
import { layout, u32, u64 } from './layout.ts';

/** Of type 0xae, with size and direction where there is a structure. */
export const kvmRequests = {
  KVM_GET_API_VERSION: 0xae00,
  KVM_CREATE_VM: 0xae01,
  KVM_CREATE_DEVICE: 0xc00caee0,
  KVM_SET_DEVICE_ATTR: 0x4018aee1,
  KVM_GET_DEVICE_ATTR: 0x4018aee2,
  KVM_HAS_DEVICE_ATTR: 0x4018aee3,
} as const;

export const kvm = {
  KVM_API_VERSION: 12,
  KVM_CREATE_DEVICE_TEST: 1,
  KVM_DEV_TYPE_VFIO: 4,
  /** KVM_DEV_VFIO_FILE and its attributes, from 6.6 on, are the same numbers. */
  KVM_DEV_VFIO_GROUP: 1,
  KVM_DEV_VFIO_GROUP_ADD: 1,
  KVM_DEV_VFIO_GROUP_DEL: 2,
} as const;

/** By the names of kvm.h. */
export const kvmLayouts = {
  kvm_create_device: layout(12, { type: u32(0), fd: u32(4), flags: u32(8) }),
  kvm_device_attr: layout(24, { flags: u32(0), group: u32(4), attr: u64(8), addr: u64(16) }),
} as const;
