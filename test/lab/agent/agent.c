/*
 * The first and only program of the fast guest: it makes system calls for a host that sits at the other end of a
 * virtio port. It knows no VFIO. Each process of the host's world is a child of its own with the credentials asked
 * for; its descriptors are numbered from 3, as in any fresh process. A call that does not return in time is answered
 * so; what it answers in the end can be asked for later.
 *
 * Request:  u32 bytes, u16 call, u16 process, u32 milliseconds, u32 zero, s64 argument[6], then the bytes.
 * Answer:   u32 bytes, u32 zero, s64 value or negative errno, then the bytes.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	MAX = 1 << 16, PROCESSES = 16,
	/* Above every descriptor that a test opens. */
	CONTROL = 1000, POST = 1001, COLLECT = 1002,
	NEVER_CAME = 512,
	OPEN = 1, CLOSE, READ, WRITE, PREAD, PWRITE, LSEEK, IOCTL, MMAP, MUNMAP, LIST, READLINK, LSTAT, STAT,
	CHOWN, CHMOD, INSERT_MODULE, REMOVE_MODULE, PASS, TAKE, EVENTFD, FSYNC, RENAME, UNLINK, MKDIR, RMDIR,
	SPAWN = 100, END, GLIMPSE, LOG, HEAR,
};

struct request {
	uint32_t bytes;
	uint16_t call, process;
	uint32_t milliseconds, zero;
	int64_t argument[6];
	/* One more, so that a path always ends. */
	char data[MAX + 1];
};

struct answer {
	uint32_t bytes, zero;
	int64_t value;
	char data[MAX];
};

enum { REQUEST = 64, ANSWER = 16 };

#define WRITABLE 0x600000000000
#define READ_ONLY 0x610000000000
#define UNTOUCHED 0x620000000000
#define REGION 0x20000

struct who {
	uint32_t uid, gid;
	uint64_t capabilities, memlock, nofile;
	uint32_t groups, group[16];
};

static struct request asked;
static struct answer told;
static struct { pid_t pid; int control, waits; } process[PROCESSES];
static int port, post[2], kernel_log;

static void die(const char *what)
{
	fprintf(stderr, "agent: %s: %s\n", what, strerror(errno));
	reboot(RB_POWER_OFF);
	_exit(1);
}

static void put(const void *bytes, size_t count)
{
	if (told.bytes + count > MAX) return;
	memcpy(told.data + told.bytes, bytes, count);
	told.bytes += count;
}

static int64_t result(int64_t value) { return value == -1 ? -errno : value; }

static int64_t filled(int64_t value)
{
	if (value > 0) told.bytes = value;
	return result(value);
}

static int64_t list(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;

	if (!directory) return -errno;
	while ((entry = readdir(directory)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			put(entry->d_name, strlen(entry->d_name) + 1);
	closedir(directory);
	return 0;
}

static int64_t status(const char *path, int follow)
{
	struct stat found;
	uint64_t fields[4];

	if (follow ? stat(path, &found) : lstat(path, &found)) return -errno;
	fields[0] = found.st_mode, fields[1] = found.st_uid, fields[2] = found.st_gid, fields[3] = found.st_size;
	put(fields, sizeof fields);
	return 0;
}

static int64_t insert_module(const char *path, const char *options)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	int64_t value;

	if (file < 0) return -errno;
	value = result(syscall(SYS_finit_module, file, options, 0));
	close(file);
	return value;
}

/* A descriptor travels through the one box that all processes share: posted by one, taken by another. */
static int64_t pass(int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET, header->cmsg_type = SCM_RIGHTS, header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof fd);
	return result(sendmsg(POST, &message, 0)) < 0 ? -errno : 0;
}

static int64_t take(void)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	struct cmsghdr *header;
	int fd;

	if (recvmsg(COLLECT, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) < 0) return -errno;
	header = CMSG_FIRSTHDR(&message);
	/* The table is full: the message came without its descriptor. */
	if (!header) return -EMFILE;
	memcpy(&fd, CMSG_DATA(header), sizeof fd);
	return fd;
}

static int64_t input_output(void)
{
	const int64_t *argument = asked.argument;
	const char *path = asked.data;
	int fd = argument[0];

	switch (asked.call) {
	case OPEN: return result(open(path, argument[0], 0600));
	case CLOSE: return result(close(fd));
	case READ: return filled(read(fd, told.data, argument[1]));
	case WRITE: return result(write(fd, asked.data, asked.bytes));
	case PREAD: return filled(pread(fd, told.data, argument[1], argument[2]));
	case PWRITE: return result(pwrite(fd, asked.data, asked.bytes, argument[1]));
	case LSEEK: return result(lseek(fd, argument[1], argument[2]));
	case IOCTL:
		if (!argument[2]) return result(syscall(SYS_ioctl, fd, argument[1], argument[3]));
		told.bytes = asked.bytes;
		memcpy(told.data, asked.data, asked.bytes);
		return result(syscall(SYS_ioctl, fd, argument[1], told.data));
	case MMAP: return result((int64_t)mmap(NULL, argument[0], argument[1], argument[2], argument[3], argument[4]));
	case MUNMAP: return result(munmap((void *)argument[0], argument[1]));
	default: return -ENOSYS;
	}
}

