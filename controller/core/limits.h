/* Every bound of the core, each with its reason.  What is configured may be
 * lower, never higher; full is a refusal at the door with a sentence. */
#ifndef CORE_LIMITS_H
#define CORE_LIMITS_H

#include "policies/policy.h"

#define SERVICES_MAX        20000 /* a large company's services x places */
#define RELEASES_MAX        50000 /* watched now or remembered */
#define SERIES_MAX          100000
#define QUERIES_MAX         8192 /* distinct texts x sources x grids */
#define POLICIES_MAX        2000
#define SOURCES_MAX         32
#define TARGETS_MAX         32
#define SINKS_MAX           32 /* notices by name */
#define ACTIONS_MAX         32
#define PAGE_SINKS_MAX      4 /* whom `page:` tells */
#define FREEZES_MAX         4096
#define FREEZES_OF_PEOPLE   3072 /* the rest is for rollbacks */
#define NOTICES_PENDING_MAX 1024 /* undelivered; above NOTICES_FULL the */
#define NOTICES_FULL        960  /* oldest is given up, one a tick */
#define RELEASES_PER_SERVICE_MAX                                               \
    64 /* remembered; older final ones forgotten                               \
        */
#define LEDGER_SPARE                                                           \
    2 /* one decision may record a release and its previous                    \
       */
#define LEDGER_MAX            (RELEASES_PER_SERVICE_MAX + LEDGER_SPARE)
#define REGISTRATION_AHEAD_MS (2 * MINUTE_MS) /* further ahead is refused */
#define REGISTRATION_BACK_MS  (366 * DAY_MS)  /* older: not milliseconds? */
#define BUDGET_WINDOW_MAX_MS  DAY_MS /* a budget counts no further back */

/* What one step may answer with; asserted. */
#define DECISION_RECORDS_MAX 24
#define DECISION_EFFECTS_MAX 24

#define OBSERVE_EVERY_MS (5 * MINUTE_MS)
#define OBSERVE_FRESH_MS (2 * SECOND_MS) /* before a revert */
#define PROGRESS_EVERY_MS                                                      \
    (5 * MINUTE_MS) /* at most this much watch time is lost in a crash */
#define BLIND_AFTER_MS (5 * MINUTE_MS)
#define PAGE_REPEAT_MS (30 * MINUTE_MS)
#define INCIDENT_QUIET_MS                                                      \
    (10 * MINUTE_MS)                  /* root false this long closes it        \
                                       */
#define REVERT_ATTEMPTS_MAX 8         /* of one request, observed before each */
#define REVERT_BACKOFF_MS   500       /* doubles, with jitter, to 30 s */
#define PROGRESS_POLL_MS    SECOND_MS /* is the target live yet */
#define ANNOUNCED_FOR_MS    (30 * MINUTE_MS)

#endif
