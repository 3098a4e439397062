/* Effects that somebody waits for: each has a deadline, and an answer that
 * comes late or to nobody changes only a counter. */
#ifndef CORE_PENDING_H
#define CORE_PENDING_H

#include "controller/core/effect.h"
#include "controller/core/timers.h"

struct core;

enum pending_kind {
    PENDING_OBSERVE,  /* a service's regular observation; object: index */
    PENDING_ROLLBACK, /* observe, has or revert of a rollback; object: id */
    PENDING_HISTORY   /* of a watch; object: the service's index */
};

struct pending {
    uint64_t id; /* the effect's counter */
    enum pending_kind kind;
    enum effect_kind asked;
    uint64_t object;
    uint16_t rule; /* held until the answer, or NONE_INDEX */
    struct timer timer;
};

/* At most one observation and one history a service, and one of a rollback. */
#define PENDING_PER_SERVICE 3

/* Ask: adds the effect and remembers who waits.  The caller fills it in. */
struct effect *pending_ask(struct core *core, enum effect_kind effect,
                           enum pending_kind kind, uint64_t object,
                           time_ms patience);

/* Nobody waits any more. */
void pending_drop(struct core *core, uint32_t counter);

/* INPUT_TARGET, INPUT_HISTORY.  After its deadline an answer is no answer: a
 * shell may have kept it, and what it saw is long ago. */
void pending_answered(struct core *core, const struct input *input);

/* TIMER_PENDING: as if the answer were "unclear". */
void pending_due(struct core *core, struct pending *pending);

#endif
