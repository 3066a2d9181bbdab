/** Protection and flags of mmap(2), as x86-64 has them (asm-generic/mman-common.h, mman.h). */
export const mman = {
  PROT_NONE: 0,
  PROT_READ: 1,
  PROT_WRITE: 2,
  MAP_SHARED: 0x01,
  MAP_PRIVATE: 0x02,
  MAP_ANONYMOUS: 0x20,
  MAP_LOCKED: 0x2000,
  MAP_NORESERVE: 0x4000,
  MAP_POPULATE: 0x8000,
  MAP_HUGETLB: 0x40000,
} as const;

/** What mmap(2) answers when it fails: (void *)-1. */
export const MAP_FAILED = 0xffff_ffff_ffff_ffffn;
