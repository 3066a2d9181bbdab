/** A call that would wait for others without end; caught where calls enter. */
export class WouldBlock extends Error {}
