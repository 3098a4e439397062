/* What a world has no need of: HTTP, and the log.  And the one file that the
 * driver looks at itself, and the reading of policies' texts, which is
 * remembered. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policies/memory.h"
#include "policies/read/policy_read.h"
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

/* ---- policy_read(): the same text is the same block --------------------- */

#define REMEMBERED_MAX 512

static struct {
    uint64_t hash;
    struct policy *policy;
} remembered[REMEMBERED_MAX];
static size_t remembered_count;

struct policy *__real_policy_read(const char *path, const char *source,
                                  size_t length, struct problems *problems);
struct policy *__wrap_policy_read(const char *path, const char *source,
                                  size_t length, struct problems *problems);

static uint64_t hash_of(const char *text, size_t length)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    }
    return hash;
}

static const struct policy *read_once(const char *path, const char *source,
                                      size_t length, struct problems *problems)
{
    const uint64_t hash = hash_of(source, length);
    for (size_t i = 0; i < remembered_count; i++) {
        if (remembered[i].hash == hash) {
            return remembered[i].policy;
        }
    }
    assert(remembered_count < REMEMBERED_MAX);
    struct policy *policy = __real_policy_read(path, source, length, problems);
    if (policy == NULL) {
        problems_print(problems, source, length, false, stderr);
    }
    assert(policy != NULL);
    remembered[remembered_count].hash = hash;
    remembered[remembered_count++].policy = policy;
    return policy;
}

struct policy *__wrap_policy_read(const char *path, const char *source,
                                  size_t length, struct problems *problems)
{
    const struct policy *policy = read_once(path, source, length, problems);
    return (struct policy *)memory_copy((const char *)policy, policy->bytes);
}
