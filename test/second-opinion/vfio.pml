/*
 * VFIO's groups, containers and the mode without an IOMMU, as Linux 6.1 and 6.12 have them: a second description of what
 * src/model describes, for another checker (SPIN), made from the kernels' sources and not from the first. README.md
 * tells how the two are compared. Citations are file:function of Linux 6.12 below drivers/vfio, where not told otherwise;
 * 6.1 has the functions of group.c in vfio_main.c.
 *
 * An operation is an option of the loop at the end. It is open to choice where the bounds allow it; then its refusals are
 * tested in the kernel's order, the first one answers, and if there is none the effect happens.
 */

/* Bounds, from bounds.json: ND devices, NC containers, NG groups (every device without an IOMMU group has a place for the
 * one that VFIO makes up), GF open group files, DF device descriptors; PASS and MAPS switch operations on or off.
 * HOMES has a digit for each device, its group; FAKES a bit for each group that is made up. KERNEL is 601 or 612. */
#define home(d)    ((HOMES >> (4 * (d))) & 15)
#define fake(g)    ((FAKES >> (g)) & 1)

/* Two processes. The first has CAP_SYS_RAWIO and administers; the second may open every node, and has nothing else. */
#define rawio(p)   ((p) == 0)
#define mask(p)    (1 << (p))

#define EPERM 1
#define ENOENT 2
#define EBADF 9
#define EBUSY 16
#define EEXIST 17
#define ENODEV 19
#define EINVAL 22
#define ENOTTY 25
#define EBADFD 77
#define WAITS 999          /* the call does not return */

#define NONE 15

/* Drivers of a device. The host's does not manage DMA ownership itself, vfio-pci does. */
#define UNBOUND 0
#define HOST 1
#define VFIO 2

/* IOMMU drivers of a container, and the numbers by which SET_IOMMU and CHECK_EXTENSION name them. */
#define UNSET 0
#define TYPE1 1
#define NOIOMMU 8
#define UNMAP_ALL 9        /* an extension that is no type */

typedef Device {
  byte driver;             /* none at first */
  bool leaving;            /* somebody's write to `unbind` sleeps until nobody has it open */
  byte fds                 /* a bit for each process that has a descriptor of it, which it opened itself */
};

typedef Group {            /* struct vfio_group, and of the IOMMU group what concerns it */
  byte devices;            /* registered ones; the node is there while there are any */
  byte fds;                /* processes that have a descriptor of the one open file */
  byte container = NONE;
  byte users;              /* container_users: 1 for the container, and those of its devices */
  byte owner_cnt;          /* of the IOMMU group: host drivers, or 1 for the owner */
  bool owned               /* by userspace */
};

typedef Container {
  bool there;
  byte fds;
  bool noiommu;            /* what was attached last */
  byte iommu;
  byte mapped;             /* 1 + the process that mapped the one range there is, or 0 */
  byte held;               /* how many groups */
  byte list[NG] = NONE     /* its groups, most recently attached first */
};

bool parameter;            /* enable_unsafe_noiommu_mode */
bool tainted;
Device dev[ND];
Group grp[NG];
Container con[NC];
byte revoked[GF];          /* group files whose group is gone: 4 * group + processes; 0 is none */

hidden int answer, x;   /* of the operation that happens: what is hidden is no part of the state */
hidden byte i, j, k;

/* ---- Refusals -------------------------------------------------------------------------------------------------- */

#define refuse(when, errno)  if :: (answer == 0 && (when)) -> answer = -(errno) :: else fi
#define granted              answer == 0

