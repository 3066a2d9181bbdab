/** A policy that uses every statement of the language. */
export const sample = `# An edge machine and its database neighbours.
import "common.vfio"

host edge-01 {
  snapshot "machines/edge-01.json"
  iommu    absent                       # required | absent | any
  kernel   >= 6.1
  noiommu  allowed {
    owner  "net-team"
    reason "hosting provider gives no \\"vIOMMU\\""
    until  2027-03-01
  }
  label    role "lab"
}

host db-* { label role "prod"  noiommu forbidden }

device uplink on edge-01 {
  at 0000:03:00.0
  id 8086:1572
  subsystem 8086:0000
  serial "B4-96-91-FF-FE-A1-02-33"
  mac b4:96:91:a1:02:33
  netdev enp3s0f0
  numa 0
}

devices scratch on db-* {
  class storage.nvme
  id    144d:a80a or (class display  not driver nvme)
  count 2..4
  except holding root, boot
  except device uplink
}

device gpu on edge-01 { id 10de:2684  slot "pci0000:00/1c.0/00.0"  label "Slot 5"  block sda  holding any }

devices nic-vfs on edge-01 {
  virtual functions 0..3 of uplink or virtual functions 7 of uplink or virtual functions of gpu
  not in group with gpu
  dma none "the engine is fused off"
}

policy dataplane on edge-01 {
  bind    uplink to vfio-pci
  bind    gpu with its group to vfio
  bind    scratch to none
  allow   user dpdk with CAP_SYS_RAWIO, CAP_IPC_LOCK to use uplink via noiommu
  allow   service vpp@1.service to use gpu via any unless host role is "prod"
  create  4 virtual functions on uplink
  limit   user dpdk to 4 GiB locked memory
  limit   vm * to 512 MiB locked memory
  persist across boots, before drivers
  confirm within 120 s
  require gpu isolated
  require gpu resets by flr, bus
  require uplink numa 0, 1
  require uplink never bound to uio_pci_generic
}

policy baseline on * {
  protect devices that hold root, boot, swap, management
  protect gpu
  forbid  anyone to use any device via noiommu unless host role is "lab"
  forbid  vm * to use gpu
  forbid  unsafe interrupts
  persist nothing
}

test "a stranger is refused, and the owner gets no DMA mapping" on edge-01 {
  apply dataplane
  as user mallory { open uplink -> EACCES }
  as user dpdk with CAP_SYS_RAWIO {
    open uplink via noiommu -> ok
    use  uplink via noiommu -> ok
    map  2 MiB at 0x0       -> ENOTTY
  }
  expect kernel tainted
  expect uplink bound to vfio-pci
  apply dataplane, baseline when step 3 fails with EBUSY
  expect machine unchanged
  apply dataplane when killed after step 5
  expect kernel not tainted
  expect file "/etc/udev/rules.d/60-vfioplan.rules" present
  expect file "/etc/modprobe.d/vfioplan.conf" absent
  expect file "/etc/modules-load.d/vfioplan.conf" with line "vfio", "vfio-pci"
  expect file "/etc/udev/rules.d/60-vfioplan.rules" with text "0000:03:00.0"
}

test "the boot disk's neighbour cannot be taken" on snapshot "machines/hetzner-ex.json" {
  expect apply passthrough refused VP4103
}
`;
