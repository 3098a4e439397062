/* What can happen to the core.  One input at a time; every pointer is lent for
 * the duration of core_step(). */
#ifndef CORE_INPUT_H
#define CORE_INPUT_H

#include "state/record.h"

/* (epoch, counter): never reused; epoch counts the starts of the controller. */
struct effect_id {
    uint32_t epoch;
    uint32_t counter;
};

enum input_kind {
    INPUT_TICK,            /* time passed: the oldest deadline is handled */
    INPUT_REGISTER,        /* a pipeline says: this is deployed */
    INPUT_COMMAND,         /* a person or pipeline asks for something */
    INPUT_POLICY_ACCEPTED, /* takes the compiled block */
    INPUT_POLICY_REMOVED,
    INPUT_POLICY_BROKEN, /* files that cannot be used, or none any more */
    INPUT_SAMPLES,       /* answer to a query: fills rows, judges nothing */
    INPUT_HISTORY,       /* answer to EFFECT_HISTORY */
    INPUT_TARGET,        /* answer to OBSERVE, HAS and REVERT */
    INPUT_NOTICE_DONE,   /* delivered, or given up after the shell's retries */
    INPUT_ACTION_DONE,
    INPUT_STORE,     /* it can be written, or not: what goes forward waits */
    INPUT_STOP_FILE, /* the kill switch came or went */
    INPUT_CLOCK_SET, /* the wall clock jumped; `now` is already re-anchored */
    INPUT_STARTED    /* after recovery, once: begin to observe and ask */
};

struct registration {
    const char *service, *environment, *version;
    time_ms deployed_at;  /* 0: now */
    const char *previous; /* NULL: not said; likewise below */
    const char *kind;
    const char *data_change; /* none expand contract irreversible */
    const char *compatible_from;
    const struct label *labels;
    size_t labels_count;
    const char *key;        /* idempotency key */
    const char *key_digest; /* hex SHA-256 of the body */
};

#define COMMANDS(X)                                                            \
    X(ADOPT, "adopt")       /* service environment version reason */           \
    X(HOLD, "hold")         /* release reason */                               \
    X(RESUME, "resume")     /* release reason */                               \
    X(ROLLBACK, "rollback") /* release reason: all interlocks but the mode */  \
    X(FREEZE, "freeze")     /* service environment span reason */              \
    X(THAW, "thaw")         /* service environment reason: all its freezes */  \
    X(OVERRIDE, "override") /* service environment version reason: gate */     \
    X(ANNOUNCE, "announce") /* service environment version: gate --intent */   \
    X(CLOSE, "close")       /* incident reason */                              \
    X(APPROVE, "approve")   /* rollback reason: carry it out now */            \
    X(CANCEL, "cancel")     /* rollback reason: not, and mute its leaf */      \
    X(MUTE, "mute")         /* release span reason: no rollback by a policy */
enum command_kind {
#define X(name, text) COMMAND_##name,
    COMMANDS(X)
#undef X
};

struct command {
    enum command_kind kind;
    uint64_t release, incident, rollback;
    const char *service, *environment, *version; /* NULL where not needed */
    const char *reason;
    time_ms span;
};

enum target_result {
    TARGET_OBSERVED, /* OBSERVE: version, complete; HAS: has */
    TARGET_ACCEPTED, /* REVERT: it said yes (or "already there") */
    TARGET_RACED,    /* REVERT: it refused, live is not what we expected */
    TARGET_REJECTED, /* a refusal that another try cannot change (4xx) */
    TARGET_UNCLEAR   /* time-out, reset, 429, 5xx, garbage: it may or may
                        not have happened; observe before anything else */
};

struct input {
    enum input_kind kind;
    time_ms now;
    uint64_t reply; /* REGISTER, COMMAND: token for EFFECT_ANSWER, 0: none */
    const char *by; /* REGISTER, COMMAND: principal's id */
    union {
        struct registration registration;
        struct command command;
        struct {
            struct policy *block; /* ACCEPTED: taken */
            const char *name;     /* REMOVED */
            const char *broken;   /* BROKEN: what is wrong, "" nothing */
        } policy;
        struct {
            uint32_t query;
            time_ms g;
            const char *error;      /* not NULL: a source error for all */
            const uint32_t *series; /* ids, each at most once */
            const struct sample *samples;
            size_t count;
        } samples;
        struct {
            struct effect_id id;
            const char *error;      /* not NULL: a source error */
            struct history history; /* rows x the policy's signals */
        } history;
        struct {
            struct effect_id id;
            enum target_result result;
            const char *version; /* OBSERVED */
            bool complete, has;
            const char *text; /* status and words, for people */
        } target;
        struct {
            uint64_t id; /* notice or action */
            bool delivered;
            const char *text;
        } done;
        bool stop;
        bool store_is_down;
        time_ms difference;
    };
};

const char *command_name(enum command_kind kind);

#endif