/* X(n, …) for each n below a bound; a macro cannot stand in itself, so that of a choice within a choice is another. */
#define OUTER_1(X, ...)  X(0, __VA_ARGS__)
#define OUTER_2(X, ...)  OUTER_1(X, __VA_ARGS__) X(1, __VA_ARGS__)
#define OUTER_3(X, ...)  OUTER_2(X, __VA_ARGS__) X(2, __VA_ARGS__)
#define OUTER_4(X, ...)  OUTER_3(X, __VA_ARGS__) X(3, __VA_ARGS__)
#define OUTER_5(X, ...)  OUTER_4(X, __VA_ARGS__) X(4, __VA_ARGS__)
#define INNER_1(X, ...)  X(0, __VA_ARGS__)
#define INNER_2(X, ...)  INNER_1(X, __VA_ARGS__) X(1, __VA_ARGS__)
#define INNER_3(X, ...)  INNER_2(X, __VA_ARGS__) X(2, __VA_ARGS__)
#define INNER_4(X, ...)  INNER_3(X, __VA_ARGS__) X(3, __VA_ARGS__)
#define INNER_5(X, ...)  INNER_4(X, __VA_ARGS__) X(4, __VA_ARGS__)
#define joined(a, b)     a ## b
#define each(level, n)   joined(level, n)
#define DEVICES          each(OUTER_, ND)
#define GROUPS           each(OUTER_, NG)
#define CONTAINERS       each(OUTER_, NC)
#define REVOKED          each(OUTER_, GF)

#define grp_has(g, p)  ((grp[g].fds & mask(p)) != 0)
#define con_has(c, p)  (con[c].there && (con[c].fds & mask(p)) != 0)
#define dev_has(d, p)  ((dev[d].fds & mask(p)) != 0)
/* Every open device holds a reference on the group's file: container.c:vfio_group_use_container (get_file). */
#define is_open(g)     (grp[g].fds != 0 || grp[g].users > 1)
#define plus_open(g, ...)      + is_open(g)
#define plus_revoked(r, ...)   + (revoked[r] != 0)
#define plus_fds(d, ...)       + (dev_has(d, 0) + dev_has(d, 1))
#define group_files    (0 GROUPS(plus_open, ) REVOKED(plus_revoked, ))
#define device_fds     (0 DEVICES(plus_fds, ))

/* ---- What several effects have in common ----------------------------------------------------------------------- */

/* container.c:vfio_group_detach_container. The last group takes the IOMMU driver and the mappings along; a container
 * without descriptors and groups is gone. */
inline detach(g) {
  k = grp[g].container;
  j = 0;
  for (i : 0 .. NG - 1) {
    if
    :: i < con[k].held && con[k].list[i] != g -> con[k].list[j] = con[k].list[i]; j++
    :: else
    fi
  };
  for (i : 0 .. NG - 1) { if :: i >= j -> con[k].list[i] = NONE :: else fi };
  con[k].held = j;
  if :: j == 0 -> con[k].iommu = UNSET; con[k].mapped = 0 :: else fi;
  grp[g].container = NONE;
  grp[g].users = 0;
  /* drivers/iommu/iommu.c:iommu_group_release_dma_owner */
  if :: !fake(g) -> grp[g].owner_cnt = 0; grp[g].owned = false :: else fi;
  drop(k)
}

inline drop(c) {
  if
  :: con[c].fds == 0 && con[c].held == 0 -> con[c].there = false; con[c].noiommu = false
  :: else
  fi
}

/* group.c:vfio_group_fops_release, once neither a descriptor nor a device holds the file. */
inline release(g) {
  if :: !is_open(g) && grp[g].container != NONE -> detach(g) :: else fi
}

/* Containers and revoked files have no names. They are kept in one order, so that states that differ in nothing else are
 * one state. */
#define weight(c)  (con[c].there + 2 * (con[c].fds + 4 * (con[c].noiommu + 2 * (con[c].iommu + 16 * (con[c].mapped + 4 * con[c].held)))))
#define before(a, b)  (weight(a) > weight(b) || (weight(a) == weight(b) && con[a].list[0] < con[b].list[0]))

#define exchange(a, b, field)  x = a.field; a.field = b.field; b.field = x

inline order() {
  for (i : 1 .. GF - 1) {
    for (j : 1 .. GF - 1) {
      if :: revoked[j - 1] < revoked[j] -> x = revoked[j]; revoked[j] = revoked[j - 1]; revoked[j - 1] = x :: else fi
    }
  };
#if NC > 1
  for (i : 1 .. NC - 1) {
    for (j : 1 .. NC - 1) {
      if
      :: before(j, j - 1) ->
         exchange(con[j - 1], con[j], there);
         exchange(con[j - 1], con[j], fds);
         exchange(con[j - 1], con[j], noiommu);
         exchange(con[j - 1], con[j], iommu);
         exchange(con[j - 1], con[j], mapped);
         exchange(con[j - 1], con[j], held);
         for (k : 0 .. NG - 1) {
           exchange(con[j - 1], con[j], list[k]);
           if
           :: grp[k].container == j -> grp[k].container = j - 1
           :: grp[k].container == j - 1 -> grp[k].container = j
           :: else
           fi
         }
      :: else
      fi
    }
  };
#endif
  x = 0; i = 0; j = 0; k = 0
}

