/* A release: one version of one service, put into one environment once.
 *
 *   candidate -> watching -> good            any of them -> superseded
 *   watching -> suspect -> reverting -> reverted
 *   watching -> held -> watching             suspect -> watching (it was not
 * so) reverting -> suspect (the rollback failed) unwatched <-> watching (a
 * policy went or came) superseded -> watching, good (it is live again) */
#ifndef CORE_RELEASE_H
#define CORE_RELEASE_H

#include "controller/core/limits.h"
#include "controller/core/service.h"
#include "state/record.h"

struct release {
    uint64_t id;
    uint16_t service;
    uint16_t rule; /* in the rulebook, while it is not final; NONE_INDEX */
    uint16_t leaf; /* of the last verdict */
    uint16_t muted_leaf; /* NONE_INDEX: all */
    uint8_t steps, frozens, labels_count;
    bool blind, undetermined;
    bool late; /* people were told that it is not live in time */
    enum release_state state;
    enum grade grade;
    enum origin origin;
    time_ms deployed_at, registered_at;
    time_ms since; /* deployed_at, or when a rollback put it live */
    time_ms live_from, live_until; /* 0: not yet */
    time_ms healthy;               /* as of the last record, likewise below */
    uint64_t looks, known_looks;
    double requests;
    uint64_t verdict;      /* its record, 0 */
    uint64_t fired;        /* leaves whose effects were fired: bits, */
    uint64_t fired_in;     /*   in this incident */
    uint64_t suggested_in; /* the incident in which people were asked, 0 */
    bool blamed;           /* by its last verdict */
    uint64_t rollback;     /* the newest about it */
    uint64_t incident;     /* the newest about it */
    uint32_t key_next;     /* keys.c: slot + 1 of the next in its bucket */
    time_ms judged_at;
    time_ms muted_until;        /* 0: never */
    const struct label *labels; /* in the arena, likewise the next ones */
    const struct value *frozen;
    const char *previous, *kind, *compatible_from, *key, *key_digest;
    const char *policy, *verdict_text;
    const char *muted_by, *muted_digest; /* of the policy with that leaf */
    char version[NAME_MAX_BYTES + 1];
    char data_change[16];
    char digest[RECORD_DIGEST_MAX];         /* of that policy */
    char verdict_digest[RECORD_DIGEST_MAX]; /* that made the last verdict */
    char frozen_digest[RECORD_DIGEST_MAX];  /* that the frozen values are of */
    char verdict_kind[16];
    struct step path[POLICY_DEPTH_MAX];
};

struct release *release_find(const struct core *core, uint64_t id);

/* May it change to @next?  The table in release.c. */
bool release_can(const struct release *release, enum release_state next);

/* Move it.  The table must allow it.  Call only from core_apply(). */
void release_move(struct core *core, struct release *release,
                  enum release_state next);

/* Give back what it has in the arena.  Call before it is forgotten. */
void release_drop(struct core *core, struct release *release);

/* Live or to be live: not superseded, not reverted. */
bool release_is_active(const struct release *release);

/* A state in which it is looked at while it is live. */
bool release_is_judged(const struct release *release);

/* Which policy matches it now; forgets or takes as needed. */
void release_bind(struct core *core, struct release *release, uint16_t rule);

/* Record a move: @state, @grade, a stable word and a sentence. */
void release_tell_moved(struct core *core, const struct release *release,
                        enum release_state state, enum grade grade,
                        const char *code, const char *text);

/* Were the effects of @leaf of @policy fired in this incident? */
bool release_has_fired(const struct release *release, uint64_t incident,
                       const struct policy *policy, uint16_t leaf);

/* Records. */
void release_apply_registered(struct core *core, const struct record *record);
void release_apply_moved(struct core *core, const struct record *record);
void release_apply_progress(struct core *core, const struct record *record);
void release_apply_verdict(struct core *core, const struct record *record);
void release_apply_baseline(struct core *core, const struct record *record);
void release_apply_blind(struct core *core, const struct record *record);
void release_apply_tainted(struct core *core, const struct record *record);

#endif
