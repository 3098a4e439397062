/* A rollback: from a leaf, or a person, to proven recovery.
 *
 *   proposed -> intended -> requested -> in progress -> applied -> verifying
 *            -> recovered | not recovered | unverified
 *   proposed -> refused (-> refused again, or intended when it is allowed)
 *   proposed, refused -> cancelled     intended, requested, in progress ->
 * failed
 *
 * INTENDED is one record with the taint and the freeze: the durable reason
 * without which no revert leaves. */
#ifndef CORE_ROLLBACK_H
#define CORE_ROLLBACK_H

#include "controller/core/effect.h"
#include "controller/core/release.h"

/* Why it was refused; each is recorded once per rollback. */
enum refusal {
    REFUSAL_NONE,
    REFUSAL_NO_LAST_GOOD,
    REFUSAL_NO_TARGET,
    REFUSAL_IRREVERSIBLE,
    REFUSAL_NOT_LIVE,
    REFUSAL_UNDER_WAY,
    REFUSAL_PER_SERVICE,
    REFUSAL_FLEET,
    REFUSAL_SHARED_CAUSE,
    REFUSAL_BLIND,
    REFUSAL_PUT_LIVE,
    REFUSAL_ANNOUNCED,
    REFUSAL_STOP,
    REFUSAL_MODE,
    REFUSAL_TARGET_GONE,
    REFUSAL_TARGET_UNCLEAR,
    REFUSAL_MUTED,
    REFUSAL_SHARED_BLAME,
    REFUSAL_LAST
};

struct rollback {
    /* Knowledge. */
    uint64_t id, incident, release, target_release, freeze;
    uint16_t service, leaf; /* leaf NONE_INDEX: a person's */
    uint16_t rule;          /* kept from intended to the end */
    enum rollback_state state;
    enum mode mode;
    time_ms countdown;
    time_ms proposed_at, intended_at, requested_at, applied_at, ended_at;
    time_ms acts_at;           /* its countdown's end, 0: none runs */
    time_ms first_intended_at; /* by the clock of then: part of the key */
    uint64_t intended;         /* that record's sequence */
    uint32_t refusals;         /* bits of enum refusal: recorded */
    bool manual;               /* a person asked */
    bool suggested;            /* people were told how to say yes */
    bool overdue; /* they were told that the leaf did not stand at acts_at */
    char approved_by[NAME_MAX_BYTES + 1]; /* a person said yes, "" */
    char suspect[NAME_MAX_BYTES + 1];
    char target[NAME_MAX_BYTES + 1];
    char digest[RECORD_DIGEST_MAX]; /* of the policy that proposed it */
    char by[NAME_MAX_BYTES + 1];
    char code[RECORD_CODE_MAX];
    char text[RECORD_TEXT_MAX];

    /* Working memory. */
    uint64_t checked;       /* the release that HAS was asked about */
    uint32_t waiting;       /* pending effect's counter, 0 */
    enum effect_kind asked; /* what that is */
    uint32_t attempts;      /* reverts sent */
    uint32_t failures;      /* observations in a row that failed */
    bool looked;            /* what is live was asked since the start */
    bool after_race;        /* the target said raced; one look decides */
    struct timer timer;
    struct timer ends; /* of the countdown */
};

struct rollback *rollback_find(const struct core *core, uint64_t id);

/* From intended to the last state before an end. */
bool rollback_is_under_way(const struct rollback *rollback);

/* It was carried out or tried: no second one without a person. */
bool rollback_is_spent(const struct rollback *rollback);

bool rollback_can(const struct rollback *rollback, enum rollback_state next);

/* Record a move.  The table must allow it. */
struct record *rollback_begin_move(struct core *core,
                                   const struct rollback *rollback,
                                   enum rollback_state next, const char *code,
                                   const char *text);
void rollback_tell_moved(struct core *core, const struct rollback *rollback,
                         enum rollback_state next, const char *code,
                         const char *text);

/* decide.c: a rollback leaf stands (TIMER_ACT), or stands no more. */
void rollback_decide(struct core *core, struct service *service);
void rollback_withdraw(struct core *core, const struct release *release,
                       const char *code, const char *text);

/* Does what asked for it still stand?  Its incident is open, and the policy
 * says so at its last look; a person's order stands by itself. */
bool rollback_stands(const struct core *core, const struct rollback *rollback);

/* Time has passed, or a person said yes: while it stands, everything is asked
 * again. */
void rollback_weigh_again(struct core *core, struct rollback *rollback);

/* Refuse it: recorded and paged once for each reason, and again when people
 * were told that it would leave. */
void rollback_refuse(struct core *core, struct rollback *rollback,
                     enum refusal refusal, const char *text);

/* Tell the people of its leaf. */
void rollback_notify(struct core *core, const struct rollback *rollback,
                     const char *what, const char *text);

/* A person's order: who and why go in; its rollback and, when it is refused,
 * the sentence come out. */
struct order {
    const char *by, *reason;
    uint64_t rollback;
    char text[RECORD_TEXT_MAX];
};
enum refusal rollback_order(struct core *core, const struct release *release,
                            struct order *order);

/* An order that waited when the controller stopped: once it is known what is
 * live, it is weighed again. */
void rollback_order_due(struct core *core, struct rollback *rollback);

/* revert.c: TIMER_ROLLBACK, and the answers to its effects. */
void rollback_due(struct core *core, struct rollback *rollback);
void rollback_answered(struct core *core, struct rollback *rollback,
                       enum effect_kind asked, const struct input *input);
void rollback_resume(struct core *core, struct rollback *rollback);
void revert_answered(struct core *core, struct rollback *rollback,
                     enum effect_kind asked, const struct input *input);

/* verify.c: a look at the version it put live. */
void verify_look(struct core *core, struct service *service, time_ms g);
void verify_due(struct core *core, struct rollback *rollback);

/* End it; escalates unless it recovered. */
void rollback_end(struct core *core, struct rollback *rollback,
                  enum rollback_state end, const char *code, const char *text);

/* Stop waiting for an answer. */
void rollback_stop_waiting(struct core *core, struct rollback *rollback);

/* The clock was set: its moments, which deadlines and budgets count from, move
 * along.  Call only from core_apply(). */
void rollback_shift(struct rollback *rollback, time_ms difference);

/* Records. */
void rollback_apply_proposed(struct core *core, const struct record *record);
void rollback_apply_moved(struct core *core, const struct record *record);

#endif
