/* Stands for file systems that lack things: LACKING=chmod,link,... makes these calls fail there.
   "below" LACKING_BELOW (a path); descriptors are looked up in /proc. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

static int lacks(const char *what) {
    const char *list = getenv("LACKING");
    for (; list && *list; list += strcspn(list, ","), list += *list == ',')
        if (strncmp(list, what, strlen(what)) == 0 && strchr(",", list[strlen(what)]))
            return 1;
    return 0;
}
static int path_there(const char *path) {
    const char *below = getenv("LACKING_BELOW");
    char full[8192];
    if (!below) return 1;
    if (path[0] != '/') {
        if (!getcwd(full, 4096)) return 0;
        strcat(full, "/"); strncat(full, path, 4000); path = full;
    }
    return strncmp(path, below, strlen(below)) == 0;
}
static int file_there(int file) {
    char name[64], path[4096];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    ssize_t size = readlink(name, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return path_there(path);
}
#define REFUSE(what, there, number) if (lacks(what) && (there)) { errno = number; return -1; }
#define REAL(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

int chmod(const char *path, mode_t mode) { REFUSE("chmod", path_there(path), EPERM) return REAL(chmod)(path, mode); }
int fchmod(int file, mode_t mode) { REFUSE("chmod", file_there(file), EPERM) return REAL(fchmod)(file, mode); }
int fchmodat(int at, const char *path, mode_t mode, int flags) { REFUSE("chmod", path_there(path), EPERM) return REAL(fchmodat)(at, path, mode, flags); }
int link(const char *from, const char *to) { REFUSE("link", path_there(to), EPERM) return REAL(link)(from, to); }
int linkat(int a, const char *from, int b, const char *to, int flags) { REFUSE("link", path_there(to), EPERM) return REAL(linkat)(a, from, b, to, flags); }
int symlink(const char *to, const char *path) { REFUSE("symlink", path_there(path), EPERM) return REAL(symlink)(to, path); }
int symlinkat(const char *to, int at, const char *path) { REFUSE("symlink", path_there(path), EPERM) return REAL(symlinkat)(to, at, path); }
int flock(int file, int how) { REFUSE("flock", file_there(file), ENOLCK) return REAL(flock)(file, how); }
int fsync(int file) { REFUSE("fsync", file_there(file), EINVAL) return REAL(fsync)(file); }
int fdatasync(int file) { REFUSE("fsync", file_there(file), EINVAL) return REAL(fdatasync)(file); }
int utimensat(int at, const char *path, const struct timespec times[2], int flags) { REFUSE("utime", path_there(path), EPERM) return REAL(utimensat)(at, path, times, flags); }
int futimens(int file, const struct timespec times[2]) { REFUSE("utime", file_there(file), EPERM) return REAL(futimens)(file, times); }
int utimes(const char *path, const struct timeval times[2]) { REFUSE("utime", path_there(path), EPERM) return REAL(utimes)(path, times); }
int mkfifo(const char *path, mode_t mode) { REFUSE("mkfifo", path_there(path), EPERM) return REAL(mkfifo)(path, mode); }
ssize_t copy_file_range(int from, off_t *a, int to, off_t *b, size_t size, unsigned flags) { REFUSE("copy_file_range", file_there(to), EOPNOTSUPP) return REAL(copy_file_range)(from, a, to, b, size, flags); }
void *mmap(void *at, size_t size, int protection, int flags, int file, off_t offset) {
    if (lacks("mmap") && file >= 0 && file_there(file) && !(protection & PROT_EXEC)) { errno = ENODEV; return (void *)-1; }
    return REAL(mmap)(at, size, protection, flags, file, offset);
}
