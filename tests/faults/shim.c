/* Watches the file system calls of one process below one folder, and makes them fail.

   Loaded with LD_PRELOAD.  Nothing happens until faults_arm() is called; then every call
   below `root` that changes something is numbered, written to a journal with what it
   changed, and, if its number is `at`, made to fail or to be the last.  The journal is
   written by system calls of its own, before the next call can begin, so that it is
   complete up to a SIGKILL.  Format: disk.py reads it.                              */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { NONE, FAIL, FAIL_AFTER, KILL, KILL_AFTER };

#define MAX_FD 4096

static char root[PATH_MAX];
static size_t root_size;
static int journal = -1, mode, wanted_errno;
static long at, count;
static char *paths[MAX_FD]; /* of open files below root */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static int below(const char *path) {
    return journal >= 0 && path && strncmp(path, root, root_size) == 0 &&
           (path[root_size] == '/' || path[root_size] == 0);
}

static const char *absolute(int folder, const char *path, char *buffer) {
    if (!path || path[0] == '/') return path;
    if (folder == AT_FDCWD) {
        if (!getcwd(buffer, PATH_MAX)) return path;
    } else if (folder >= 0 && folder < MAX_FD && paths[folder]) {
        snprintf(buffer, PATH_MAX, "%s", paths[folder]);
    } else {
        return path;
    }
    size_t used = strlen(buffer);
    snprintf(buffer + used, PATH_MAX - used, "/%s", path);
    return buffer;
}

/* One record: kind, sizes of the three parts, number; then path, other path, data. */
static void record(char kind, const char *path, const char *other, const void *data,
                   uint64_t size, uint64_t offset) {
    struct {
        char kind;
        char pad[3];
        uint32_t path, other, pad2;
        uint64_t size, offset;
    } __attribute__((packed)) head = {kind, {0}, 0, 0, 0, size, offset};
    const char *second = other ? other : "";
    head.path = strlen(path);
    head.other = strlen(second);
    struct iovec parts[4] = {{&head, sizeof head},
                             {(void *)path, head.path},
                             {(void *)second, head.other},
                             {(void *)data, data ? size : 0}};
    if (!data) head.size = 0;
    syscall(SYS_writev, journal, parts, 4);
}

static void die(void) {
    syscall(SYS_kill, (long)syscall(SYS_getpid), (long)SIGKILL);
    for (;;) pause();
}

/* Whether the call that begins now is the one; 1: do not perform it. */
static int begins(int *hit) {
    count++;
    *hit = count == at;
    if (!*hit) return 0;
    if (mode == KILL) die();
    return mode == FAIL;
}

static long ends(int hit, long result, char kind, const char *path, const char *other,
                 const void *data, uint64_t size, uint64_t offset) {
    int saved = errno;
    if (result >= 0) record(kind, path, other, data, size, offset);
    if (hit && mode == KILL_AFTER) die();
    if (hit && mode == FAIL_AFTER) {
        errno = wanted_errno;
        return -1;
    }
    errno = saved;
    return result;
}

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

#define ACT(call, kind, path, other, data, size, offset) \
    do { \
        int hit; \
        long result; \
        pthread_mutex_lock(&turn); \
        if (begins(&hit)) { \
            pthread_mutex_unlock(&turn); \
            errno = wanted_errno; \
            return -1; \
        } \
        result = (call); \
        result = ends(hit, result, kind, path, other, data, size, offset); \
        pthread_mutex_unlock(&turn); \
        return result; \
    } while (0)