static int64_t perform(void)
{
	const int64_t *argument = asked.argument;
	const char *path = asked.data;

	switch (asked.call) {
	case LIST: return list(path);
	case READLINK: return filled(readlink(path, told.data, MAX));
	case LSTAT: return status(path, 0);
	case STAT: return status(path, 1);
	case CHOWN: return result(lchown(path, argument[0], argument[1]));
	case CHMOD: return result(chmod(path, argument[0]));
	case INSERT_MODULE: return insert_module(path, path + strlen(path) + 1);
	case REMOVE_MODULE: return result(syscall(SYS_delete_module, path, O_NONBLOCK));
	case PASS: return pass(argument[0]);
	case TAKE: return take();
	case FSYNC: return result(fsync(argument[0]));
	case RENAME: return result(rename(path, path + strlen(path) + 1));
	case UNLINK: return result(unlink(path));
	case MKDIR: return result(mkdir(path, argument[0]));
	case RMDIR: return result(rmdir(path));
	case EVENTFD: return result(eventfd(argument[0], argument[1]));
	default: return input_output();
	}
}

static void become(const struct who *who)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];
	struct rlimit memlock = { who->memlock, who->memlock }, nofile = { who->nofile, 4096 };
	int half;

	if (setrlimit(RLIMIT_MEMLOCK, &memlock) || setrlimit(RLIMIT_NOFILE, &nofile)) die("limits");
	if (setgroups(who->groups, who->group)) die("groups");
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)) die("keeping capabilities");
	if (setresgid(who->gid, who->gid, who->gid) || setresuid(who->uid, who->uid, who->uid)) die("user");
	for (half = 0; half < 2; half++) {
		data[half].effective = data[half].permitted = who->capabilities >> (32 * half);
		data[half].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, data)) die("capabilities");
	/* A process that changed its user may not open its own memory otherwise. */
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)) die("dumpable");
}

/* Memory to map for devices, at addresses that are the same in every process and in every run. */
static void lay_out(void)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;

	if (mmap((void *)WRITABLE, REGION, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED) die("writable memory");
	if (mmap((void *)UNTOUCHED, REGION, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED) die("untouched memory");
	memset((void *)WRITABLE, 1, REGION);
	if (mmap((void *)READ_ONLY, REGION, PROT_READ, flags, -1, 0) == MAP_FAILED) die("read-only memory");
}

static void serve(const struct who *who)
{
	lay_out();
	become(who);
	for (;;) {
		ssize_t got = read(CONTROL, &asked, sizeof asked);

		if (got < REQUEST) _exit(0);
		asked.data[asked.bytes] = 0;
		told.bytes = 0;
		told.value = perform();
		if (write(CONTROL, &told, ANSWER + told.bytes) < 0) _exit(0);
	}
}

static int64_t spawn(int which)
{
	struct who who;
	int control[2];
	pid_t pid;

	if (which >= PROCESSES || asked.bytes != sizeof who) return -EINVAL;
	memcpy(&who, asked.data, sizeof who);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control)) return -errno;
	pid = fork();
	if (pid < 0) return -errno;
	if (pid == 0) {
		prctl(PR_SET_NAME, "vfioplan");
		if (dup2(control[1], CONTROL) < 0 || dup2(post[0], POST) < 0 || dup2(post[1], COLLECT) < 0) die("dup2");
		syscall(SYS_close_range, 3, CONTROL - 1, 0);
		serve(&who);
	}
	close(control[1]);
	process[which].pid = pid;
	process[which].control = control[0];
	process[which].waits = 0;
	return pid;
}

/* 0 when it is gone. */
static int reap(int which, int milliseconds)
{
	int waited;

	kill(process[which].pid, SIGKILL);
	for (waited = 0; waitpid(process[which].pid, NULL, WNOHANG) == 0; waited++) {
		if (waited == 10 * milliseconds) return 1;
		usleep(100);
	}
	close(process[which].control);
	process[which].pid = 0;
	return 0;
}

/*
 * Answers how many children are still there. Those whose call did not return come last, and are let come to its end,
 * which the others kept them from: a signal would make the kernel say more than it does without.
 */
