/* A story: the core in virtual time, with a scripted world around it.
 *
 * The world has services whose deployment API and metrics do what the story
 * says; the harness answers effects, writes what happened as lines, checks the
 * invariants after every step, and at the end replays the journal (through
 * JSON) into a fresh core that must know the same. */
#ifndef STORIES_HELP_STORY_H
#define STORIES_HELP_STORY_H

#include "controller/core/view.h"

#define STORY_SERVICES_MAX 256
#define STORY_LINES_MAX    128
#define STORY_EVENTS_MAX   2048
#define STORY_TEXT_MAX     (512 * 1024)

/* All stories begin here: a whole minute. */
#define STORY_START 1699999200000LL

/* What the deployment API does with a call. */
enum deployer {
    DEPLOYER_WORKS,
    DEPLOYER_FAILS,        /* time-out, 5xx: unclear, nothing happened */
    DEPLOYER_LOSES_ANSWER, /* unclear, but it did happen */
    DEPLOYER_HANGS,        /* never answers */
    DEPLOYER_REJECTS,
    DEPLOYER_RACES,
    DEPLOYER_IGNORES /* says yes and does nothing */
};

/* A service as it really is. */
struct world_service {
    char name[64];
    char live[NAME_MAX_BYTES + 1];
    bool complete;
    char coming[NAME_MAX_BYTES + 1]; /* a rollout under way, "" */
    time_ms comes_at, ready_at;      /* live then; complete then */
    enum deployer observe, revert, has;
    time_ms rollout;  /* how long a revert takes until complete */
    time_ms takes;    /* a call, until its answer arrives; 0: 50 ms */
    bool reads_first; /* what is live is read when asked, not when answered */
    bool target_gone;
    bool strict;  /* it compares and swaps, and knows its keys */
    char key[64]; /* of the last revert */
    int reverts;  /* that were carried out */
};

/* A metric from a moment on, until a later line of the same; of every service
 * when @service is "*". */
struct world_line {
    char query[32], service[64];
    time_ms from;
    double value;
    enum unknown unknown; /* KNOWN: the value */
};

struct story {
    struct core *core;
    struct core_options options;
    struct service_option services[STORY_SERVICES_MAX];
    struct source_option source;
    struct target_option target;
    struct decision *decision;
    time_ms now;

    struct world_service world[STORY_SERVICES_MAX];
    size_t world_count;
    struct world_line lines[STORY_LINES_MAX];
    size_t lines_count;
    time_ms source_down_from, source_down_until;
    bool history_fails;
    bool source_hangs;    /* no answer at all */
    bool sinks_hang;      /* notices and actions are never confirmed */
    const char *crash_at; /* a transcript line that kills the controller */
    size_t kill_at;       /* this step is the last; 0: none */
    bool loses_last;      /* and its records were not durable */
    bool crashed;

    /* Whoever watches the story: what the core does, what the world answers,
     * a revert that changed what is live.  May be NULL. */
    struct model *model;
    void (*on_record)(struct story *story, const struct record *record);
    void (*on_effect)(struct story *story, const struct effect *effect);
    void (*on_answer)(struct story *story, const struct effect *effect,
                      const struct input *input);
    void (*on_revert)(struct story *story, const struct effect *effect);

    struct story_event {
        time_ms at;
        uint64_t order;
        struct effect effect;
        char live[NAME_MAX_BYTES + 1]; /* as read when asked */
        bool complete;
        uint16_t signals; /* of a history's policy, which may go meanwhile */
    } events[STORY_EVENTS_MAX];
    size_t events_count;
    uint64_t order;

    struct effect answer;   /* the last one */
    struct effect observed; /* the last observation asked for */
    struct effect reverted; /* the last revert asked for */
    struct effect notified; /* the last notice sent */
    char **journal;         /* JSON, one record each */
    size_t *journal_lengths;
    size_t journal_count, journal_max;
    size_t steps;
    size_t queries; /* asked */
    char transcript[STORY_TEXT_MAX];
};

/* Two services are "shop" and "cart" in prod; options may be changed before
 * story_start(). */
struct story *story_new(const char *const *services, size_t count);
void story_start(struct story *story);

/* Replays the journal into a fresh core, which must know the same. */
void story_compare(struct story *story);
/* Compares, frees. */
void story_end(struct story *story);