void faults_arm(const char *folder, const char *file, long which, int how, int error) {
    snprintf(root, sizeof root, "%s", folder);
    root_size = strlen(root);
    at = which;
    mode = how;
    wanted_errno = error;
    count = 0;
    journal = syscall(SYS_open, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

long faults_count(void) { return count; }

static void remember(int fd, const char *path) {
    if (fd >= 0 && fd < MAX_FD) {
        free(paths[fd]);
        paths[fd] = strdup(path);
    }
}

static const char *path_of(int fd) {
    if (journal < 0 || fd < 0 || fd >= MAX_FD) return NULL;
    return paths[fd];
}

static int do_open(int folder, const char *given, int flags, mode_t bits) {
    char buffer[PATH_MAX];
    const char *path = absolute(folder, given, buffer);
    int hit, fd, existed;
    struct stat known;
    if (!below(path)) return syscall(SYS_openat, folder, given, flags, bits);
    if (!(flags & (O_CREAT | O_TRUNC | O_WRONLY | O_RDWR))) {
        fd = syscall(SYS_openat, folder, given, flags, bits);
        if (fd >= 0) remember(fd, path);
        return fd;
    }
    pthread_mutex_lock(&turn);
    if (begins(&hit)) {
        pthread_mutex_unlock(&turn);
        errno = wanted_errno;
        return -1;
    }
    existed = stat(path, &known) == 0;
    fd = syscall(SYS_openat, folder, given, flags, bits);
    if (fd >= 0) remember(fd, path);
    if (fd >= 0 && !existed)
        fd = ends(hit, fd, 'c', path, NULL, NULL, 0, 0);
    else if (fd >= 0 && (flags & O_TRUNC))
        fd = ends(hit, fd, 't', path, NULL, NULL, 0, 0);
    else if (hit && mode == KILL_AFTER)
        die();
    else if (hit && mode == FAIL_AFTER) {
        errno = wanted_errno;
        fd = -1;
    }
    pthread_mutex_unlock(&turn);
    return fd;
}

#define BITS() \
    mode_t bits = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { \
        va_list list; \
        va_start(list, flags); \
        bits = va_arg(list, mode_t); \
        va_end(list); \
    }

int open(const char *path, int flags, ...) {
    BITS();
    return do_open(AT_FDCWD, path, flags, bits);
}
int open64(const char *path, int flags, ...) {
    BITS();
    return do_open(AT_FDCWD, path, flags | O_LARGEFILE, bits);
}
int openat(int folder, const char *path, int flags, ...) {
    BITS();
    return do_open(folder, path, flags, bits);
}
int openat64(int folder, const char *path, int flags, ...) {
    BITS();
    return do_open(folder, path, flags | O_LARGEFILE, bits);
}
int __open_2(const char *path, int flags) { return do_open(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return do_open(AT_FDCWD, path, flags, 0); }
int __openat_2(int f, const char *path, int flags) { return do_open(f, path, flags, 0); }
int __openat64_2(int f, const char *path, int flags) { return do_open(f, path, flags, 0); }
int creat(const char *path, mode_t bits) {
    return do_open(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, bits);
}

int close(int fd) {
    REAL(close);
    if (fd >= 0 && fd < MAX_FD && paths[fd]) {
        free(paths[fd]);
        paths[fd] = NULL;
    }
    return real(fd);
}

ssize_t write(int fd, const void *data, size_t size) {
    const char *path = path_of(fd);
    off_t offset;
    if (!path || !size) return syscall(SYS_write, fd, data, size);
    offset = lseek(fd, 0, SEEK_CUR);
    ACT(syscall(SYS_write, fd, data, size), 'w', path, NULL, data, size, offset);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
    const char *path = path_of(fd);
    if (!path) return syscall(SYS_pwrite64, fd, data, size, offset);
    ACT(syscall(SYS_pwrite64, fd, data, size, offset), 'w', path, NULL, data, size,
        offset);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) {
    return pwrite(fd, data, size, offset);
}

int fsync(int fd) {
    const char *path = path_of(fd);
    if (!path) return syscall(SYS_fsync, fd);
    ACT(syscall(SYS_fsync, fd), 's', path, NULL, NULL, 0, 0);
}
int fdatasync(int fd) {
    const char *path = path_of(fd);
    if (!path) return syscall(SYS_fdatasync, fd);
    ACT(syscall(SYS_fdatasync, fd), 's', path, NULL, NULL, 0, 0);
}
int ftruncate(int fd, off_t size) {
    const char *path = path_of(fd);
    if (!path) return syscall(SYS_ftruncate, fd, size);
    ACT(syscall(SYS_ftruncate, fd, size), 'T', path, NULL, NULL, 0, size);
}
int ftruncate64(int fd, off64_t size) { return ftruncate(fd, size); }
int posix_fallocate(int fd, off_t offset, off_t size) {
    return syscall(SYS_fallocate, fd, 0, offset, size) ? errno : 0;
}

int rename(const char *from, const char *to) {
    char one[PATH_MAX], two[PATH_MAX];
    const char *a = absolute(AT_FDCWD, from, one), *b = absolute(AT_FDCWD, to, two);
    if (!below(a)) return syscall(SYS_rename, from, to);
    ACT(syscall(SYS_rename, from, to), 'r', a, b, NULL, 0, 0);
}
int renameat(int f, const char *from, int g, const char *to) {
    char one[PATH_MAX], two[PATH_MAX];
    const char *a = absolute(f, from, one), *b = absolute(g, to, two);
    if (!below(a)) return syscall(SYS_renameat2, f, from, g, to, 0);
    ACT(syscall(SYS_renameat2, f, from, g, to, 0), 'r', a, b, NULL, 0, 0);
}
int link(const char *from, const char *to) {
    char one[PATH_MAX], two[PATH_MAX];
    const char *a = absolute(AT_FDCWD, from, one), *b = absolute(AT_FDCWD, to, two);
    if (!below(b)) return syscall(SYS_link, from, to);
    ACT(syscall(SYS_link, from, to), 'l', a, b, NULL, 0, 0);
}
int linkat(int f, const char *from, int g, const char *to, int flags) {
    char one[PATH_MAX], two[PATH_MAX];
    const char *a = absolute(f, from, one), *b = absolute(g, to, two);
    if (!below(b)) return syscall(SYS_linkat, f, from, g, to, flags);
    ACT(syscall(SYS_linkat, f, from, g, to, flags), 'l', a, b, NULL, 0, 0);
}
int unlink(const char *given) {
    char buffer[PATH_MAX];
    const char *path = absolute(AT_FDCWD, given, buffer);
    if (!below(path)) return syscall(SYS_unlink, given);
    ACT(syscall(SYS_unlink, given), 'u', path, NULL, NULL, 0, 0);
}
int unlinkat(int folder, const char *given, int flags) {
    char buffer[PATH_MAX];
    const char *path = absolute(folder, given, buffer);
    if (!below(path)) return syscall(SYS_unlinkat, folder, given, flags);
    ACT(syscall(SYS_unlinkat, folder, given, flags), 'u', path, NULL, NULL, 0, 0);
}
int remove(const char *path) {
    struct stat known;
    if (lstat(path, &known) == 0 && S_ISDIR(known.st_mode)) return rmdir(path);
    return unlink(path);
}
int rmdir(const char *given) {
    char buffer[PATH_MAX];
    const char *path = absolute(AT_FDCWD, given, buffer);
    if (!below(path)) return syscall(SYS_rmdir, given);
    ACT(syscall(SYS_rmdir, given), 'u', path, NULL, NULL, 0, 0);
}
int mkdir(const char *given, mode_t bits) {
    char buffer[PATH_MAX];
    const char *path = absolute(AT_FDCWD, given, buffer);
    if (!below(path)) return syscall(SYS_mkdir, given, bits);
    ACT(syscall(SYS_mkdir, given, bits), 'm', path, NULL, NULL, 0, 0);
}
