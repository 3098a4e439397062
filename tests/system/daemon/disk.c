/* A disk that fails or is slow when it is told to: preloaded into the daemon,
 * it stands before the calls that SQLite makes on the journal's files.
 *
 * The file that DISK_ORDERS names says what fails and with which errno, a line
 * each: "write 28", "sync 5", "read 5"; "slow 20" makes each sync 20 ms long.
 * No file: nothing of that.  It is read at every call, so that a test can
 * change its mind at any time. */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether @fd is one of the journal's files. */
static bool is_journal(int fd)
{
    char link[64], path[512];
    ssize_t length = 0;

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof(path) - 1);
    if (length <= 0) {
        return false;
    }
    path[length] = '\0';
    return strstr(path, "/lastgood.db") != NULL;
}

/* True, with errno set, when @what must fail on @fd. */
static bool must_fail(const char *what, int fd)
{
    const char *orders = getenv("DISK_ORDERS");
    const int before = errno;
    char word[16];
    int number = 0;
    bool fails = false;
    FILE *file = NULL;

    if (orders != NULL && is_journal(fd)) {
        file = fopen(orders, "re");
    }
    while (file != NULL && !fails &&
           fscanf(file, "%15s %d", word, &number) == 2) {
        fails = strcmp(word, what) == 0;
        if (strcmp(word, "slow") == 0 && strcmp(what, "sync") == 0) {
            (void)usleep((useconds_t)number * 1000); /* longer is as good */
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    errno = fails ? number : before;
    return fails;
}

/* The call of that name which would be made without this file. */
#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at)
{
    return must_fail("write", fd) ? -1 : NEXT(pwrite)(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at)
{
    return must_fail("write", fd) ? -1 : NEXT(pwrite64)(fd, bytes, count, at);
}

ssize_t pread(int fd, void *bytes, size_t count, off_t at)
{
    return must_fail("read", fd) ? -1 : NEXT(pread)(fd, bytes, count, at);
}

ssize_t pread64(int fd, void *bytes, size_t count, off64_t at)
{
    return must_fail("read", fd) ? -1 : NEXT(pread64)(fd, bytes, count, at);
}

int ftruncate64(int fd, off64_t length)
{
    return must_fail("write", fd) ? -1 : NEXT(ftruncate64)(fd, length);
}

int fsync(int fd)
{
    return must_fail("sync", fd) ? -1 : NEXT(fsync)(fd);
}

int fdatasync(int fd)
{
    return must_fail("sync", fd) ? -1 : NEXT(fdatasync)(fd);
}
