declare const VFIOPLAN_VERSION: string;

/** The version of package.json, which the build writes in here. */
export const version: string =
  typeof VFIOPLAN_VERSION === 'string' ? VFIOPLAN_VERSION : '0.0.0 (from source)';
