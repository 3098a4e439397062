/* Telling people, and running actions: recorded first, done until NOTICE_DONE
 * or ACTION_DONE says so. */
#ifndef CORE_NOTICE_H
#define CORE_NOTICE_H

#include "controller/core/effect.h"
#include "controller/core/timers.h"

struct core;
struct release;
struct service;

/* How long the shell may try; then it is recorded as not done. */
#define NOTICE_PATIENCE_MS  HOUR_MS
#define ACTION_PATIENCE_MS  (10 * MINUTE_MS)
#define ACTIONS_PENDING_MAX 1024

struct notice {
    uint64_t id, release, incident;
    uint16_t service; /* index, or NONE_INDEX */
    char sink[NAME_MAX_BYTES + 1];
    char version[NAME_MAX_BYTES + 1]; /* when no release says it, "" */
    char what[RECORD_CODE_MAX];
    char text[RECORD_TEXT_MAX];
    struct timer timer;
    bool sent; /* in this epoch */
};

/* What nobody was told: the newest of them are kept for people to see. */
#define UNDELIVERED_MAX 16

struct undelivered {
    uint64_t notice;
    time_ms at;
    uint16_t service; /* index, or NONE_INDEX */
    char sink[NAME_MAX_BYTES + 1];
    char what[RECORD_CODE_MAX];
    char text[RECORD_TEXT_MAX];
    char why[256];
};

struct action {
    uint64_t id;
    struct timer timer;
};

/* Whom: the sinks of a leaf (of @policy; NULL: none), then those of `page:`;
 * each once.  @service may be NULL. */
void notice_tell(struct core *core, const struct service *service,
                 const struct policy *policy, uint16_t leaf, uint64_t release,
                 const char *what, const char *text);

/* The same about a version that is no release yet; those of `page:`. */
void notice_tell_of(struct core *core, const struct service *service,
                    const char *version, const char *what, const char *text);

/* Run the leaf's action, when it has one and @mode lets it; else, and when
 * there is no room, it is recorded that it was not run. */
void action_run(struct core *core, const struct service *service,
                const struct policy *policy, uint16_t leaf, uint64_t release,
                enum mode mode);

/* INPUT_NOTICE_DONE, INPUT_ACTION_DONE */
void notice_answered(struct core *core, const struct input *input);
void action_answered(struct core *core, const struct input *input);

/* TIMER_NOTICE: send again after a restart, or give up.  TIMER_ACTION. */
void notice_due(struct core *core, struct notice *notice);
void action_due(struct core *core, struct action *action);

/* Records. */
void notice_apply(struct core *core, const struct record *record);
void notice_apply_done(struct core *core, const struct record *record);
void action_apply(struct core *core, const struct record *record);
void action_apply_done(struct core *core, const struct record *record);

#endif
