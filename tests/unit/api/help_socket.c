#include "help_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_NS (20ULL * 1000 * 1000 * 1000)

static int connected(int fd, const void *address, socklen_t length)
{
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, address, length), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

int socket_open(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connected(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), &address,
                     sizeof(address));
}

int socket_open_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    return connected(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), &address,
                     sizeof(address));
}

void socket_say(int fd, const char *bytes, size_t length)
{
    /* What tests send fits into the socket's buffer, or the peer is gone. */
    (void)send(fd, bytes, length, MSG_NOSIGNAL);
}

static void take(int fd, struct heard *heard)
{
    char piece[16384];
    ssize_t size = recv(fd, piece, sizeof(piece), 0);

    if (size > 0) {
        heard->bytes = realloc(heard->bytes, heard->length + (size_t)size + 1);
        assert_non_null(heard->bytes);
        memcpy(heard->bytes + heard->length, piece, (size_t)size);
        heard->length += (size_t)size;
        heard->bytes[heard->length] = '\0';
    } else if (size == 0 || (errno != EAGAIN && errno != EINTR)) {
        heard->ended = true;
    }
}

/* How many whole answers the bytes are; those of a HEAD have no body. */
static size_t whole_answers(const struct heard *heard)
{
    const char *at = heard->bytes;
    size_t count = 0;

    while (at != NULL) {
        const char *end = strstr(at, "\r\n\r\n");
        const char *length = NULL;
        size_t body = 0;

        if (end == NULL) {
            break;
        }
        length = strcasestr(at, "\r\nContent-Length: ");
        if (length != NULL && length < end) {
            body = strtoul(length + 18, NULL, 10);
        }
        if (end + 4 + body > heard->bytes + heard->length) {
            break;
        }
        at = end + 4 + body;
        count++;
    }
    return count;
}

static void pump(uv_loop_t *loop, int fd, struct heard *heard)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};

    (void)uv_run(loop, UV_RUN_NOWAIT);
    if (poll(&wait, 1, 1) > 0) {
        take(fd, heard);
    }
}

void socket_hear(uv_loop_t *loop, int fd, size_t count, struct heard *heard)
{
    uint64_t end = uv_hrtime() + PATIENCE_NS;

    while (!heard->ended && whole_answers(heard) < count) {
        assert_true(uv_hrtime() < end);
        pump(loop, fd, heard);
    }
}

void socket_hear_end(uv_loop_t *loop, int fd, struct heard *heard)
{
    uint64_t end = uv_hrtime() + PATIENCE_NS;

    while (!heard->ended) {
        assert_true(uv_hrtime() < end);
        pump(loop, fd, heard);
    }
}

void heard_free(struct heard *heard)
{
    free(heard->bytes);
    memset(heard, 0, sizeof(*heard));
}

void socket_ask(uv_loop_t *loop, int port, const char *request,
                struct heard *ret_heard)
{
    int fd = socket_open(port);

    memset(ret_heard, 0, sizeof(*ret_heard));
    socket_say(fd, request, strlen(request));
    socket_hear(loop, fd, 1, ret_heard);
    (void)close(fd);
}

int heard_status(const struct heard *heard)
{
    int status = 0;

    assert_non_null(heard->bytes);
    assert_int_equal(sscanf(heard->bytes, "HTTP/1.1 %d", &status), 1);
    return status;
}

const char *heard_body(const struct heard *heard)
{
    const char *end = strstr(heard->bytes, "\r\n\r\n");

    assert_non_null(end);
    return end + 4;
}

const char *heard_header(const struct heard *heard, const char *name,
                         char value[256])
{
    char start[128];
    const char *found = NULL;

    (void)snprintf(start, sizeof(start), "\r\n%s: ", name);
    found = strcasestr(heard->bytes, start);
    value[0] = '\0';
    if (found != NULL && found < heard_body(heard)) {
        found += strlen(start);
        (void)snprintf(value, 256, "%.*s", (int)strcspn(found, "\r"), found);
    }
    return value;
}

void loop_until(uv_loop_t *loop, bool (*done)(void *), void *data)
{
    uint64_t end = uv_hrtime() + PATIENCE_NS;

    while (!done(data)) {
        assert_true(uv_hrtime() < end);
        (void)uv_run(loop, UV_RUN_NOWAIT);
        (void)poll(NULL, 0, 1);
    }
}
