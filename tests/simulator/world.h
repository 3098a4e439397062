/* A world: one controller (the real core and driver) between fakes of time,
 * disk and network, and everybody who may make its life hard.
 *
 * It has two phases.  In the storm things go wrong as the plan says; then all
 * peers work again, and it runs on until it is quiet.  Checkers (check.h)
 * stand beside it and see what became durable, what left, what targets did. */
#ifndef SIMULATOR_WORLD_H
#define SIMULATOR_WORLD_H

#include "controller/config/config.h"
#include "controller/runtime/driver.h"
#include "tests/simulator/check.h"
#include "tests/simulator/fake_loop.h"
#include "tests/simulator/plan.h"

#define WORLD_EVENTS_MAX   512
#define WORLD_HISTORY_MAX  64
#define WORLD_REQUESTS_MAX 128
#define WORLD_FILES_MAX    PLAN_SERVICES_MAX

struct world;

/* Something that will happen. */
struct event {
    time_ms at;
    uint64_t order;
    uint32_t life; /* of the controller that waits for it; 0: nobody */
    void (*happen)(struct world *world, struct event *event);
    uint8_t service;
    enum effect_kind kind;
    struct effect_id id;
    uint64_t number; /* rollback, notice, action, release, query, act */
    time_ms g, from, to, every;
    const struct policy *policy;
    enum target_result result;
    bool flag;
    char version[PLAN_NAME_MAX], target[PLAN_NAME_MAX];
    char key[64];
};

/* What a deployment API does with the calls of one service. */
enum target_mood {
    TARGET_WORKS,
    TARGET_FAILS,    /* nothing happens, and it says so unclearly */
    TARGET_LOSES,    /* it happens, the answer is lost */
    TARGET_HANGS,    /* nothing happens, no answer */
    TARGET_IS_LATE,  /* no answer in time, and it happens long after */
    TARGET_REJECTS,  /* reverts only */
    TARGET_RACES,    /* likewise: "live is not what you think" */
    TARGET_LIES,     /* says yes and forgets */
    TARGET_IS_BLIND, /* does not say what is live */
    TARGET_IS_CRAZY, /* names what is no version */
    TARGET_STALLS,   /* what it puts live is never complete */
    TARGET_IS_EMPTY  /* has no old versions any more */
};
#define TARGET_MOODS 12

struct service_world {
    char live[PLAN_NAME_MAX];
    time_ms live_since, complete_at;
    char coming[PLAN_NAME_MAX];
    time_ms comes_at, ready_at;
    struct {
        time_ms from;
        char version[PLAN_NAME_MAX];
    } history[WORLD_HISTORY_MAX]; /* of what was live */
    size_t history_count;
    enum target_mood mood;
    time_ms mood_until;
    char keys[16][64]; /* carried out */
    size_t keys_count;
    time_ms trouble_from, trouble_until; /* not of a release */
    uint8_t next_version;
};

enum source_mood {
    SOURCE_WORKS,
    SOURCE_IS_DOWN,
    SOURCE_HAS_GAPS, /* answers without the series */
    SOURCE_SAYS_NAN,
    SOURCE_IS_LATE, /* answers after the time-out, out of order */
    SOURCE_IS_IDLE, /* no requests at all */
    SOURCE_FORGETS, /* the past cannot be asked */
    SOURCE_FLICKERS /* now this, now that */
};
#define SOURCE_MOODS 8
struct source_world {
    enum source_mood mood;
    time_ms mood_until;
};

enum disk_mood {
    DISK_WORKS,
    DISK_IS_SLOW,
    DISK_IS_FULL,    /* appends fail */
    DISK_IS_UNCLEAR, /* the commit is durable, but reported as failed */
    DISK_HANGS,
    DISK_IS_LOST, /* corrupt, as far as the thread can see: the process ends */
    DISK_IS_DEAD  /* appends fail, and the reserve, too */
};
#define DISK_MOODS 7

struct world_disk {
    struct store store;   /* what recovery reads; first */
    struct store *memory; /* the journal itself */
    struct store_thread *thread;
    enum disk_mood mood;
    time_ms mood_until;
    uint64_t durable;
};

