#include "controller/runtime/log_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policies/memory.h"

/* Some thousand lines: a reader that restarts loses none. */
#define KEPT_MAX    (256 * 1024)
#define LAST_WAIT_S 1

enum way {
    WAY_STREAM, /* no descriptor */
    WAY_SOCKET, /* each send says that it does not wait */
    WAY_OWN,    /* non-blocking, and nobody else's; or a file, which has
                   no reader */
    WAY_ASKED   /* whether it takes bytes is asked before each write */
};

struct log_writer {
    FILE *out;
    enum way way;
    int fd, own; /* own: to be closed, -1 none */
    size_t kept;
    char bytes[KEPT_MAX];
};

/* /proc gives the same pipe or terminal with flags of its own. */
static int open_anew(int fd)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static void choose_way(struct log_writer *writer)
{
    struct stat status = {0};

    if (writer->fd < 0) {
        writer->way = WAY_STREAM;
    } else if (fstat(writer->fd, &status) == 0 && S_ISSOCK(status.st_mode)) {
        writer->way = WAY_SOCKET;
    } else if (S_ISREG(status.st_mode)) {
        writer->way = WAY_OWN;
    } else {
        writer->own = open_anew(writer->fd);
        writer->way = writer->own >= 0 ? WAY_OWN : WAY_ASKED;
        writer->fd = writer->own >= 0 ? writer->own : writer->fd;
    }
}

struct log_writer *log_writer_new(FILE *out)
{
    struct log_writer *writer = memory_zeroed(1, sizeof(*writer));

    writer->out = out;
    writer->own = -1;
    writer->fd = fileno(out);
    choose_way(writer);
    return writer;
}

/* --- Writing -------------------------------------------------------------- */

static bool takes_bytes(const struct log_writer *writer, int wait_ms)
{
    struct pollfd asked = {.fd = writer->fd, .events = POLLOUT};

    return poll(&asked, 1, wait_ms) > 0;
}

static ssize_t write_some(const struct log_writer *writer)
{
    /* A pipe that takes bytes takes PIPE_BUF of them. */
    const size_t most = writer->kept < PIPE_BUF ? writer->kept : PIPE_BUF;

    switch (writer->way) {
    case WAY_SOCKET:
        return send(writer->fd, writer->bytes, writer->kept,
                    MSG_DONTWAIT | MSG_NOSIGNAL);
    case WAY_ASKED:
        if (!takes_bytes(writer, 0)) {
            errno = EAGAIN;
            return -1;
        }
        return write(writer->fd, writer->bytes, most);
    case WAY_OWN:
    case WAY_STREAM:
        break;
    }
    return write(writer->fd, writer->bytes, writer->kept);
}

void log_writer_flush(struct log_writer *writer)
{
    while (writer->kept > 0) {
        const ssize_t written = write_some(writer);

        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return;
        }
        if (written <= 0) {
            writer->kept = 0; /* nobody reads it, now or later */
            return;
        }
        writer->kept -= (size_t)written;
        memmove(writer->bytes, writer->bytes + written, writer->kept);
    }
}

bool log_writer_has_room(const struct log_writer *writer, size_t length)
{
    return length <= KEPT_MAX - writer->kept;
}

bool log_writer_put(struct log_writer *writer, const char *line, size_t length)
{
    if (writer->way == WAY_STREAM) {
        (void)fwrite(line, 1, length, writer->out);
        (void)fflush(writer->out);
        return true;
    }
    if (!log_writer_has_room(writer, length)) {
        log_writer_flush(writer);
    }
    if (!log_writer_has_room(writer, length)) {
        return false;
    }
    memcpy(writer->bytes + writer->kept, line, length);
    writer->kept += length;
    log_writer_flush(writer);
    return true;
}

void log_writer_free(struct log_writer *writer)
{
    log_writer_flush(writer);
    for (int i = 0; i < 10 && writer->kept > 0; i++) {
        (void)takes_bytes(writer, LAST_WAIT_S * 1000 / 10);
        log_writer_flush(writer);
    }
    if (writer->own >= 0) {
        (void)close(writer->own);
    }
    free(writer);
}
