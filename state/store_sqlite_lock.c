#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "state/store_sqlite.h"

/* Who holds it: the pid that the holder wrote, 0 when there is none. */
static long holder_of(int lock)
{
    char text[24] = "";
    ssize_t length = pread(lock, text, sizeof text - 1, 0);
    return length > 0 ? strtol(text, NULL, 10) : 0;
}

int sqlite_lock(const char *path, const char *shown, char *ret_error,
                size_t size)
{
    char name[SQLITE_PATH_MAX + sizeof ".lock"];
    (void)snprintf(name, sizeof name, "%s.lock", path);
    int lock = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (lock < 0) {
        (void)snprintf(ret_error, size,
                       "cannot lock the journal '%s': '%s.lock': %s; let this "
                       "user write in that folder",
                       shown, shown, strerror(errno));
        return -1;
    }
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        (void)snprintf(ret_error, size,
                       "cannot lock the journal '%s': another lastgood "
                       "(process %ld) has it open; stop that one first, one "
                       "journal has one writer",
                       shown, holder_of(lock));
        (void)close(lock);
        return -1;
    }
    /* For people only: a lock without a name is a lock all the same. */
    char pid[24];
    int length = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(lock, 0) != 0 || pwrite(lock, pid, (size_t)length, 0) < 0) {
        return lock;
    }
    return lock;
}
