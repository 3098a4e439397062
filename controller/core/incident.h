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
    bool breach; /* it blames a release: the shared-cause brake counts */
    time_ms opened_at, closed_at;   /* 0: open */
    uint64_t fired;                 /* leaves whose effects were fired: bits */
    char digest[RECORD_DIGEST_MAX]; /* of the policy those are leaves of */
    time_ms paged_at;
    uint64_t rollback; /* the newest that was intended, 0 */
    char text[RECORD_TEXT_MAX];
};

struct incident *incident_find(const struct core *core, uint64_t id);

/* Open one about @release. */
void incident_open(struct core *core, const struct release *release,
                   const char *by, const char *text);

/* Close it: "quiet", "recovered" or "closed". */
void incident_close(struct core *core, const struct incident *incident,
                    const char *code, const char *by, const char *text);

/* Services whose open incident blames a release and began within @window of
 * @around: for as long as they stand, what began together counts together. */
uint32_t incident_breaching(const struct core *core, time_ms around,
                            time_ms window);

/* Records. */
void incident_apply_opened(struct core *core, const struct record *record);
void incident_apply_closed(struct core *core, const struct record *record);

#endif
