/* What the core asks the world to do, after its records are remembered. */
#ifndef CORE_EFFECT_H
#define CORE_EFFECT_H

#include "controller/core/input.h"

enum effect_kind {
    EFFECT_ANSWER,         /* to INPUT_REGISTER or INPUT_COMMAND */
    EFFECT_QUERY,          /* ask source for query at g -> INPUT_SAMPLES */
    EFFECT_HISTORY,        /* rows from..to for a release -> INPUT_HISTORY */
    EFFECT_OBSERVE,        /* what is live -> INPUT_TARGET */
    EFFECT_HAS,            /* is the target version still there */
    EFFECT_REVERT,         /* -> INPUT_TARGET */
    EFFECT_NOTIFY,         /* -> INPUT_NOTICE_DONE */
    EFFECT_RUN,            /* an action by name -> INPUT_ACTION_DONE */
    EFFECT_POLICY_RELEASED /* nobody reads this block any more: free it */
};

/* Outcome of a request, for the door to spell as exit code and HTTP status. */
enum outcome {
    OUTCOME_DONE,
    OUTCOME_ALREADY,   /* the same key and body, or already so */
    OUTCOME_UNWATCHED, /* recorded, but nobody watches it */
    OUTCOME_INVALID,   /* the request is wrong: 400 */
    OUTCOME_NOT_FOUND, /* 404 */
    OUTCOME_CONFLICT,  /* same key, other body; not in this state: 409 */
    OUTCOME_REFUSED,   /* an interlock or a rule says no: 422 */
    OUTCOME_FULL       /* a limit is reached: 503 */
};

struct effect {
    enum effect_kind kind;
    struct effect_id id;
    uint64_t needs;   /* not before this sequence is durable; 0: at once */
    time_ms deadline; /* the core gives up waiting then (it has the timer) */
    uint16_t service; /* index of the service: view_service() */
    union {
        struct {
            uint64_t reply;
            enum outcome outcome;
            char code[RECORD_CODE_MAX];
            char text[RECORD_TEXT_MAX];
            uint64_t release, incident, rollback, freeze;
        } answer;
        struct {
            uint32_t query; /* view_query(), view_series() */
            time_ms g;
        } query;
        struct {
            uint64_t release;
            const struct policy *policy; /* held until the answer */
            time_ms from, to, every;     /* both ends included */
        } history;
        struct {
            char suspect[NAME_MAX_BYTES + 1]; /* REVERT: expected live */
            char target[NAME_MAX_BYTES + 1];  /* REVERT, HAS */
            char key[64]; /* idempotency, same for retries */
            uint64_t rollback;
            bool urgent; /* a revert leaves, or waits for the answer */
        } target;
        struct {
            uint64_t notice;
            char sink[NAME_MAX_BYTES + 1];
            char version[NAME_MAX_BYTES + 1]; /* "": the release's */
            char what[RECORD_CODE_MAX]; /* page, hold, rollback, recovered, ...
                                         */
            char text[RECORD_TEXT_MAX];
            uint64_t release, incident;
        } notify;
        struct {
            uint64_t action;
            char name[NAME_MAX_BYTES + 1];
        } run;
        struct policy *policy;
    };
};

/* How much of an effect its kind uses, from its beginning: an answer has a
 * kilobyte of text, a query two numbers, and of queries there is one for each
 * look. */
size_t effect_bytes(enum effect_kind kind);

#endif