/* With SHOW every transition is a line: state, process, operation with its arguments, answer, and unless that is a refusal
 * the state after (a call that does not return has begun). A state is its variables from the top of this page down, a hexadecimal digit each. */
#ifdef SHOW
#define asked(words)  answer = 0; tell(); words
#define answered      printf(" = %d", answer); if :: answer >= 0 || answer == -WAITS -> printf(" "); tell() :: else fi; printf("\n"); answer = 0; i = 0; j = 0
inline tell() {
  printf("%x%x", parameter, tainted);
  for (i : 0 .. ND - 1) { printf("/%x%x%x", dev[i].driver, dev[i].leaving, dev[i].fds) };
  for (i : 0 .. NG - 1) {
    printf("/%x%x%x%x%x%x", grp[i].devices, grp[i].fds, grp[i].container, grp[i].users, grp[i].owner_cnt, grp[i].owned)
  };
  for (i : 0 .. NC - 1) {
    printf("/%x%x%x%x%x%x", con[i].there, con[i].fds, con[i].noiommu, con[i].iommu, con[i].mapped, con[i].held);
    for (j : 0 .. NG - 1) { printf("%x", con[i].list[j]) }
  };
  for (i : 0 .. GF - 1) { printf("/%x", revoked[i]) }
}
#else
#define asked(words)  answer = 0
#define answered      answer = 0
#endif

/* ---- Parameter and drivers, by the first process ----------------------------------------------------------------- */

inline write_parameter(value) {
  d_step { _pid == 0 ->
    asked(printf(" %d parameter %d", _pid, value));
    parameter = value;
    answered
  }
}

inline bind(d, with) {
  d_step { _pid == 0 ->
    asked(printf(" %d bind %d %d", _pid, d, with));
    /* drivers/base/dd.c:device_driver_attach; whoever unbinds the device has its lock */
    refuse(dev[d].leaving, WAITS);
    refuse(dev[d].driver != UNBOUND, EBUSY);
    /* drivers/iommu/iommu.c:iommu_device_use_default_domain */
    refuse(with == HOST && grp[home(d)].owned, EBUSY);
    /* group.c:vfio_group_find_or_alloc */
    refuse(with == VFIO && fake(home(d)) && !parameter, EINVAL);
    if
    :: granted ->
       dev[d].driver = with;
       if
       :: with == HOST && !fake(home(d)) -> grp[home(d)].owner_cnt++
       :: with == VFIO ->
          grp[home(d)].devices++;
          if :: fake(home(d)) -> tainted = true :: else fi    /* vfio_noiommu_group_alloc and its caller: add_taint */
       :: else
       fi
    :: else
    fi;
    answered
  }
}

inline unregister(d) {
  dev[d].driver = UNBOUND;
  dev[d].leaving = false;
  grp[home(d)].devices--;
  /* group.c:vfio_device_remove_group: the last device takes node and container along; who has the file open keeps a
   * file of nothing. */
  if
  :: grp[home(d)].devices == 0 ->
     if :: grp[home(d)].container != NONE -> detach(home(d)) :: else fi;
     if
     :: grp[home(d)].fds != 0 ->
        revoked[GF - 1] = 4 * home(d) + grp[home(d)].fds;
        grp[home(d)].fds = 0
     :: else
     fi
  :: else
  fi
}

inline unbind(d, from) {
  d_step { _pid == 0 ->
    asked(printf(" %d unbind %d %d", _pid, d, from));
    refuse(dev[d].driver != from, ENODEV);         /* drivers/base/bus.c:unbind_store */
    /* vfio_main.c:vfio_unregister_group_dev: nobody wakes the caller before the last descriptor is closed */
    if :: granted && dev[d].fds != 0 -> dev[d].leaving = true :: else fi;
    refuse(dev[d].fds != 0, WAITS);
    if
    :: granted && from == HOST ->
       dev[d].driver = UNBOUND;
       if :: !fake(home(d)) -> grp[home(d)].owner_cnt-- :: else fi
    :: granted && from == VFIO -> unregister(d)
    :: else
    fi;
    order();
    answered
  }
}

