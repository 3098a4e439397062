#include "controller/notices/retry.h"

#include <assert.h>

void retry_begin(struct retry *retry, time_ms now, time_ms deadline)
{
    retry->until = now + RETRY_WITHIN_MS;
    if (deadline > 0 && deadline < retry->until) {
        retry->until = deadline;
    }
    retry->tries = 0;
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
    wait = wait < asked ? asked : wait;
    if (now + wait > retry->until) {
        return false;
    }
    *ret_wait = wait;
    return true;
}
