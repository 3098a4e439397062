#include "controller/notices/retry.h"

#include <assert.h>

void retry_begin(struct retry *retry, time_ms now, time_ms left)
{
    retry->until =
        now + (left > 0 && left < RETRY_WITHIN_MS ? left : RETRY_WITHIN_MS);
    retry->tries = 0;
}

time_ms retry_left(time_ms deadline, time_ms now)
{
    if (deadline == 0) {
        return 0;
    }
    return deadline > now ? deadline - now : 1;
}

/* xorshift64*, of Vigna; a state of 0 would stay 0. */
static uint64_t next_random(uint64_t *random)
{
    uint64_t state = *random != 0 ? *random : 1;

    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    *random = state;
    return state * 2685821657736338717ULL;
}

bool retry_next(struct retry *retry, time_ms now, time_ms asked,
                uint64_t *random, time_ms *ret_wait)
{
    time_ms wait = RETRY_FIRST_MS;

    retry->tries++;
    assert(retry->tries <= RETRY_TRIES_MAX);
    if (retry->tries == RETRY_TRIES_MAX) {
        return false;
    }
    for (int i = 1; i < retry->tries; i++) {
        wait *= 3;
    }
    /* 0.75 to 1.25 of it, so that many do not come back together. */
    wait = wait * 3 / 4 +
           (time_ms)(next_random(random) % (uint64_t)(wait / 2 + 1));
    asked = asked < RETRY_ASKED_MAX ? asked : RETRY_ASKED_MAX;
    wait = wait < asked ? asked : wait;
    if (now + wait > retry->until) {
        return false;
    }
    *ret_wait = wait;
    return true;
}
