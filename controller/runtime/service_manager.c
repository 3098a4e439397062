#include "controller/runtime/service_manager.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "controller/runtime/clock.h"

/* A whole number of the environment, 0 when it is none. */
static int64_t number_of(const char *name)
{
    const char *text = getenv(name);
    char *end = NULL;
    long long number = 0;

    if (text == NULL) {
        return 0;
    }
    errno = 0;
    number = strtoll(text, &end, 10);
    return errno != 0 || *end != '\0' || number < 0 ? 0 : number;
}

void service_manager_init(struct service_manager *manager)
{
    const char *path = getenv("NOTIFY_SOCKET");
    const int64_t pid = number_of("WATCHDOG_PID");

    memset(manager, 0, sizeof(*manager));
    if (path != NULL && (path[0] == '/' || path[0] == '@') &&
        strlen(path) < sizeof(manager->socket)) {
        (void)snprintf(manager->socket, sizeof(manager->socket), "%s", path);
    }
    if (pid == 0 || pid == getpid()) {
        manager->watchdog = number_of("WATCHDOG_USEC") / 1000;
    }
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("WATCHDOG_PID");
}

void service_manager_tell(const struct service_manager *manager,
                          const char *state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const size_t length = strlen(manager->socket);
    int socket_fd = -1;

    if (length == 0) {
        return;
    }
    memcpy(address.sun_path, manager->socket, length);
    if (address.sun_path[0] == '@') {
        address.sun_path[0] = '\0';
    }
    socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket_fd < 0) {
        return;
    }
    /* A manager that does not listen is its own trouble, not ours. */
    (void)sendto(socket_fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
                 (struct sockaddr *)&address,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
    (void)close(socket_fd);
}

void service_manager_reloading(const struct service_manager *manager)
{
    char state[80];

    (void)snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
                   clock_monotonic_us());
    service_manager_tell(manager, state);
}
