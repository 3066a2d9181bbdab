/** One line of what the guest reports to the host. */
export interface Finding {
  /** A step has a prediction that the kernel met or did not; a check is anything else that had to hold. */
  readonly kind: 'step' | 'check';
  readonly what: string;
  readonly holds: boolean;
  readonly detail: string;
}