/* ---- Open, close, hand over -------------------------------------------------------------------------------------- */

inline open_container() {
  d_step { !con[NC - 1].there ->
    asked(printf(" %d open_container", _pid));
    i = 0;
    do :: con[i].there -> i++ :: else -> break od;
    con[i].there = true;
    con[i].fds = mask(_pid);
    order();
    answered
  }
}

inline close_container(c) {
  d_step { con_has(c, _pid) ->
    asked(printf(" %d close_container %d", _pid, c));
    con[c].fds = con[c].fds - mask(_pid);
    drop(c);
    order();
    answered
  }
}

inline open_group(g) {
  d_step { group_files < GF || is_open(g) ->
    asked(printf(" %d open_group %d", _pid, g));
    refuse(grp[g].devices == 0, ENOENT);
    /* group.c:vfio_group_fops_open */
    refuse(fake(g) && !rawio(_pid), EPERM);
    refuse(is_open(g), EBUSY);
    if :: granted -> grp[g].fds = mask(_pid) :: else fi;
    answered
  }
}

inline close_group(g) {
  d_step { grp_has(g, _pid) ->
    asked(printf(" %d close_group %d", _pid, g));
    grp[g].fds = grp[g].fds - mask(_pid);
    release(g);
    order();
    answered
  }
}

/* group.c:vfio_group_ioctl_get_device_fd. `d` need not be a device of the group. */
inline get_device_fd(g, d) {
  d_step { grp_has(g, _pid) && !dev_has(d, _pid) && device_fds < DF ->
    asked(printf(" %d get_device_fd %d %d", _pid, g, d));
    refuse(home(d) != g || dev[d].driver != VFIO, ENODEV);
    /* vfio_main.c:vfio_unregister_group_dev: 6.12 takes the device off the group's list before it waits, 6.1 after */
    refuse(KERNEL == 612 && dev[d].leaving, ENODEV);
    refuse(grp[g].container == NONE, EINVAL);
    /* container.c:vfio_group_use_container: 6.1 asks it every time, 6.12 when the device is opened first */
    refuse((KERNEL == 601 || dev[d].fds == 0) && con[grp[g].container].iommu == UNSET, EINVAL);
    refuse((KERNEL == 601 || dev[d].fds == 0) && fake(g) && !rawio(_pid), EPERM);
    if
    :: granted ->
       if :: KERNEL == 601 || dev[d].fds == 0 -> grp[g].users++ :: else fi;
       dev[d].fds = dev[d].fds | mask(_pid)
    :: else
    fi;
    answered
  }
}

inline close_device(d) {
  d_step { dev_has(d, _pid) ->
    asked(printf(" %d close_device %d", _pid, d));
    dev[d].fds = dev[d].fds - mask(_pid);
    if :: KERNEL == 601 || dev[d].fds == 0 -> grp[home(d)].users-- :: else fi;
    release(home(d));
    if :: dev[d].leaving && dev[d].fds == 0 -> unregister(d) :: else fi;
    order();
    answered
  }
}

/* The first process gives the second a descriptor of the file that it has itself. */
inline pass_container(c) {
  d_step { PASS && _pid == 0 && con_has(c, 0) && !con_has(c, 1) ->
    asked(printf(" %d pass_container %d", _pid, c));
    con[c].fds = con[c].fds | mask(1);
    order();
    answered
  }
}

inline pass_group(g) {
  d_step { PASS && _pid == 0 && grp_has(g, 0) && !grp_has(g, 1) ->
    asked(printf(" %d pass_group %d", _pid, g));
    grp[g].fds = grp[g].fds | mask(1);
    answered
  }
}

/* ---- Calls on groups --------------------------------------------------------------------------------------------- */

