#include "controller/sources/backoff.h"

enum backoff_says backoff_ask(struct backoff *backoff, time_ms now)
{
    if (backoff->failures == 0) {
        return BACKOFF_SEND;
    }
    if (backoff->tries) {
        return BACKOFF_WAIT;
    }
    if (now < backoff->until) {
        return BACKOFF_REFUSE;
    }
    backoff->tries = true;
    return BACKOFF_TRY;
}

void backoff_works(struct backoff *backoff, time_ms now)
{
    backoff->failures = 0;
    backoff->tries = false;
    backoff->answered_at = now;
}

void backoff_failed(struct backoff *backoff, time_ms now, time_ms sent_at,
                    time_ms retry_after)
{
    if (retry_after > BACKOFF_RETRY_AFTER_MS) {
        retry_after = BACKOFF_RETRY_AFTER_MS;
    }
    time_ms rest = backoff->until - now;
    /* Those that were on their way at the first failure are the same one. */
    if (backoff->failures == 0 || sent_at > backoff->failed_at) {
        backoff->tries = false;
        backoff->failed_at = now;
        rest = BACKOFF_LAST_MS;
        if (backoff->failures < 4) {
            rest = BACKOFF_FIRST_MS << backoff->failures;
        }
        backoff->failures++;
    }
    backoff->until = now + (retry_after > rest ? retry_after : rest);
}

bool backoff_timed_out(struct backoff *backoff, time_ms now, time_ms sent_at)
{
    if (backoff->answered_at >= sent_at && backoff->failures == 0) {
        return false;
    }
    backoff_failed(backoff, now, sent_at, 0);
    return true;
}
