type Shows = { readonly [path: string]: string | null };

/**
 * Whether a path, or what it shows, has a number that the kernel hands out: X of vfioX, and the number of a group that VFIO
 * makes up (`/dev/vfio/noiommu-0`). A function that is unbound and bound again may get another one, because another may be
 * the lowest that is free by then. `shows`: everything that is known to be touched with the path.
 */
export function numbered(...shows: readonly Shows[]): (path: string) => boolean {
  const groups = new Set<string>();
  for (const path of shows.flatMap(Object.keys)) {
    const id = /^\/dev\/vfio\/noiommu-(\d+)$/.exec(path)?.[1];
    if (id !== undefined) groups.add(id);
  }
  return (path) => {
    if (isNumberOfDevice(path) || /\/noiommu-\d+$/.test(path)) return true;
    const group = /^\/sys\/kernel\/iommu_groups\/(\d+)/.exec(path)?.[1];
    if (group !== undefined) return groups.has(group);
    return path.endsWith('/iommu_group') && shows.some((each) => groups.has(each[path] ?? ''));
  };
}

/**
 * Whether what a path shows before and after a step is known whatever number comes back: it has none, or is the node that the
 * step itself gives away, which is found by its function.
 */
export function certain(
  operation: { readonly op: string; readonly path?: string },
  ...shows: readonly Shows[]
): (path: string) => boolean {
  const isNumbered = numbered(...shows);
  const own = operation.op === 'node.own' ? operation.path : undefined;
  return (path) => path === own || !isNumbered(path);
}

/** Whether there is an X of vfioX in a path. */
export function isNumberOfDevice(path: string): boolean {
  return /\/vfio-dev\/(noiommu-)?vfio\d+$|^\/dev\/vfio\/devices\//.test(path);
}
