/* An incident: from the first verdict that is not healthy or wait to proven
 * recovery, ten quiet minutes, or a person's word. */
#ifndef CORE_INCIDENT_H
#define CORE_INCIDENT_H

#include "controller/core/service.h"
#include "state/record.h"

struct release;

struct incident {
    uint64_t id, release;
    uint16_t service;
    time_ms opened_at, closed_at; /* 0: open */
    time_ms blamed_at; /* since then its leaf blames a release; 0: it never
                          did.  The shared-cause brake counts those. */
    time_ms paged_at;
    uint64_t rollback; /* the newest that was intended, 0 */
    bool shared;       /* working memory: the trouble was last seen only in
                          what other watches read, too */
    bool ordered;      /* only a person's order of a rollback opened it */
    char text[RECORD_TEXT_MAX];
};

struct incident *incident_find(const struct core *core, uint64_t id);

/* Open one about @release; @by: the person whose order opens it, or "". */
void incident_open(struct core *core, const struct release *release,
                   const char *by, const char *text);

/* Close it: "quiet", "recovered", "refused" (the order that opened it was) or
 * "closed". */
void incident_close(struct core *core, const struct incident *incident,
                    const char *code, const char *by, const char *text);

/* Does the leaf that a watch of @release stands on blame it? */
bool incident_blames(const struct core *core, const struct release *release);

/* Services whose open incident began to blame a release within @window of
 * @around, for something that they share with nobody: for as long as they
 * stand, what began together counts together. */
uint32_t incident_breaching(const struct core *core, time_ms around,
                            time_ms window);

/* A verdict within it, that blames a release as the one before did not. */
void incident_note_blame(struct incident *incident, time_ms at);

/* The clock was set: what is counted from moves along.  Call only from
 * core_apply(). */
void incident_shift(struct incident *incident, time_ms difference);

/* Records. */
void incident_apply_opened(struct core *core, const struct record *record);
void incident_apply_closed(struct core *core, const struct record *record);

#endif
