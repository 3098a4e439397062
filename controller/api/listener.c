#include "controller/api/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Clients that come while the loop is busy wait here. */
#define BACKLOG 511

/* --- TCP ------------------------------------------------------------------ */

static int bound_port(int fd)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof(address);

    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0) {
        return 0;
    }
    if (address.ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const void *)&address;

        return ntohs(six->sin6_port);
    }
    const struct sockaddr_in *four = (const void *)&address;

    return ntohs(four->sin_port);
}

static int bind_tcp(const struct addrinfo *address)
{
    int on = 1;
    int fd = socket(address->ai_family,
                    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0) {
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, address->ai_addr, address->ai_addrlen) != 0 ||
        listen(fd, BACKLOG) != 0) {
        int error = errno;

        (void)close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

int listener_tcp(const char *host, int port, int *ret_port, char *ret_error,
                 size_t size)
{
    struct addrinfo hints = {
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
    };
    struct addrinfo *found = NULL;
    char service[16];
    int fd = -1;
    int error = 0;
    int result = 0;

    (void)snprintf(service, sizeof(service), "%d", port);
    result = getaddrinfo(host, service, &hints, &found);
    if (result != 0) {
        (void)snprintf(ret_error, size,
                       "listen: http: %s is no address of this machine: %s",
                       host, gai_strerror(result));
        return -1;
    }
    for (const struct addrinfo *at = found; at != NULL && fd < 0;
         at = at->ai_next) {
        fd = bind_tcp(at);
    }
    error = errno;
    freeaddrinfo(found);
    if (fd < 0) {
        (void)snprintf(ret_error, size, "cannot listen on %s:%d: %s%s", host,
                       port, strerror(error),
                       error == EADDRINUSE
                           ? "; is another lastgood running? (listen: http: "
                             "names another port)"
                           : "");
        return -1;
    }
    *ret_port = bound_port(fd);
    return fd;
}

/* --- Unix ----------------------------------------------------------------- */

static bool somebody_answers(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool answers = false;

    if (fd < 0) {
        return true; /* not known: leave the file alone */
    }
    answers =
        connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
        errno != ECONNREFUSED;
    (void)close(fd);
    return answers;
}

/* Make room at the path: nothing there, or a socket nobody listens on. */
static bool make_room(const struct sockaddr_un *address, char *ret_error,
                      size_t size)
{
    struct stat status;

    if (lstat(address->sun_path, &status) != 0) {
        return true; /* bind() says what is wrong, if anything */
    }
    if (!S_ISSOCK(status.st_mode)) {
        (void)snprintf(ret_error, size,
                       "listen: unix: %s is there and is no socket: remove it "
                       "or name another path",
                       address->sun_path);
        return false;
    }
    if (somebody_answers(address)) {
        (void)snprintf(ret_error, size,
                       "listen: unix: somebody answers on %s: is another "
                       "lastgood running?",
                       address->sun_path);
        return false;
    }
    (void)unlink(address->sun_path); /* bind() says so when it could not */
    return true;
}

int listener_unix(const char *path, char *ret_error, size_t size)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = -1;

    if (strlen(path) >= sizeof(address.sun_path)) {
        (void)snprintf(ret_error, size,
                       "listen: unix: the path is longer than %zu bytes",
                       sizeof(address.sun_path) - 1);
        return -1;
    }
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (!make_room(&address, ret_error, size)) {
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* The mode is set before anybody can connect: that needs listen(). */
    if (fd < 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        chmod(path, 0660) != 0 || listen(fd, BACKLOG) != 0) {
        (void)snprintf(ret_error, size, "cannot listen on %s: %s", path,
                       strerror(errno));
        if (fd >= 0) {
            (void)close(fd);
        }
        return -1;
    }
    return fd;
}