static int64_t end(int milliseconds)
{
	int which, left = 0;

	for (which = 0; which < PROCESSES; which++)
		if (process[which].pid && !process[which].waits) left += reap(which, milliseconds);
	for (which = 0; which < PROCESSES; which++) {
		struct pollfd ready = { .fd = process[which].control, .events = POLLIN };

		if (!process[which].pid) continue;
		poll(&ready, 1, milliseconds);
		left += reap(which, milliseconds);
	}
	/* Descriptors that nobody took. */
	while (recv(post[1], told.data, 1, MSG_DONTWAIT) > 0) ;
	return left;
}

static int64_t forward(int which)
{
	struct pollfd ready = { .events = POLLIN };
	ssize_t got;

	if (which >= PROCESSES || !process[which].pid) return -ESRCH;
	ready.fd = process[which].control;
	if (write(ready.fd, &asked, REQUEST + asked.bytes) < 0) return -errno;
	if (poll(&ready, 1, asked.milliseconds) == 0) {
		process[which].waits = 1;
		return -NEVER_CAME;
	}
	got = read(ready.fd, &told, sizeof told);
	if (got < ANSWER) return -ESRCH;
	return told.value;
}

/* What a call that did not return in time has answered since. */
static int64_t hear(int which, int milliseconds)
{
	struct pollfd ready = { .events = POLLIN };

	if (which >= PROCESSES || !process[which].pid) return -ESRCH;
	ready.fd = process[which].control;
	if (poll(&ready, 1, milliseconds) == 0) return -NEVER_CAME;
	if (read(ready.fd, &told, sizeof told) < ANSWER) return -ESRCH;
	process[which].waits = 0;
	return told.value;
}

/* What each path is and holds, in one go: s64 answer of lstat, its four fields, s64 answer and bytes of a link or file. */
static int64_t glimpse(void)
{
	static char bytes[4096];
	const char *path = asked.data, *last = asked.data + asked.bytes;

	for (; path < last; path += strlen(path) + 1) {
		uint32_t before = told.bytes;
		int64_t found, held = 0;
		uint64_t mode = 0;
		int file;

		put(&found, sizeof found);
		found = status(path, 0);
		memcpy(told.data + before, &found, sizeof found);
		if (found) continue;
		memcpy(&mode, told.data + before + sizeof found, sizeof mode);
		if (S_ISLNK(mode)) held = result(readlink(path, bytes, sizeof bytes));
		else if (S_ISREG(mode)) {
			file = open(path, O_RDONLY | O_CLOEXEC);
			held = file < 0 ? -errno : result(read(file, bytes, sizeof bytes));
			if (file >= 0) close(file);
		}
		put(&held, sizeof held);
		if (held > 0) put(bytes, held);
	}
	return 0;
}

/* All records that came since the last time. */
static int64_t log_records(void)
{
	static char record[8192];
	ssize_t got;

	while ((got = read(kernel_log, record, sizeof record)) > 0 || (got < 0 && errno == EPIPE))
		if (got > 0) put(record, got);
	return 0;
}

static void supervise(void)
{
	told.bytes = 0;
	switch (asked.call) {
	case SPAWN: told.value = spawn(asked.process); break;
	case END: told.value = end(asked.milliseconds); break;
	case GLIMPSE: told.value = glimpse(); break;
	case LOG: told.value = log_records(); break;
	case HEAR: told.value = hear(asked.process, asked.milliseconds); break;
	default:
		told.value = forward(asked.process);
		if (told.value < 0 && asked.call != IOCTL) told.bytes = 0;
	}
}

static void whole(ssize_t (*move)(int, char *, size_t), char *bytes, size_t count)
{
	while (count > 0) {
		ssize_t moved = move(port, bytes, count);

		if (moved <= 0) die("port");
		bytes += moved;
		count -= moved;
	}
}

static ssize_t in(int fd, char *bytes, size_t count) { return read(fd, bytes, count); }
static ssize_t out(int fd, char *bytes, size_t count) { return write(fd, bytes, count); }

int main(void)
{
	const char *path = getenv("agent_port");

	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	if (getenv("agent_sealed") && (mount("/etc", "/etc", NULL, MS_BIND, NULL) ||
	    mount(NULL, "/etc", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL))) die("/etc");
	kernel_log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kernel_log < 0) die("/dev/kmsg");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, post)) die("socketpair");
	if (!path) path = "/dev/vport0p1";
	while ((port = open(path, O_RDWR | O_CLOEXEC)) < 0) {
		if (errno != ENOENT && errno != ENXIO) die(path);
		usleep(10000);
	}
	for (;;) {
		whole(in, (char *)&asked, REQUEST);
		if (asked.bytes > MAX) die("a request too long");
		whole(in, asked.data, asked.bytes);
		asked.data[asked.bytes] = 0;
		supervise();
		whole(out, (char *)&told, ANSWER + told.bytes);
	}
}
