/* What a world is made of, and what will happen in it: worked out from the
 * seed before it begins, so that parts of it can be left out (shrinking)
 * without changing the rest. */
#ifndef SIMULATOR_PLAN_H
#define SIMULATOR_PLAN_H

#include "policies/policy.h"
#include "tests/simulator/dice.h"

#define PLAN_SERVICES_MAX 4
#define PLAN_VERSIONS     10 /* "1.0" .. "1.9" */
#define PLAN_TARGETS_MAX  2
#define PLAN_SOURCES_MAX  2
#define PLAN_ACTS_MAX     64
#define PLAN_NAME_MAX     12

/* Everything that somebody may do, or that may go wrong. */
#define ACTS(X)                                                                \
    X(DEPLOY, "deploys and registers")                                         \
    X(DEPLOY_SILENT, "deploys and tells nobody")                               \
    X(REGISTER, "registers something odd")                                     \
    X(TARGET, "a deployment API misbehaves")                                   \
    X(SOURCE, "a source misbehaves")                                           \
    X(TROUBLE, "something outside the releases hurts users")                   \
    X(DISK, "the disk misbehaves")                                             \
    X(SINK, "a sink misbehaves")                                               \
    X(CRASH, "the controller is killed")                                       \
    X(CLOCK, "the wall clock jumps")                                           \
    X(STOP, "the STOP file comes or goes")                                     \
    X(POLICY, "a policy changes, breaks or goes")                              \
    X(ORDER, "somebody orders something")                                      \
    X(GATE, "a pipeline asks the gate")
enum act_kind {
#define X(name, text) ACT_##name,
    ACTS(X)
#undef X
};

/* When: at a time, or right after the n-th such thing. */
#define MOMENTS(X)                                                             \
    X(TIME, "at a time")                                                       \
    X(STEP, "after a step, before its effects")                                \
    X(EFFECT, "before an effect")                                              \
    X(COMMITTED, "after a commit, before its news")                            \
    X(VERDICT, "after a verdict that says roll back")                          \
    X(PROPOSED, "after a proposal")                                            \
    X(INTENDED, "after an intent was decided")                                 \
    X(DURABLE, "after an intent became durable")                               \
    X(REVERT, "after a revert was sent")                                       \
    X(APPLIED, "after a target carried a revert out")                          \
    X(VERIFYING, "after a rollback was applied")                               \
    X(STARTED, "after a start")
enum moment {
#define X(name, text) MOMENT_##name,
    MOMENTS(X)
#undef X
};

struct act {
    enum act_kind kind;
    enum moment moment;
    uint32_t nth;  /* of the moment, counted from the begin */
    time_ms delay; /* after it, or after the begin */
    uint8_t service;
    uint64_t dice; /* what it rolls for the rest */
    bool left_out;
};

struct version_plan {
    char name[PLAN_NAME_MAX];
    bool is_bad;
    time_ms onset; /* after it went live */
    const char *data_change;
};

struct service_plan {
    char name[PLAN_NAME_MAX], environment[PLAN_NAME_MAX];
    uint16_t target, source;
    enum mode ceiling;
    struct version_plan versions[PLAN_VERSIONS];
};

struct target_plan {
    time_ms deadline, timeout;
    bool can_check;
    bool compares;     /* refuses what expects another live version */
    bool honours_keys; /* a key is carried out once */
    time_ms latency;   /* of a call at most */
    time_ms rollout;   /* until complete */
};

struct source_plan {
    time_ms lag, timeout;
};

/* A policy by its flavour: what it looks like is in policy_text.c. */
struct policy_plan {
    int service; /* -1: all of them */
    uint8_t flavour;
};

struct plan {
    uint64_t seed;
    size_t services_count, targets_count, sources_count, policies_count;
    struct service_plan services[PLAN_SERVICES_MAX];
    struct target_plan targets[PLAN_TARGETS_MAX];
    struct source_plan sources[PLAN_SOURCES_MAX];
    struct policy_plan policies[PLAN_SERVICES_MAX];
    enum mode ceiling;
    uint32_t per_service, fleet;
    time_ms per_service_window, fleet_window;
    uint32_t shared_services;
    time_ms storm; /* how long things go wrong */
    struct act acts[PLAN_ACTS_MAX];
    size_t acts_count;
};

void plan_make(struct plan *plan, uint64_t seed);

const char *act_text(enum act_kind kind);
const char *moment_text(enum moment moment);

/* The policy's source; @size at least POLICY_PLAN_TEXT_MAX. */
#define POLICY_PLAN_TEXT_MAX 2048
#define FLAVOURS             16
void policy_text_make(const struct plan *plan, const struct policy_plan *policy,
                      char *ret_text, size_t size);

/* What checkers may know of a flavour without reading the text. */
struct flavour {
    enum mode mode, unsure, leaf_mode; /* the lowest counts */
    const char *mode_text;
    const char *unsure_text; /* "" not said: suggest */
    time_ms every, settle, provisional, lasts, verify_for;
    time_ms holds; /* how long the root needs to forget a known answer */
    const char *condition;    /* the root question's */
    const char *root_unknown; /* its branch, "" none */
    const char *inner;        /* a question between, "" none */
    const char *leaf;
    bool goes_back; /* the leaf is a rollback */
};
const struct flavour *flavour_of(uint8_t number);

#endif
