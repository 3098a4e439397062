/* A service in an environment: the ledger of its releases, what is live, and
 * what is under way. */
#ifndef CORE_SERVICE_H
#define CORE_SERVICE_H

#include "controller/core/limits.h"
#include "controller/core/timers.h"
#include "state/record.h"

struct core;

#define OBSERVE_ERROR_MAX 256

struct service {
    /* Who it is. */
    uint16_t index, option;
    const char *name, *environment; /* in the arena, likewise below */
    uint32_t next;                  /* in its bucket: index + 1, 0: none */

    /* Knowledge. */
    const char *live;
    bool complete;
    uint64_t incident; /* the open one */
    uint64_t rollback; /* under way */
    uint64_t put_live; /* the rollback that put the live version there */
    const char *announced;
    time_ms announced_until;
    uint32_t releases[LEDGER_MAX]; /* slots, by (deployed_at, id) */
    uint32_t releases_count;

    /* Working memory. */
    time_ms observed_at; /* 0: not since the start */
    const char *observe_error;
    uint32_t failures;  /* in a row */
    uint32_t observing; /* pending effect's counter, 0 */
    uint32_t learned;   /* counter of the newest observation believed, 0 */
    struct timer observe, reconcile;
};

/* The one of that name, or NULL. */
struct service *service_find(const struct core *core, const char *name,
                             const char *environment);

struct service *service_at(const struct core *core, uint16_t index);

/* The one of that name, made when it is new; NULL when there is no room. */
struct service *service_take(struct core *core, const char *name,
                             const char *environment);

/* Its target's and options' index; NONE_INDEX when there is none. */
uint16_t service_target(const struct core *core, const struct service *service);

/* How long one call to its target, and a whole deploy there, may take. */
time_ms service_timeout(const struct core *core, const struct service *service);
time_ms service_deadline(const struct core *core,
                         const struct service *service);

/* The first entry of options->services that matches, or NONE_INDEX. */
uint16_t service_option_of(const struct core *core, const char *name,
                           const char *environment);

/* The highest mode allowed by the configuration and the STOP file. */
enum mode service_ceiling(const struct core *core,
                          const struct service *service);

/* Records. */
void service_apply_observed(struct core *core, const struct record *record);
void service_apply_announced(struct core *core, const struct record *record);

#endif
