/* What may be remembered.  Kinds and field names are forever: add, never
 * change; an old journal must always replay.
 *
 * One flat struct serves every kind; the tables in record.c say, once, which
 * fields a kind has, and record <-> JSON is expanded from them.  A field that
 * a kind does not list is not written.  Pointers are lent for the duration of
 * a core_step()/core_apply() or of encoding, and are never kept. */
#ifndef STATE_RECORD_H
#define STATE_RECORD_H

#include "policies/judge.h"

#include <jansson.h>

#define RECORD_TEXT_MAX   1024         /* a sentence for people */
#define RECORD_CODE_MAX   48           /* a reason's stable word */
#define RECORD_KEY_MAX    200          /* idempotency key */
#define RECORD_DIGEST_MAX 65           /* SHA-256, hex */
#define RECORD_BYTES_MAX  (512 * 1024) /* one record as JSON */

#define RECORD_KINDS(X)                                                        \
    X(1, STARTED, "started")       /* a controller opened the journal */       \
    X(2, POLICY_SET, "policy_set") /* body: its source text */                 \
    X(3, POLICY_REMOVED, "policy_removed")                                     \
    X(4, REGISTERED, "registered")                                             \
    X(5, OBSERVED, "observed") /* only when what is live changed */            \
    X(6, BASELINE, "baseline") /* frozen values of the time before */          \
    X(7, PROGRESS, "progress") /* watch clock and counts, every 5 min */       \
    X(8, VERDICT, "verdict")   /* leaf or path changed; with explanation */    \
    X(9, RELEASE_MOVED, "release_moved") /* state and grade */                 \
    X(10, INCIDENT_OPENED, "incident_opened")                                  \
    X(11, INCIDENT_CLOSED, "incident_closed")                                  \
    X(12, ROLLBACK_PROPOSED, "rollback_proposed")                              \
    X(13, ROLLBACK_MOVED, "rollback_moved") /* intended: + freeze and taint */ \
    X(14, FROZEN, "frozen")                                                    \
    X(15, THAWED, "thawed")                                                    \
    X(16, TAINTED, "tainted")                                                  \
    X(17, COMMANDED, "commanded") /* a person or pipeline asked */             \
    X(18, NOTICE, "notice")       /* to be told; done when NOTICE_DONE */      \
    X(19, NOTICE_DONE, "notice_done")                                          \
    X(20, ACTION, "action") /* `run:` of a leaf */                             \
    X(21, ACTION_DONE, "action_done")                                          \
    X(22, SOURCE_LOST, "source_lost")                                          \
    X(23, SOURCE_BACK, "source_back")                                          \
    X(24, CLOCK_SET, "clock_set")                                              \
    X(25, STOP_FILE, "stop_file") /* the kill switch came or went */           \
    X(26, BLIND, "blind")                                                      \
    X(27, ANNOUNCED, "announced") /* gate --intent: a newer deploy comes */    \
    X(28, MUTED, "muted") /* a person: no rollback by this leaf for a while */ \
    X(29, POLICY_BROKEN, "policy_broken") /* files that cannot be used; or     \
                                             none any more */

enum record_kind {
    RECORD_NONE,
#define X(number, name, text) RECORD_##name = number,
    RECORD_KINDS(X)
#undef X
};

/* States and grades are written as their names. */
#define RELEASE_STATES(X)                                                      \
    X(CANDIDATE, "candidate")                                                  \
    X(CANARY, "canary")                                                        \
    X(WATCHING, "watching")                                                    \
    X(GOOD, "good")                                                            \
    X(SUSPECT, "suspect")                                                      \
    X(REVERTING, "reverting")                                                  \
    X(REVERTED, "reverted")                                                    \
    X(HELD, "held")                                                            \
    X(SUPERSEDED, "superseded")                                                \
    X(UNWATCHED, "unwatched")
enum release_state {
#define X(name, text) RELEASE_##name,
    RELEASE_STATES(X)
#undef X
};

#define GRADES(X)                                                              \
    X(NONE, "none")                                                            \
    X(PROVISIONAL, "provisional")                                              \
    X(GOOD, "good")                                                            \
    X(TAINTED, "tainted")
enum grade {
#define X(name, text) GRADE_##name,
    GRADES(X)
#undef X
};

#define ORIGINS(X)                                                             \
    X(REGISTERED, "registered")                                                \
    X(DISCOVERED, "discovered")                                                \
    X(ADOPTED, "adopted")
enum origin {
#define X(name, text) ORIGIN_##name,
    ORIGINS(X)
#undef X
};

