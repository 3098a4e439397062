/* What the checkers' files share: what the journal says so far, and what was
 * seen outside.  Nobody else includes this. */
#ifndef SIMULATOR_CHECK_INSIDE_H
#define SIMULATOR_CHECK_INSIDE_H

#include "tests/simulator/check.h"

#define SEEN_RELEASES_MAX  160
#define SEEN_ROLLBACKS_MAX 400
#define SEEN_INCIDENTS_MAX 160
#define SEEN_NOTICES_MAX   2048
#define SEEN_FREEZES_MAX   128
#define SEEN_POLICIES_MAX  64
#define SEEN_LOOKS_MAX     4096
#define SEEN_REASONS_MAX   512
#define SEEN_COUNTERS_MAX  32768

struct seen_release {
    uint64_t id;
    uint8_t service;
    char version[PLAN_NAME_MAX];
    enum origin origin;
    enum release_state state;
    enum grade grade;
    time_ms deployed_at;
    bool one_way;
    time_ms moved_at; /* boot */
    /* Its newest verdict. */
    bool goes_back, unsure, blamed;
    enum answer root;
    uint64_t incident;
    int flavour; /* -1: none yet */
    uint16_t leaf;
    /* A person said no: to that leaf of that policy, "" to all. */
    time_ms muted_until;
    uint16_t muted_leaf;
    char digest[RECORD_DIGEST_MAX], muted_digest[RECORD_DIGEST_MAX];
};

struct seen_rollback {
    uint64_t id, incident, release, intended; /* that record, 0 */
    uint8_t service;
    enum rollback_state state;
    bool by_person;
    int flavour;                     /* of its verdict when it was intended */
    time_ms intended_at, applied_at; /* by the journal's clock */
    uint32_t clock_sets;             /* when it was applied, likewise: */
    time_ms offset;                  /* of the wall clock */
    time_ms countdown;
    time_ms acts_at;  /* its countdown's end, 0: none runs */
    bool is_approved; /* since it was refused last */
    char suspect[PLAN_NAME_MAX], target[PLAN_NAME_MAX];
    uint64_t refused;  /* the newest refusal's record */
    uint64_t refusals; /* bits, see check_journal.c */
    /* Outside. */
    char key[64];
    uint32_t calls, effective;
    time_ms effective_at; /* boot */
};

struct seen_incident {
    uint64_t id;
    uint8_t service;
    bool is_closed;
    time_ms blamed_at; /* 0: nobody */
};

struct seen_notice {
    uint64_t id;
    bool is_done, is_delivered;
    uint32_t sent_in; /* life */
    uint32_t reached;
};

struct seen_freeze {
    uint64_t id;
    uint8_t service;
    time_ms until;
    bool is_over;
};

/* One grid time of one service, as it reached the controller. */
struct seen_look {
    uint8_t service;
    time_ms g, boot;
    time_ms offset; /* of the wall clock: after a jump g is another time */
    bool errors_known, requests_known, is_high;
};

struct seen_service {
    /* Journal. */
    char live[PLAN_NAME_MAX];
    time_ms live_since; /* boot */
    bool is_complete;
    char announced[PLAN_NAME_MAX];
    time_ms announced_until;
    uint64_t rollback; /* under way */
    uint64_t spent;    /* the newest that was intended */
    /* Outside. */
    char observed[PLAN_NAME_MAX]; /* in this life */
    time_ms observed_at;          /* boot; 0: not in this life */
    char really[PLAN_NAME_MAX];   /* live there */
    time_ms hurt_at;              /* boot; the past that was asked says so */
    time_ms known_at; /* boot; the newest look at which all was known */
    /* So long somebody may have known how it was, of the version live then. */
    time_ms known_ms[PLAN_VERSIONS];
    time_ms really_since; /* boot */
    time_ms deployed_at;  /* boot; by somebody else */
    /* A verdict that wants a decision, by then (boot); 0: none. */
    time_ms decide_by;
    uint64_t decide_about;
};

struct check {
    const struct plan *plan;
    uint32_t life;
    bool is_alive, is_calm;
    time_ms started_at, calm_at; /* boot */

    /* Journal. */
    uint64_t sequence;
    uint64_t ordered; /* the newest command's record */
    uint32_t epoch, clock_sets;
    bool is_stopped;
    time_ms every_most, holds_most, verify_least; /* of policies so far */
    struct seen_release releases[SEEN_RELEASES_MAX];
    struct seen_rollback rollbacks[SEEN_ROLLBACKS_MAX];
    struct seen_incident incidents[SEEN_INCIDENTS_MAX];
    struct seen_notice notices[SEEN_NOTICES_MAX];
    struct seen_freeze freezes[SEEN_FREEZES_MAX];
    size_t releases_count, rollbacks_count, incidents_count, notices_count,
        freezes_count, policies_count;
    struct {
        char digest[RECORD_DIGEST_MAX];
        int flavour;
    } policies[SEEN_POLICIES_MAX];
    uint8_t reasons[SEEN_REASONS_MAX]; /* of durable commands: kind + 1 */
    uint64_t keys[SEEN_REASONS_MAX];   /* key-N: its release */

    /* Outside. */
    struct seen_service services[PLAN_SERVICES_MAX];
    struct seen_look looks[SEEN_LOOKS_MAX]; /* a ring */
    size_t looks_count;
    bool stop_stands;
    time_ms stop_since;                      /* boot */
    uint8_t counters[SEEN_COUNTERS_MAX / 8]; /* of calls in this epoch */
    uint64_t reverts;                        /* ids of all */
};

struct seen_release *seen_release(struct check *check, uint64_t id);
struct seen_rollback *seen_rollback(struct check *check, uint64_t id);
struct seen_incident *seen_incident(struct check *check, uint64_t id);
struct seen_notice *seen_notice(struct check *check, uint64_t id);

/* "1.3" is number 3; what is no version counts as the first. */
size_t seen_version(const char *version);

/* check_intent.c: everything that a durable intent must be. */
void check_intent(struct check *check, struct seen_rollback *rollback,
                  const struct record *record);

/* Newest first; NULL when there is none that old. */
const struct seen_look *seen_look_back(const struct check *check, size_t back);

/* The mode that was allowed: of the flavour, and all ceilings. */
enum mode check_mode(const struct check *check, uint8_t service, int flavour,
                     bool unsure);

/* check_same.c: two cores know the same. */
void check_same(const struct core *a, const struct core *b);

/* Is it time for a decision that did not come? */
void check_decided(const struct check *check);

#endif
