/**
 * The shapes of the values that an operator already knows. The reader checks values with them, and the highlighters
 * colour words by them.
 */

/** `0000:03:00.0`, or `03:00.0` in domain 0: domain, bus, device below 32, function below 8. */
export const addressPattern = /^(?:[0-9a-fA-F]{4,8}:)?[0-9a-fA-F]{2}:[01][0-9a-fA-F]\.[0-7]$/;
/** `8086:1572`: vendor and device, four hexadecimal digits each. */
export const identityPattern = /^[0-9a-fA-F]{4}:[0-9a-fA-F]{4}$/;
export const macPattern = /^[0-9a-fA-F]{2}([:-])(?:[0-9a-fA-F]{2}\1){4}[0-9a-fA-F]{2}$/;
/** `6.1` or `6.12.4`. */
export const versionPattern = /^\d{1,3}\.\d{1,4}(?:\.\d{1,5})?$/;
export const datePattern = /^(\d{4})-(\d{2})-(\d{2})$/;
export const numberPattern = /^\d{1,9}$/;
export const errnoPattern = /^E[A-Z0-9]{1,15}$/;
/** `0x100000`, or a decimal number. */
export const ioAddressPattern = /^(?:0x[0-9a-fA-F]{1,16}|\d{1,20})$/;
