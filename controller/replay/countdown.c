#include "controller/replay/countdown.h"

#include <assert.h>

enum countdown_news countdown_take(struct countdown *countdown,
                                   const struct countdown_verdict *verdict,
                                   time_ms now)
{
    bool rollback = verdict->kind == LEAF_ROLLBACK;

    countdown->stands = rollback && verdict->mode == MODE_COUNTDOWN &&
                        verdict->root == ANSWER_YES;
    if (countdown->stands) {
        countdown->span = verdict->span;
    }
    if (countdown->state == COUNTDOWN_ORDERED) {
        return COUNTDOWN_SAME;
    }
    if (!rollback && verdict->kind != LEAF_WAIT &&
        countdown->state != COUNTDOWN_OFF) {
        countdown->state = COUNTDOWN_OFF;
        return COUNTDOWN_WITHDRAWN;
    }
    if (countdown->stands && countdown->state == COUNTDOWN_OFF) {
        countdown->state = COUNTDOWN_RUNS;
        countdown->since = now;
        return COUNTDOWN_BEGAN;
    }
    if (countdown->state == COUNTDOWN_REFUSED) {
        countdown->state = COUNTDOWN_ENDED;
    }
    return COUNTDOWN_SAME;
}

time_ms countdown_due(const struct countdown *countdown, time_ms now)
{
    time_ms end = countdown->since + countdown->span;

    switch (countdown->state) {
    case COUNTDOWN_RUNS:
        return end > now ? end : now;
    case COUNTDOWN_ENDED:
        return countdown->stands ? now : TIME_NEVER;
    case COUNTDOWN_OFF:
    case COUNTDOWN_ORDERED:
    case COUNTDOWN_REFUSED:
        break;
    }
    return TIME_NEVER;
}

bool countdown_end(struct countdown *countdown)
{
    assert(countdown->state == COUNTDOWN_RUNS ||
           countdown->state == COUNTDOWN_ENDED);
    countdown->state = countdown->stands ? COUNTDOWN_ORDERED : COUNTDOWN_ENDED;
    return countdown->stands;
}

void countdown_refuse(struct countdown *countdown)
{
    assert(countdown->state == COUNTDOWN_ORDERED);
    countdown->state = COUNTDOWN_REFUSED;
}