/* group.c:vfio_group_ioctl_set_container, then container.c:vfio_container_attach_group. */
inline set_container(g, c) {
  d_step { grp_has(g, _pid) && con_has(c, _pid) ->
    asked(printf(" %d set_container %d %d", _pid, g, c));
    refuse(grp[g].container != NONE, EINVAL);
    refuse(fake(g) && !rawio(_pid), EPERM);
    refuse(con[c].held != 0 && con[c].noiommu != fake(g), EPERM);
    refuse(!fake(g) && grp[g].owner_cnt != 0, EPERM);     /* drivers/iommu/iommu.c:iommu_group_claim_dma_owner */
    if
    :: granted ->
       i = NG - 1;
       do :: i > 0 -> con[c].list[i] = con[c].list[i - 1]; i-- :: else -> break od;
       con[c].list[0] = g;
       con[c].held++;
       con[c].noiommu = fake(g);
       grp[g].container = c;
       grp[g].users = 1;
       if :: !fake(g) -> grp[g].owner_cnt = 1; grp[g].owned = true :: else fi
    :: else
    fi;
    order();
    answered
  }
}

/* The same with a descriptor of something else, and with one that is not open. */
inline set_no_container(g, is_open_file) {
  d_step { grp_has(g, _pid) ->
    asked(printf(" %d set_no_container %d %d", _pid, g, is_open_file));
    refuse(!is_open_file, EBADF);
    refuse(grp[g].container != NONE, EINVAL);
    refuse(KERNEL == 601, EINVAL);
    refuse(true, EBADFD);
    answered
  }
}

inline unset_container(g) {
  d_step { grp_has(g, _pid) ->
    asked(printf(" %d unset_container %d", _pid, g));
    refuse(grp[g].container == NONE, EINVAL);
    refuse(grp[g].users != 1, EBUSY);
    if :: granted -> detach(g) :: else fi;
    order();
    answered
  }
}

/* Flags: VIABLE 1, CONTAINER_SET 2. */
inline get_status(g) {
  d_step { grp_has(g, _pid) ->
    asked(printf(" %d get_status %d", _pid, g));
    if
    :: grp[g].container != NONE -> answer = 3
    :: grp[g].container == NONE && grp[g].owner_cnt == 0 -> answer = 1
    :: else
    fi;
    answered
  }
}

/* ---- Calls on a group file whose group is gone --------------------------------------------------------------------- */

#define revoked_has(r, p)  ((revoked[r] & mask(p)) != 0)

inline revoked_close(r) {
  d_step { revoked_has(r, _pid) ->
    asked(printf(" %d revoked_close %d", _pid, r));
    revoked[r] = revoked[r] - mask(_pid);
    if :: (revoked[r] & 3) == 0 -> revoked[r] = 0 :: else fi;
    order();
    answered
  }
}

inline revoked_pass(r) {
  d_step { PASS && _pid == 0 && revoked_has(r, 0) && !revoked_has(r, 1) ->
    asked(printf(" %d revoked_pass %d", _pid, r));
    revoked[r] = revoked[r] + mask(1);
    order();
    answered
  }
}

inline revoked_status(r) {
  d_step { revoked_has(r, _pid) -> asked(printf(" %d revoked_status %d", _pid, r)); answer = -ENODEV; answered }
}

inline revoked_unset_container(r) {
  d_step { revoked_has(r, _pid) -> asked(printf(" %d revoked_unset_container %d", _pid, r)); answer = -EINVAL; answered }
}

inline revoked_set_container(r, c) {
  d_step { revoked_has(r, _pid) && con_has(c, _pid) ->
    asked(printf(" %d revoked_set_container %d %d", _pid, r, c));
    answer = -ENODEV;
    answered
  }
}

inline revoked_get_device_fd(r, d) {
  d_step { revoked_has(r, _pid) && !dev_has(d, _pid) && device_fds < DF ->
    asked(printf(" %d revoked_get_device_fd %d %d", _pid, r, d));
    answer = -ENODEV;
    answered
  }
}

/* ---- Calls on containers ----------------------------------------------------------------------------------------- */

/* What an IOMMU driver says of an extension before it is set, and which of them may take a container
 * (container.c:vfio_iommu_driver_allowed): with groups, the one of their kind; without, any. */
#define type1_may(c)    (con[c].held == 0 || !con[c].noiommu)
#define noiommu_may(c)  (con[c].held == 0 || con[c].noiommu)
#define type1_says(t)   ((t) == TYPE1 || (t) == UNMAP_ALL)
#define noiommu_says(t) ((t) == NOIOMMU && parameter)

