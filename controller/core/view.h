/* Read-only windows into the core, for doors, adapters and tests.  Pointers
 * live until the next core_step(). */
#ifndef CORE_VIEW_H
#define CORE_VIEW_H

#include "controller/core/core.h"

/* A service in an environment, once something is known of it. */
struct service_view {
    uint16_t index;
    const char *service, *environment;
    uint16_t option;  /* entry of options->services; NONE_INDEX */
    const char *live; /* "" until observed */
    bool complete;
    time_ms observed_at;       /* 0: never */
    const char *observe_error; /* the last failure, "" when it worked */
    uint64_t release;          /* the live version's release, 0 */
    uint64_t incident;         /* the open one, 0 */
    uint64_t rollback;         /* under way, 0 */
};

struct release_view {
    uint64_t id;
    uint16_t service; /* index */
    const char *version, *previous, *kind, *data_change, *compatible_from;
    const char *policy; /* name, "" when unwatched */
    const char *policy_digest;
    enum release_state state;
    enum grade grade;
    enum origin origin;
    time_ms deployed_at, registered_at;
    time_ms healthy, lasts; /* the watch clock, and what it must reach */
    uint64_t looks, known_looks;
    double requests;
    const char *verdict;       /* "healthy" ..., "" before the first look */
    const char *verdict_text;  /* filled-in text of hold or page, what a wait
                                  waits for, or "" */
    time_ms judged_at;         /* newest grid time judged, 0 */
    uint64_t verdict_sequence; /* its record, with the explanation, 0 */
    enum mode mode;            /* effective now, if the leaf were rollback */
    uint64_t incident, rollback;
    enum answer rollback_safe;
    uint64_t last_good;            /* release we would go back to, 0: none */
    const char *last_good_version; /* "" */
    bool blind, stuck;
    time_ms muted_until;  /* no rollback by a policy until then, 0 */
    const char *muted_by; /* "" */
    const struct label *labels;
    size_t labels_count;
};

struct rollback_view {
    uint64_t id, incident, release, target_release;
    uint16_t service;
    const char *suspect, *target;
    enum rollback_state state;
    enum mode mode;
    time_ms countdown;
    time_ms proposed_at, intended_at, requested_at, applied_at,
        ended_at;            /* 0 */
    time_ms acts_at;         /* its countdown's end, 0: none runs */
    const char *approved_by; /* "" */
    const char *code, *text; /* of the last move */
};

struct incident_view {
    uint64_t id, release;
    uint16_t service;
    time_ms opened_at, closed_at; /* 0: open */
    const char *text;
};

/* A notice that was given up: nobody was told @text, because of @why. */
struct undelivered_view {
    uint64_t notice;
    time_ms at;
    uint16_t service; /* index, or NONE_INDEX */
    const char *sink, *what, *text, *why;
};

struct freeze_view {
    uint64_t id, incident;
    const char *service, *environment, *reason, *by;
    time_ms at, until;
};

/* What `gate` answers. */
enum gate { GATE_GO, GATE_REFUSED, GATE_UNKNOWN };
struct gate_view {
    enum gate gate;
    char code[RECORD_CODE_MAX]; /* frozen tainted held full unknown_service ...
                                 */
    char text[RECORD_TEXT_MAX];
    uint64_t freeze, release;
    time_ms until; /* of the freeze, 0 */
};

/* A query as its source must ask it, and the series that select from it. */
struct query_view {
    uint32_t id;
    uint16_t source;  /* index of options->sources */
    uint16_t service; /* index for per_service sources, else NONE */
    enum fetch fetch;
    const char *text, *fresh; /* fresh: "" when none */
    time_ms every, max_age;
};
struct series_view {
    uint32_t id;
    uint8_t selects;
    const char *labels[POLICY_SELECT_MAX];
    const char *values[POLICY_SELECT_MAX];
};

