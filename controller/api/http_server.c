#include "controller/api/http_parts.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "policies/memory.h"
#include "policies/problem.h"

/* Also the read and write buffer: headers over it are answered with 431. */
#define CONNECTION_MEMORY_BYTES (16 * 1024)
#define LOG_LINE_MAX            200

static void run(struct http_server *server);

/* --- Peers ---------------------------------------------------------------- */

/* The library notices the shutdown and closes by itself; the fd is its own. */
static void on_peer_deadline(uv_timer_t *timer)
{
    struct peer *peer = timer->data;

    (void)shutdown(peer->fd, SHUT_RDWR);
}

void peer_deadline(struct peer *peer, time_ms after)
{
    (void)uv_timer_start(&peer->deadline, on_peer_deadline, (uint64_t)after, 0);
}

void peer_no_deadline(struct peer *peer)
{
    (void)uv_timer_stop(&peer->deadline);
}

static void finish_close(struct http_server *server)
{
    if (server->stopped && server->handles == 0) {
        void (*closed)(void *) = server->closed;
        void *data = server->closed_data;

        free(server);
        closed(data);
    }
}

static void on_peer_closed(uv_handle_t *handle)
{
    struct peer *peer = handle->data;
    struct http_server *server = peer->server;

    free(peer);
    server->handles--;
    finish_close(server);
}

/* Whoever finds the door shut reads the log: once, not for each who waits. */
static void note_fullness(struct http_server *server)
{
    const unsigned most = server->options.connections_max;
    char line[LOG_LINE_MAX];

    if (server->counts.connections <= most / 2) {
        server->is_full = false;
    }
    if (server->counts.connections < most || server->is_full) {
        return;
    }
    server->is_full = true;
    (void)snprintf(line, sizeof(line),
                   "%u connections are open, and more are not taken: new ones "
                   "wait until some end; look who holds them",
                   most);
    if (server->options.full != NULL) {
        server->options.full(server->options.data, line);
    }
}

static void peer_start(struct http_server *server,
                       struct MHD_Connection *connection, void **context)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct peer *peer = memory_zeroed(1, sizeof(*peer));

    assert(info != NULL);
    peer->server = server;
    peer->fd = info->connect_fd;
    peer->next = server->peers;
    if (server->peers != NULL) {
        server->peers->previous = peer;
    }
    server->peers = peer;
    server->counts.connections++;
    server->handles++;
    (void)uv_timer_init(server->options.loop, &peer->deadline);
    peer->deadline.data = peer;
    /* Not `idle`: who connects and says nothing, or half a line, has no
     * history that earns patience. */
    peer_deadline(peer, server->options.arrive);
    note_fullness(server);
    *context = peer;
}

static void peer_end(struct http_server *server, struct peer *peer)
{
    if (peer->previous != NULL) {
        peer->previous->next = peer->next;
    } else {
        server->peers = peer->next;
    }
    if (peer->next != NULL) {
        peer->next->previous = peer->previous;
    }
    server->counts.connections--;
    note_fullness(server);
    /* At its limit the library looks at its door again only when it runs once
     * more after a connection went. */
    server->run_soon = true;
    uv_close((uv_handle_t *)&peer->deadline, on_peer_closed);
}

static void on_connection(void *cls, struct MHD_Connection *connection,
                          void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        peer_start(cls, connection, context);
    } else {
        peer_end(cls, *context);
    }
}

/* --- The library on the loop ---------------------------------------------- */

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status; /* an error shows itself when the library reads */
    (void)events;
    run(poll->data);
}

static void on_timer(uv_timer_t *timer)
{
    run(timer->data);
}