/* container.c:vfio_container_ioctl_check_extension */
inline check_extension(c, t) {
  d_step { con_has(c, _pid) ->
    asked(printf(" %d check_extension %d %d", _pid, c, t));
    if
    :: con[c].iommu == TYPE1 -> answer = type1_says(t)
    :: con[c].iommu == NOIOMMU -> answer = noiommu_says(t)
    :: else -> answer = ((type1_may(c) && type1_says(t)) || (noiommu_may(c) && noiommu_says(t)))
    fi;
    answered
  }
}

/* container.c:vfio_ioctl_set_iommu */
inline set_iommu(c, t) {
  d_step { con_has(c, _pid) ->
    asked(printf(" %d set_iommu %d %d", _pid, c, t));
    refuse(con[c].held == 0 || con[c].iommu != UNSET, EINVAL);
    if
    :: granted && type1_may(c) && type1_says(t) ->
       refuse(t == UNMAP_ALL, EINVAL);             /* vfio_iommu_type1.c:vfio_iommu_type1_open */
       if :: granted -> con[c].iommu = TYPE1 :: else fi
    :: granted && noiommu_may(c) && noiommu_says(t) ->
       refuse(!rawio(_pid), EPERM);                   /* container.c:vfio_noiommu_open */
       if :: granted -> con[c].iommu = NOIOMMU :: else fi
    :: else -> refuse(true, ENODEV)
    fi;
    order();
    answered
  }
}

/* container.c:vfio_fops_unl_ioctl, vfio_noiommu_ioctl; vfio_iommu_type1.c:vfio_dma_do_map. One range, one page. */
inline map_dma(c) {
  d_step { MAPS && con_has(c, _pid) ->
    asked(printf(" %d map_dma %d", _pid, c));
    refuse(con[c].iommu == UNSET, EINVAL);
    refuse(con[c].iommu == NOIOMMU, ENOTTY);
    refuse(con[c].mapped != 0, EEXIST);
    if :: granted -> con[c].mapped = 1 + _pid :: else fi;
    order();
    answered
  }
}

inline unmap_dma(c) {
  d_step { MAPS && con_has(c, _pid) ->
    asked(printf(" %d unmap_dma %d", _pid, c));
    refuse(con[c].iommu == UNSET, EINVAL);
    refuse(con[c].iommu == NOIOMMU, ENOTTY);
    if :: granted -> con[c].mapped = 0 :: else fi;
    order();
    answered
  }
}

/* ---- Everything that may happen ----------------------------------------------------------------------------------- */

/* `op(n, …)` as an option for each n. */
#define by(n, op, ...)       :: op(n)
#define by_two(n, op, a)     :: op(a, n)
#define and_driver(d, op)    :: op(d, HOST) :: op(d, VFIO)
#define and_container(g, op) each(INNER_, NC)(by_two, op, g)
#define and_device(g, op)    each(INNER_, ND)(by_two, op, g)
#define and_openness(g, op)  :: op(g, 0) :: op(g, 1)
#define and_type(c, op)      :: op(c, TYPE1) :: op(c, NOIOMMU) :: op(c, UNMAP_ALL)

active [2] proctype process() {
  do
  :: write_parameter(0)
  :: write_parameter(1)
  DEVICES(and_driver, bind)
  DEVICES(and_driver, unbind)
  :: open_container()
  CONTAINERS(by, close_container)
  CONTAINERS(by, pass_container)
  GROUPS(by, open_group)
  GROUPS(by, close_group)
  GROUPS(by, pass_group)
  GROUPS(and_device, get_device_fd)
  DEVICES(by, close_device)
  GROUPS(and_container, set_container)
  GROUPS(and_openness, set_no_container)
  GROUPS(by, unset_container)
  GROUPS(by, get_status)
  REVOKED(by, revoked_close)
  REVOKED(by, revoked_pass)
  REVOKED(by, revoked_status)
  REVOKED(by, revoked_unset_container)
  REVOKED(and_container, revoked_set_container)
  REVOKED(and_device, revoked_get_device_fd)
  CONTAINERS(and_type, check_extension)
  CONTAINERS(and_type, set_iommu)
  CONTAINERS(by, map_dma)
  CONTAINERS(by, unmap_dma)
  od
}
