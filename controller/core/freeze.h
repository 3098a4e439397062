/* Freezes: refusals of deploys, by service and environment, with an end, an
 * owner and a reason.  The gate reads them. */
#ifndef CORE_FREEZE_H
#define CORE_FREEZE_H

#include "controller/core/service.h"
#include "state/record.h"

struct freeze {
    uint64_t id, incident;
    time_ms at, until;
    char service[NAME_MAX_BYTES + 1];
    char environment[NAME_MAX_BYTES + 1];
    char by[NAME_MAX_BYTES + 1];
    char reason[RECORD_TEXT_MAX];
    struct timer timer;
};

/* The one that refuses deploys longest at @now, or NULL. */
const struct freeze *freeze_of(const struct core *core, const char *service,
                               const char *environment, time_ms now);

/* TIMER_FREEZE: its end. */
void freeze_due(struct core *core, struct freeze *freeze);

/* Know a freeze that @record made. */
void freeze_add(struct core *core, const struct record *record);

/* Records. */
void freeze_apply_thawed(struct core *core, const struct record *record);

#endif
