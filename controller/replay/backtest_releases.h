/* The releases of a backtest: what was deployed, and what people say of it. */
#ifndef REPLAY_BACKTEST_RELEASES_H
#define REPLAY_BACKTEST_RELEASES_H

#include "controller/replay/release.h"

#define BACKTEST_FILE_MAX     (16 * 1024 * 1024)
#define BACKTEST_RELEASES_MAX 10000

enum backtest_label { LABEL_NONE, LABEL_INCIDENT, LABEL_HEALTHY };

struct backtest_release {
    struct replay_release release;
    enum backtest_label label;
    time_ms began;   /* of an incident; 0: not said */
    time_ms ends;    /* what is judged: (deployed_at, ends] */
    bool superseded; /* that is when the next one was deployed */
};

struct backtest_releases {
    struct backtest_release *list; /* by time */
    size_t count, room;
    size_t not_ours; /* left out: the policy does not apply to them */
    size_t not_then; /* left out: deployed before or after */
};

/* [{what `register` posts, "incident": true, "began": time}, ...].  False with
 * one line in @ret_error.  Release it either way. */
bool backtest_releases_read(const char *text, size_t length,
                            struct backtest_releases *ret_releases,
                            char *ret_error, size_t size);

/* Those that a journal says were registered. */
bool backtest_releases_of_store(const char *path,
                                struct backtest_releases *ret_releases,
                                char *ret_error, size_t size);

void backtest_releases_release(struct backtest_releases *releases);

/* Sort; keep those that @policy applies to and that were deployed in
 * [@from, @to); say until when each is judged: the watch's end, the next
 * deploy of its service there, or @to. */
void backtest_releases_settle(struct backtest_releases *releases,
                              const struct policy *policy, time_ms from,
                              time_ms to);

#endif