/* Before the loop sleeps: run when something changed that wakes nobody (a
 * resume, a free place), and ask how long the library can wait. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct http_server *server = prepare->data;
    MHD_UNSIGNED_LONG_LONG wait = 0;
    bool waits = false;

    if (server->run_soon) {
        server->run_soon = false;
        run(server);
    }
    if (server->stopped) {
        return;
    }
    waits = MHD_get_timeout(server->daemon, &wait) == MHD_YES;
    if (server->run_soon) {
        (void)uv_timer_start(&server->timer, on_timer, 0, 0);
    } else if (waits) {
        (void)uv_timer_start(&server->timer, on_timer, wait, 0);
    } else {
        (void)uv_timer_stop(&server->timer);
    }
}

static void stop(struct http_server *server);

static void run(struct http_server *server)
{
    if (server->stopped) {
        return;
    }
    (void)MHD_run(server->daemon);
    if (server->closing && server->counts.connections == 0) {
        stop(server);
    }
}

__attribute__((format(printf, 2, 0))) static void
on_log(void *cls, const char *format, va_list arguments)
{
    struct http_server *server = cls;
    char line[LOG_LINE_MAX], escaped[LOG_LINE_MAX * 4];

    (void)vsnprintf(line, sizeof(line), format, arguments);
    line[strcspn(line, "\r\n")] = '\0';
    text_escape(line, escaped, sizeof(escaped));
    if (server->options.log != NULL) {
        server->options.log(server->options.data, escaped);
    }
}

static struct MHD_Daemon *start_daemon(struct http_server *server)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL,
        NULL, exchange_step, server, MHD_OPTION_EXTERNAL_LOGGER, on_log, server,
        MHD_OPTION_LISTEN_SOCKET, server->options.listen_fd,
        MHD_OPTION_CONNECTION_LIMIT, server->options.connections_max,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK,
        exchange_begin, server, MHD_OPTION_NOTIFY_COMPLETED, exchange_end,
        server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
        MHD_OPTION_END);
}

static void open_handles(struct http_server *server, int epoll_fd)
{
    uv_loop_t *loop = server->options.loop;

    (void)uv_poll_init(loop, &server->poll, epoll_fd);
    (void)uv_prepare_init(loop, &server->prepare);
    (void)uv_timer_init(loop, &server->timer);
    (void)uv_timer_init(loop, &server->patience);
    server->poll.data = server;
    server->prepare.data = server;
    server->timer.data = server;
    server->patience.data = server;
    server->handles = 4;
    (void)uv_poll_start(&server->poll, UV_READABLE, on_readable);
    (void)uv_prepare_start(&server->prepare, on_prepare);
}

struct http_server *http_server_new(const struct http_server_options *options,
                                    char *ret_error, size_t size)
{
    struct http_server *server = memory_zeroed(1, sizeof(*server));
    const union MHD_DaemonInfo *info = NULL;

    server->options = *options;
    server->daemon = start_daemon(server);
    if (server->daemon == NULL) {
        (void)snprintf(ret_error, size, "the HTTP server cannot start");
        (void)close(options->listen_fd);
        free(server);
        return NULL;
    }
    info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    assert(info != NULL);
    open_handles(server, info->epoll_fd);
    return server;
}

void http_server_count(const struct http_server *server,
                       struct http_server_counts *ret_counts)
{
    *ret_counts = server->counts;
}

/* --- Closing -------------------------------------------------------------- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct http_server *server = handle->data;

    server->handles--;
    finish_close(server);
}

static void stop(struct http_server *server)
{
    assert(!server->stopped);
    assert(server->counts.waiting == 0);
    server->stopped = true;
    (void)uv_poll_stop(&server->poll);
    MHD_stop_daemon(server->daemon);
    uv_close((uv_handle_t *)&server->poll, on_handle_closed);
    uv_close((uv_handle_t *)&server->prepare, on_handle_closed);
    uv_close((uv_handle_t *)&server->timer, on_handle_closed);
    uv_close((uv_handle_t *)&server->patience, on_handle_closed);
}

static void on_patience(uv_timer_t *timer)
{
    stop(timer->data);
}

void http_server_close(struct http_server *server, time_ms patience,
                       void (*closed)(void *), void *data)
{
    MHD_socket fd = MHD_INVALID_SOCKET;

    assert(!server->closing);
    server->closing = true;
    server->closed = closed;
    server->closed_data = data;
    fd = MHD_quiesce_daemon(server->daemon);
    if (fd != MHD_INVALID_SOCKET) {
        (void)close(fd);
    }
    for (struct peer *peer = server->peers; peer != NULL; peer = peer->next) {
        if (!peer->busy) {
            (void)shutdown(peer->fd, SHUT_RDWR);
        }
    }
    (void)uv_timer_start(&server->patience, on_patience, (uint64_t)patience, 0);
    server->run_soon = true; /* let the library see all that, soon */
}
