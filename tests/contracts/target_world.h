/* A deployment API under test: what the suite of the target contract needs
 * from each kind of target.
 *
 * A world is one service in one environment that a strict fake API deploys.
 * The API refuses what a real one would: an unknown version, a live version
 * other than the expected one, a call without its idempotency key, a wrong
 * token.  The same key twice gets the same answer and deploys once. */
#ifndef TESTS_CONTRACTS_TARGET_WORLD_H
#define TESTS_CONTRACTS_TARGET_WORLD_H

#include "tests/unit/notices/help_driver.h"

/* How the API misbehaves, from the next call on. */
enum trouble {
    TROUBLE_NONE,
    TROUBLE_SLOW,     /* the right answer, late but in time */
    TROUBLE_HANG,     /* no answer at all */
    TROUBLE_CLOSE,    /* the connection, without a word */
    TROUBLE_CUT,      /* in the middle of a good answer */
    TROUBLE_CUT_HEAD, /* in the middle of a good answer's head */
    TROUBLE_LARGE,    /* 10 MiB */
    TROUBLE_PAGE,     /* a web page instead of an answer */
    TROUBLE_NAN,      /* an answer that is no answer: NaN for everything */
    TROUBLE_REDIRECT, /* to the right place */
    TROUBLE_ERROR,    /* 500 */
    TROUBLE_DOWN,     /* 503 */
    TROUBLE_BUSY,     /* 429 */
    TROUBLE_LAST
};

struct world;

struct world_kind {
    const char *name;
    /* Live is "2.4.0" and complete; "2.3.2", "2.4.0" and
     * "feature/a+b:c@d" exist. */
    struct world *(*begin)(struct driver *driver);
    void (*end)(struct world *world);

    void (*set_live)(struct world *world, const char *version, bool complete);
    /* @acts: it does what it was asked before it misbehaves. */
    void (*set_trouble)(struct world *world, enum trouble trouble, bool acts);
    /* The target is configured wrongly: no key is sent; no token is. */
    void (*forget_key)(struct world *world);
    void (*forget_token)(struct world *world);

    const char *(*live)(const struct world *world);
    int (*deploys)(const struct world *world); /* that changed what is live */
    const int *(*calls)(const struct world *world); /* of any kind */
};

extern const struct world_kind world_http;

#endif
