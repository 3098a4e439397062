/* A watch: one release, looked at on the grid by its policy.
 *
 * A service has at most one: of its live release, or, while a rollback is
 * verified, of the version that it put live.  All of it is working memory: a
 * restart builds it anew from the ledger and refills it from the sources. */
#ifndef CORE_WATCH_H
#define CORE_WATCH_H

#include "controller/core/query.h"
#include "controller/core/release.h"

#define UNKNOWNS_TEXT_MAX 256
#define VALUES_TEXT_MAX   512

struct watch {
    bool on;
    uint16_t rule; /* read by it */
    uint64_t release;
    uint64_t rollback; /* that it verifies, 0 */
    time_ms since;     /* the judge's deployed_at */

    /* Which answers it waits for. */
    time_ms g;                          /* the next grid time to judge */
    uint32_t missing;                   /* queries not answered for g */
    uint32_t queries;                   /* subscriptions in use */
    time_ms patience;                   /* the longest of theirs */
    uint32_t *series;                   /* of each signal, in the arena */
    struct subscription *subscriptions; /* likewise, as many */

    /* History. */
    uint32_t asking;    /* pending effect's counter, 0 */
    bool asks_baseline; /* what it is */
    bool learned, refill;
    time_ms baseline_tried, refill_tried; /* at which g */

    /* The last look. */
    time_ms judged; /* 0: none */
    uint16_t leaf;
    enum answer root;
    bool unsure;
    uint32_t breaching;     /* signals in which the trouble is seen, bits */
    uint32_t own;           /* how many of those nobody else reads */
    enum answer known_root; /* the last one that was known, or UNKNOWN */
    time_ms unknown_since, quiet_since; /* 0: not so */

    /* The watch clock, ahead of the records. */
    time_ms healthy, progress_at;
    uint64_t looks, known_looks;
    double requests;

    struct judge *judge;  /* in the arena of judges */
    const char *unknowns; /* "errors (no data), pool (stale)" */
    const char *values;   /* "error_rate 8.7% > 5% for 2m", in trouble */
    struct timer look, act, account;
};

struct watch *watch_of(const struct core *core, const struct service *service);

/* Make the service's watch what the ledger says it should be: start, stop, or
 * begin anew under another policy.  Returns whether it changed. */
bool watch_reconcile(struct core *core, struct service *service);

/* Stop it; nothing when it is not on. */
void watch_stop(struct core *core, struct service *service);

/* TIMER_LOOK */
void watch_due(struct core *core, struct service *service);

/* A query of the watch that owns @subscription was answered for @g. */
void watch_answered(struct core *core, uint32_t subscription, time_ms g);

/* The judge's memory; begin it anew, with what was frozen once. */
struct judge *watch_judge(const struct core *core,
                          const struct service *service);
void watch_judge_begin(struct core *core, const struct service *service);

/* Look when every answer is there, at the latest when patience ends. */
void watch_arm(struct core *core, struct watch *watch);

/* history.c: ask for what is not known of the time before the deploy, or of
 * the time that was missed; once for each grid time.  True when asked. */
bool watch_ask_baseline(struct core *core, struct service *service);
bool watch_ask_refill(struct core *core, struct service *service);

/* The answer to EFFECT_HISTORY; @history NULL: none came, or an error. */
void watch_history(struct core *core, struct service *service,
                   const struct history *history);

/* The clock was set: begin at the grid anew, with a refill. */
void watch_restart_clock(struct core *core, struct service *service);

/* The facts of a release that a policy asks, in core->facts; whether it is
 * safe to go back and whether it is stuck only then. */
const struct facts *watch_facts(struct core *core,
                                const struct release *release,
                                const struct policy *policy, time_ms since,
                                time_ms g);

/* The texts among the facts, which select series. */
void watch_texts(const struct core *core, const struct release *release,
                 const struct policy *policy, struct facts *ret_facts);

/* Not complete within the target's deadline. */
bool watch_is_stuck(const struct core *core, const struct release *release,
                    time_ms at);

/* look.c: what a verdict means. */
void look_taken(struct core *core, struct service *service, time_ms g);

/* While a deploy settles the tree may answer, but nobody judges by it: what a
 * look at most `settle` after the deploy counts as. */
void look_disbelieve(const struct policy *policy, struct verdict *verdict);

/* account.c, TIMER_ACCOUNT: clock, grade, blindness, quiet. */
bool account_is_due(const struct core *core, const struct service *service);
void account_due(struct core *core, struct service *service);

/* Count one look into the watch clock; @g was judged into core->verdict. */
void account_look(struct core *core, struct service *service, time_ms g);

#endif