/* The usual beginning: the shop's 1.0 is known to be good, 1.1 is deployed,
 * registered and watched for five healthy minutes.  The transcript is empty. */
struct story *story_deployed(void);
/* The same up to the deploy: 1.0 is live for five minutes. */
struct story *story_settled(void);
/* Users of the shop are hurt from now on, or no more. */
void story_hurt(struct story *story, bool hurt);

/* Time. */
void story_run(struct story *story, time_ms span);
void story_run_until(struct story *story, const char *line, time_ms at_most);

/* The world. */
struct world_service *story_world(struct story *story, const char *service);
void story_deploy(struct story *story, const char *service, const char *version,
                  time_ms rollout);
void story_metric(struct story *story, const char *query, const char *service,
                  double value);
void story_metric_at(struct story *story, const char *query,
                     const char *service, time_ms from, double value);
void story_metric_unknown(struct story *story, const char *query,
                          const char *service, enum unknown unknown);

/* The doors. */
void story_policy(struct story *story, const char *yaml);
void story_policy_removed(struct story *story, const char *name);
void story_register(struct story *story, const char *service,
                    const char *version);
void story_registration(struct story *story,
                        const struct registration *registration);
void story_command(struct story *story, struct command command);
void story_adopt(struct story *story, const char *service, const char *version);
/* Adopt a version that was live an hour ago: the ledger is told of it first. */
void story_adopt_older(struct story *story, const char *service,
                       const char *version);
void story_stop_file(struct story *story, bool stop);
void story_clock_set(struct story *story, time_ms difference);

/* Any input, now, as a shell might give it. */
void story_input(struct story *story, struct input *input);

/* Kill -9 now, and start again @later; what was on the wire is lost. */
void story_crash(struct story *story);
void story_restart(struct story *story, time_ms later);

/* Would a fresh start with the options as they are now lack a limit? */
bool story_lacks(const struct story *story, const char *limit);

/* Crash right after the record whose line contains @line; story_run then
 * returns and story_restart() goes on. */
void story_crash_at(struct story *story, const char *line);

/* What happened since the last call, exactly. */
void story_expect(struct story *story, const char *transcript);
/* What happened since the last call is of no interest. */
void story_skip(struct story *story);
/* Among what happened since: so many lines that contain @text. */
size_t story_count(const struct story *story, const char *text);

struct release_view story_release(const struct story *story,
                                  const char *service, const char *version);
struct service_view story_service(const struct story *story,
                                  const char *service);
struct gate_view story_gate(const struct story *story, const char *service,
                            const char *version);

/* The incident's tree on two signals, errors and requests, for any service. */
#define STORY_POLICY_YAML                                                      \
    "policy: shop\n"                                                           \
    "mode: auto\n"                                                             \
    "watch: {for: 2h, every: 15s, settle: 60s, provisional: 30m,\n"            \
    "        needs: {known: 90%, requests: 100}}\n"                            \
    "baseline: 10m\n"                                                          \
    "verify: {within: 10m, for: 1m}\n"                                         \
    "signals:\n"                                                               \
    "  errors:   {prometheus: errors, select: {service: release.service},\n"   \
    "             unit: per_second}\n"                                         \
    "  requests: {prometheus: requests, select: {service: release.service},\n" \
    "             unit: per_second}\n"                                         \
    "  error_rate: {is: errors / requests}\n"                                  \
    "  hurt: {is: error_rate > 5% for 1m}\n"                                   \
    "tree:\n"                                                                  \
    "  question: Are users hurt?\n"                                            \
    "  if: hurt\n"                                                             \
    "  then:\n"                                                                \
    "    question: Is it new with this release?\n"                             \
    "    if: not before(hurt)\n"                                               \
    "    then:\n"                                                              \
    "      question: Is going back safe for the data?\n"                       \
    "      if: release.rollback_safe\n"                                        \
    "      then: {rollback: last_good, notify: [status]}\n"                    \
    "      else: {hold: 'changed data one way', notify: [status]}\n"           \
    "      unknown: then\n"                                                    \
    "    else: {page: '{{service}} was so before {{version}}', blame: none}\n" \
    "    unknown: then\n"                                                      \
    "  else: healthy\n"
extern const char STORY_POLICY[];

#endif