/* A request at the door: it waits for its answer, or for its turn. */
struct request {
    uint64_t reply; /* 0: free */
    uint32_t life;  /* of the controller that has it; 0: none yet */
    uint32_t tries;
    bool is_register;
    enum command_kind kind;
    uint8_t service;
    char reason[32]; /* one of a kind: found again in the journal */
    char version[PLAN_NAME_MAX], previous[PLAN_NAME_MAX];
    char key[32], digest[8];
    const char *data_change;
    time_ms deployed_at, span;
};

/* A file in the policies' folder. */
struct policy_file_world {
    bool present, broken;
    struct policy_plan plan;
};

struct world {
    struct plan plan;
    struct dice dice; /* of the world's own course */
    struct check *check;

    /* The controller. */
    struct fake_loop loop;
    struct driver *driver; /* NULL: it is down */
    uint32_t life;         /* counts starts */
    bool is_dead;          /* killed: nothing that it does matters */
    bool is_stopped;       /* everything of it is closed */
    bool is_calm;          /* nothing goes wrong any more */
    time_ms starts_at;     /* while it is down */
    struct config config;
    struct source_config sources_config[PLAN_SOURCES_MAX];
    struct target_config targets_config[PLAN_TARGETS_MAX];
    struct service_config services_config[PLAN_SERVICES_MAX];
    struct notice_config notices_config[2];
    struct action_config actions_config[1];
    struct source_option source_options[PLAN_SOURCES_MAX];
    struct target_option target_options[PLAN_TARGETS_MAX];
    struct service_option service_options[PLAN_SERVICES_MAX];
    struct source_adapter source_adapters[PLAN_SOURCES_MAX];
    struct target_adapter target_adapters[PLAN_TARGETS_MAX];
    struct notice_adapter notice_adapters[2], action_adapters[1];

    /* The rest of the world. */
    struct world_disk disk;
    struct service_world services[PLAN_SERVICES_MAX];
    struct source_world sources[PLAN_SOURCES_MAX];
    struct policy_file_world files[WORLD_FILES_MAX];
    uint64_t files_version; /* of the folder */
    bool stop_stands;
    time_ms sinks_hang_until;
    struct request requests[WORLD_REQUESTS_MAX];
    uint64_t replies;

    uint32_t moments[MOMENT_STARTED + 1]; /* so many so far */
    struct event events[WORLD_EVENTS_MAX];
    size_t events_count;
    uint64_t order;
    uint64_t steps;
};

/* The one that runs: link-time fakes are not told which it is. */
struct world *world_current(void);

/* A whole world from its plan; the checkers end the program when they find
 * something. */
void world_live(struct world *world, const struct plan *plan);

/* world.c */
struct event *world_event(struct world *world, time_ms delay,
                          void (*happen)(struct world *, struct event *));
void world_kill(struct world *world, const char *why);
bool world_is_mine(const struct world *world, const struct event *event);
uint8_t world_place(const struct world *world, uint16_t service);
void world_moment(struct world *world, enum moment moment);

/* world_acts.c */
void world_act(struct world *world, const struct act *act);

/* requests.c: somebody asks; again, when there was no answer. */
struct request *request_new(struct world *world, uint8_t service);
void request_send(struct world *world, struct request *request);
void requests_lost(struct world *world);
bool requests_are_over(const struct world *world);
void request_answered(void *data, const struct effect *effect);

/* world_config.c */
void world_configure(struct world *world);

/* fake_target.c */
struct target_adapter *fake_target(struct driver *driver, uint16_t index);
void fake_target_begin(struct world *world);
void fake_target_roll_on(struct world *world, uint8_t service);
void fake_target_deploy(struct world *world, uint8_t service,
                        const char *version, time_ms rollout);
const char *fake_target_live_at(const struct world *world, uint8_t service,
                                time_ms boot, time_ms *ret_since);

/* fake_source.c, fake_sink.c */
struct source_adapter *fake_source(struct driver *driver, uint16_t index);
struct notice_adapter *fake_notice(struct driver *driver, uint16_t index);
struct notice_adapter *fake_action(struct driver *driver, uint16_t index);

/* fake_disk.c */
void fake_disk_begin(struct world *world);
void fake_disk_end(struct world *world);
void fake_disk_heal(struct world *world);
/* The controller was killed: what was on its way to the disk arrives whole, or
 * not at all. */
void fake_disk_killed(struct world *world);

/* fake_readers.c: what was read in the world before is forgotten. */
void fake_readers_begin(void);

/* story.c: "02:31.250 target     ..." when somebody listens. */
void story_listen(bool listen);
bool story_is_heard(void);
void story(const char *who, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
