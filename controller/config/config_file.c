#include "controller/config/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

ssize_t config_read_file(const char *path, char *ret_text, size_t size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status = {0};
    size_t used = 0;
    ssize_t got = -1;
    int error = 0;

    if (file < 0) {
        return -1;
    }
    if (fstat(file, &status) == 0 && !S_ISREG(status.st_mode)) {
        errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
        goto done;
    }
    do {
        got = read(file, ret_text + used, size - used);
        used += got > 0 ? (size_t)got : 0;
    } while (got > 0 && used < size);
    if (used == size) {
        errno = EFBIG;
        got = -1;
    }
done:
    error = errno;
    (void)close(file);
    errno = error;
    return got < 0 ? -1 : (ssize_t)used;
}
