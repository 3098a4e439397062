/* The driver's inside: what its modules share.  Nobody else includes this but
 * tests, for a store of their own. */
#ifndef RUNTIME_DRIVER_INSIDE_H
#define RUNTIME_DRIVER_INSIDE_H

#include "controller/runtime/driver.h"
#include "controller/runtime/policy_folder.h"

#include <sys/queue.h>

#define TICKS_PER_TURN 64
/* Effects that may wait for durability; each needs records that wait too. */
#define HELD_MAX STORE_QUEUE_MAX
/* A store's thread that has not breathed for so long hangs in the disk. */
#define STORE_HANGS_MS (30 * SECOND_MS)
/* Notices of the core count from 1. */
#define ALARM_NOTICE 0

/* An effect between the step that asked for it and its adapter. */
struct held_effect {
    TAILQ_ENTRY(held_effect) link;
    struct effect effect;
};
TAILQ_HEAD(held_effects, held_effect);

/* A read of the journal whose answer is outstanding. */
struct pending_read {
    driver_read_done *done; /* NULL: free */
    void *data;
};

/* An answer that came while there was no room for records, with its texts. */
struct kept_answer {
    STAILQ_ENTRY(kept_answer) link;
    time_ms kept_at; /* clock_boot() */
    struct input input;
    char version[NAME_MAX_BYTES + 1];
    char text[RECORD_TEXT_MAX];
};

/* The newest rollback's way from its sample to its revert, while it is walked
 * (revert_clock.c). */
struct revert_clock {
    struct revert_timing at;
    int64_t samples_at;       /* the newest samples of all */
    uint64_t intended;        /* the record that must be durable, 0 */
    struct effect_id observe; /* the question right before the revert */
};

/* The dead-man's switch (heartbeat.c). */
struct heartbeat {
    uv_timer_t timer;
    struct http_request *request; /* under way */
    time_ms sent_at, taken_at;    /* the newest, driver_now(); 0: none yet */
    bool fails;                   /* the newest was not taken */
};

/* A history asked of several sources: their columns become one answer. */
struct merge;
TAILQ_HEAD(merges, merge);

struct driver {
    struct driver_options options;
    struct clock clock;
    struct core *core;
    struct http *http;
    struct store_thread *store;
    struct source_adapter *sources[SOURCES_MAX];
    struct target_adapter *targets[TARGETS_MAX];
    struct notice_adapter *notices[SINKS_MAX];
    struct notice_adapter *actions[ACTIONS_MAX];
    driver_answer *answer;
    void *answer_data;

    /* The loop's part. */
    uv_timer_t deadline;  /* the core's next one */
    uv_timer_t second;    /* STOP file, clock, a folder that must be read */
    uv_prepare_t prepare; /* a turn ends: arm `deadline` or `more` */
    uv_idle_t more;       /* ticks are left over */
    uv_async_t wake;      /* the store's thread has news */
    size_t handles;       /* not yet closed; http counts as one */
    int ticks_left;       /* of this turn */

    /* Records of this turn's steps, not yet handed to the store's thread: what
     * is decided together is committed together. */
    struct entry batch[STORE_GROUP_MAX];
    size_t batched;

    /* Durability. */
    uint64_t durable;
    struct held_effects held;  /* until `needs` is durable, in order */
    struct held_effects ready; /* to be carried out now */
    size_t held_count;
    bool is_carrying_out;
    struct pending_read reads[STORE_READS_MAX];
    bool is_down, is_lost, is_stopping;
    bool no_reserve; /* while down: not even a rollback can be recorded */
    char store_error[512];
    STAILQ_HEAD(, kept_answer) kept;
    struct merges merges;
    uint32_t history_parts; /* asked so far, of all merges */

    struct policy_folder *folder;
    struct problems *said; /* problems of it in the log */
    bool broken_is_untold; /* the core must hear what is wrong, or no more */
    uv_fs_event_t folder_event;
    uv_timer_t folder_soon; /* writers often write twice */
    int folder_in;          /* seconds to the next look without an event */
    bool stop_stands;       /* as the core was told */
    bool stop_is_untold;    /* it is otherwise by now: there was no room */

    time_ms hangs_after;   /* STORE_HANGS_MS */
    time_ms trouble_since; /* clock_boot(), 0: it can do its work */
    time_ms alarmed_at;    /* likewise; 0: never */
    bool told_can_go_back; /* that a rollback leaves all the same */
    time_ms second_at;     /* likewise: the last one */
    time_ms late;          /* of all seconds */

    struct heartbeat heartbeat;

    struct revert_timing timing; /* of the newest revert that was sent */
    struct revert_clock clocked; /* of the one under way */

    struct decision decision; /* work space of a step */
};

/* As driver_new(), with a store that is already open; takes it. */
struct driver *driver_new_on_store(const struct driver_options *options,
                                   struct store *store, char *ret_error,
                                   size_t size);

/* driver.c: count a handle that was closed; the last one ends the driver. */
void driver_handle_closed(uv_handle_t *handle);

/* driver.c: may the core be fed what makes records?  And what goes forward: a
 * request, a policy?  Step it, and hand on what it decided. */
bool driver_may_feed(const struct driver *driver);
bool driver_may_go_forward(const struct driver *driver);
void driver_feed(struct driver *driver, const struct input *input);

/* journal.c: the records of driver->decision join the batch; the batch is
 * handed to the store's thread; its news is taken. */
void journal_append(struct driver *driver);
void journal_flush(struct driver *driver);
void journal_news(struct driver *driver);
void journal_drop_reads(struct driver *driver);

/* effects.c: queue those of driver->decision; carry out what may be. */
void effects_take(struct driver *driver);
void effects_became_durable(struct driver *driver);
void effects_carry_out(struct driver *driver);
void effects_drop(struct driver *driver);
void effects_notify(struct driver *driver, const struct effect *effect);

/* recovery.c: the whole journal through core_apply().  False with one line. */
bool recovery_run(struct driver *driver, struct store *store, char *ret_error,
                  size_t size);

/* policy_watch.c: look at the folder now, when it changes and every 2 s; tell
 * the core as long as it may be fed. */
void policy_watch_start(struct driver *driver);
void policy_watch_second(struct driver *driver);
void policy_watch_feed(struct driver *driver);
void policy_watch_close(struct driver *driver);

/* upkeep.c: once a second; and the kill switch at other times, when the core
 * could not be told. */
void upkeep_second(struct driver *driver);
void upkeep_stop_file(struct driver *driver);
void upkeep_alarm_done(struct driver *driver, const struct input *input);

/* heartbeat.c: beat as the configuration says, as long as the loop turns and
 * the store's thread works. */
void heartbeat_start(struct driver *driver);
void heartbeat_close(struct driver *driver);

/* revert_clock.c: called where each thing happens. */
void revert_clock_samples(struct driver *driver);
void revert_clock_record(struct driver *driver, const struct record *record);
void revert_clock_durable(struct driver *driver);
void revert_clock_effect(struct driver *driver, const struct effect *effect);
void revert_clock_answer(struct driver *driver, const struct input *input);

/* record_lines.c: one log line a record of interest. */
void record_lines(struct log *log, const struct decision *decision);

/* history_merge.c: ask every source that a history needs; true when @input was
 * one part of several and is taken (the last one feeds the whole). */
void history_ask(struct driver *driver, const struct effect *effect);
bool history_take(struct driver *driver, const struct input *input);
void history_drop(struct driver *driver);

#endif
