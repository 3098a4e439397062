/* A rollback that waits for somebody to say no, in data time.
 *
 *   off -> runs -> ordered          the leaf stands when it runs down
 *          runs -> ended -> ordered the leaf is back
 *   runs, ended, refused -> off     another known leaf withdraws it
 *   ordered -> refused -> ordered   an interlock said no; again when the path
 *                                   changes
 *
 * It begins with the first verdict whose rollback could be carried out: a
 * root that is not known true never is (the interlock `blind`).  `wait` leaves
 * it as it is.  Its length is that of the newest verdict that has one. */
#ifndef REPLAY_COUNTDOWN_H
#define REPLAY_COUNTDOWN_H

#include "policies/policy.h"

enum countdown_state {
    COUNTDOWN_OFF,
    COUNTDOWN_RUNS,
    COUNTDOWN_ENDED,
    COUNTDOWN_ORDERED,
    COUNTDOWN_REFUSED
};

struct countdown {
    enum countdown_state state;
    time_ms since, span;
    bool stands; /* the leaf does, with the mode and a root that act */
};

/* A change of verdict or path. */
struct countdown_verdict {
    enum leaf_kind kind;
    enum mode mode; /* the effective one, and its length */
    time_ms span;
    enum answer root;
};

enum countdown_news { COUNTDOWN_SAME, COUNTDOWN_BEGAN, COUNTDOWN_WITHDRAWN };

enum countdown_news countdown_take(struct countdown *countdown,
                                   const struct countdown_verdict *verdict,
                                   time_ms now);

/* When something is to be decided about it, not before @now; or TIME_NEVER. */
time_ms countdown_due(const struct countdown *countdown, time_ms now);

/* It is due: true when the rollback is to be ordered. */
bool countdown_end(struct countdown *countdown);

/* The order was refused. */
void countdown_refuse(struct countdown *countdown);

#endif
