/* What a world has no need of: HTTP, and the log; and the one file that the
 * driver looks at itself. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "policies/memory.h"
#include "tests/simulator/world.h"

/* ---- http.h: adapters are fakes ----------------------------------------- */

struct http {
    char nothing;
};

struct http *http_new(uv_loop_t *loop)
{
    (void)loop;
    return memory_zeroed(1, sizeof(struct http));
}

/* Only a heartbeat would, and none is configured. */
struct http_request *http_send(struct http *http, const struct http_call *call,
                               http_done *done, void *data)
{
    (void)http;
    (void)done;
    (void)data;
    check_fail("simulator", "%s %s was sent", call->method, call->url);
}

void http_close(struct http *http, void (*closed)(void *), void *data)
{
    free(http);
    closed(data);
}

size_t http_waiting(const struct http *http)
{
    (void)http;
    return 0;
}

/* ---- log.h: a story is told from records -------------------------------- */

void log_event(struct log *log, enum log_level level, const char *event, ...)
{
    (void)log;
    (void)level;
    (void)event;
}

void log_pairs(struct log *log, enum log_level level, const char *event,
               const char *const *pairs)
{
    (void)log;
    (void)level;
    (void)event;
    (void)pairs;
}

void log_fact(struct log *log, enum log_level level, const char *event,
              const char *const *pairs)
{
    (void)log;
    (void)level;
    (void)event;
    (void)pairs;
}

void log_flush(struct log *log)
{
    (void)log;
}

/* ---- the STOP file ------------------------------------------------------ */

int __wrap_stat(const char *path, struct stat *status);

int __wrap_stat(const char *path, struct stat *status)
{
    (void)path;
    (void)status;
    if (world_current()->stop_stands) {
        return 0;
    }
    errno = ENOENT;
    return -1;
}