/* An interlock that is on before anything is wrong. */
#define BRAKES_MAX 16
struct brake {
    const char *code;
    char text[RECORD_TEXT_MAX];
};

/* A policy in force. */
struct policy_view {
    const char *name, *digest;
    const char *service, *environment; /* applies_to: exact, "prefix*", "*" */
    enum mode mode;
    uint32_t judges; /* releases that are looked at by it now */
};

/* A source that does not answer. */
struct lost_source_view {
    const char *name, *text; /* the sentence that was recorded */
    time_ms since;
};

/* Each fills @ret_view and answers true, or false when there is no such. */
bool view_service(const struct core *core, uint16_t index,
                  struct service_view *ret_view);
bool view_find_service(const struct core *core, const char *service,
                       const char *environment, struct service_view *ret_view);
bool view_release(const struct core *core, uint64_t id,
                  struct release_view *ret_view);
bool view_rollback(const struct core *core, uint64_t id,
                   struct rollback_view *ret_view);
bool view_incident(const struct core *core, uint64_t id,
                   struct incident_view *ret_view);
bool view_query(const struct core *core, uint32_t id,
                struct query_view *ret_view);

/* Iterate: start with *@cursor 0, true while there is one more.  Releases,
 * incidents, undelivered notices: newest first.  view_series: those of one
 * query. */
bool view_next_service(const struct core *core, size_t *cursor,
                       struct service_view *ret_view);
bool view_next_release(const struct core *core, size_t *cursor,
                       struct release_view *ret_view);
bool view_next_incident(const struct core *core, size_t *cursor,
                        struct incident_view *ret_view);
bool view_next_freeze(const struct core *core, size_t *cursor,
                      struct freeze_view *ret_view);
bool view_next_undelivered(const struct core *core, size_t *cursor,
                           struct undelivered_view *ret_view);
bool view_next_policy(const struct core *core, size_t *cursor,
                      struct policy_view *ret_view);
bool view_next_lost_source(const struct core *core, size_t *cursor,
                           struct lost_source_view *ret_view);
bool view_next_query(const struct core *core, size_t *cursor,
                     struct query_view *ret_view);
bool view_next_series(const struct core *core, uint32_t query, size_t *cursor,
                      struct series_view *ret_view);

/* What would keep a policy from rolling @release back now; how many. */
size_t view_brakes(const struct core *core, uint64_t release,
                   struct brake ret_brakes[BRAKES_MAX]);

/* The newest release of @version in a service, 0 when unknown. */
uint64_t view_find_release(const struct core *core, const char *service,
                           const char *environment, const char *version);

/* What the history of @release needs: for its policy's signal @signal, the
 * query and the series.  False when the release or signal is not there. */
bool view_release_series(const struct core *core, uint64_t release,
                         uint16_t signal, uint32_t *ret_query,
                         uint32_t *ret_series);

/* The newest look of all: what its nodes were, and the facts it was given. Both
 * are of the time 0 before the first. */
const struct verdict *view_verdict(const struct core *core);
const struct facts *view_facts(const struct core *core);

/* May this be deployed?  @version may be NULL. */
void view_gate(const struct core *core, const char *service,
               const char *environment, const char *version, time_ms now,
               struct gate_view *ret_view);

/* The policy in force by name, NULL when none. */
const struct policy *view_policy(const struct core *core, const char *name);

/* Gauges and counters, for /metrics and status. */
struct core_counts {
    uint32_t services, releases, watched, series, queries, policies, freezes;
    uint32_t incidents_open, rollbacks_under_way, notices_pending, blind;
    uint64_t looks, verdicts, rollbacks_by_state[ROLLBACK_UNVERIFIED + 1];
    uint64_t unknown_answers;     /* invariant 3 */
    uint64_t notices_undelivered; /* given up, in all */
    enum mode ceiling;            /* effective: observe while STOP stands */
    bool stopped;
};
void view_counts(const struct core *core, struct core_counts *ret_counts);

#endif
