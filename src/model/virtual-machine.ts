/** What KVM_CREATE_VM made; it lives while one of its two files is open. */
export interface VirtualMachine {
  /** Its place in `State.kvm`. */
  readonly index: number;
  /** Whose memory is its memory: nobody else asks anything of it. */
  readonly pid: number;
  /** Its own open file description; null once that is closed. */
  readonly file: number | null;
  /** Whether it has a VFIO device, of which it has one at most. */
  readonly vfio: boolean;
  /** The open file description of that device; null once that is closed. */
  readonly device: number | null;
  /** Files of VFIO's that the device was told of, and keeps open; the oldest first. */
  readonly held: readonly number[];
}