#define ROLLBACK_STATES(X)                                                     \
    X(PROPOSED, "proposed")                                                    \
    X(INTENDED, "intended")                                                    \
    X(REQUESTED, "requested")                                                  \
    X(IN_PROGRESS, "in progress")                                              \
    X(APPLIED, "applied")                                                      \
    X(VERIFYING, "verifying")                                                  \
    X(RECOVERED, "recovered")                                                  \
    X(REFUSED, "refused")                                                      \
    X(CANCELLED, "cancelled")                                                  \
    X(FAILED, "failed")                                                        \
    X(NOT_RECOVERED, "not recovered")                                          \
    X(UNVERIFIED, "unverified")
enum rollback_state {
#define X(name, text) ROLLBACK_##name,
    ROLLBACK_STATES(X)
#undef X
};

const char *record_kind_name(enum record_kind kind);
const char *release_state_name(enum release_state state);
const char *grade_name(enum grade grade);
const char *origin_name(enum origin origin);
const char *rollback_state_name(enum rollback_state state);

struct record {
    /* Every record.  The core numbers records from 1 without a gap. */
    uint64_t sequence;
    uint32_t epoch;
    time_ms at;
    enum record_kind kind;

    /* What it is about.  A thing's id is the sequence of the record that made
     * it (REGISTERED, INCIDENT_OPENED, ROLLBACK_PROPOSED, FROZEN, NOTICE,
     * ACTION); 0: none. */
    uint64_t release, incident, rollback, freeze, notice;
    char service[NAME_MAX_BYTES + 1];
    char environment[NAME_MAX_BYTES + 1];
    char version[NAME_MAX_BYTES + 1];
    char target_version[NAME_MAX_BYTES + 1];
    uint64_t target_release;

    /* Registration. */
    enum origin origin;
    time_ms deployed_at;
    char previous[NAME_MAX_BYTES + 1];
    char release_kind[NAME_MAX_BYTES + 1];
    char data_change[16];
    char compatible_from[NAME_MAX_BYTES + 1];
    struct label labels[LABELS_MAX];
    uint8_t labels_count;
    char key[RECORD_KEY_MAX];           /* idempotency key, may be empty */
    char key_digest[RECORD_DIGEST_MAX]; /* of the body sent with it */

    /* Judgement. */
    char name[NAME_MAX_BYTES + 1];  /* policy, sink, action, source, command */
    char digest[RECORD_DIGEST_MAX]; /* policy */
    time_ms grid;                   /* the look's grid time */
    uint16_t leaf;
    char verdict_kind[16]; /* leaf_kind_name() */
    enum answer root;
    bool unsure;
    uint8_t steps;
    struct step path[POLICY_DEPTH_MAX];
    struct value frozen[POLICY_FROZEN_MAX];
    uint8_t frozens;
    time_ms healthy; /* watch clock so far */
    uint64_t looks, known_looks;
    double requests;

    /* Moves. */
    enum release_state state;
    enum grade grade;
    enum rollback_state rollback_state;
    enum mode mode;
    time_ms countdown;
    time_ms until;                /* a freeze's end, an announcement's */
    bool complete, delivered, on; /* observed; notice, action; stop file */
    time_ms difference;           /* clock set */
    char code[RECORD_CODE_MAX];   /* reason, stable word */
    char by[NAME_MAX_BYTES + 1];  /* principal, never a credential */
    char text[RECORD_TEXT_MAX];   /* the sentence for people */

    char windows[RECORD_DIGEST_MAX]; /* SHA-256 of what a verdict was judged
                                        from (windows.h), kept beside it */

    /* Lent.  POLICY_SET: @body is the source text and @policy its compiled
     * form (when applying).  VERDICT: policy, verdict and facts are there when
     * encoding; reading back gives the explanation's JSON as @body.  @judge and
     * @row are there after a look: what the verdict was judged from. */
    const char *body;
    size_t body_length;
    const struct policy *policy;
    const struct verdict *verdict;
    const struct facts *facts;
    const struct judge *judge;
    const struct sample *row;
};

/* All zero, with @kind. */
void record_init(struct record *record, enum record_kind kind);

/* One line of compact JSON: {"sequence":..,"epoch":..,"at":"..","kind":"..",
 * ...the kind's fields}.  What is empty (0, "", no list) is left out;
 * enumerations and flags are always written.  Moments are RFC 3339 or "never",
 * spans whole milliseconds; bytes that are not UTF-8 become '?'.  Returned
 * text is malloc'd, owned by the caller; *ret_length without the NUL.
 * Deterministic. */
char *record_to_json(const struct record *record, size_t *ret_length);

/* The opposite; what is not there is empty.  False with a sentence in
 * @ret_error for anything that this version cannot read completely.  That
 * includes a field or kind it does not know, which only a newer lastgood can
 * have written: half of what was remembered could be the wrong half, so an
 * older binary must not go on with a newer one's journal.  On success
 * @record->body points into memory owned by @ret_body (free it; NULL when the
 * kind has none, and on failure).  @record is set on success only. */
bool record_from_json(const char *json, size_t length, struct record *record,
                      char **ret_body, char *ret_error, size_t error_size);

#endif
