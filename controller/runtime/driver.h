/* The driver: inputs -> core_step -> append -> effects.
 *
 * It owns the core, the store's thread and the adapters, and is the only one
 * that steps the core.  Adapters turn what happened into an input and push it.
 * Records are handed to the store in order; effects and answers wait until
 * what they need is durable.  While the store is down nothing goes forward:
 * requests are refused at the door, policies wait.  Judging goes on, for what
 * goes back may use the store's reserve: a rollback and all that led to it are
 * durable there.  When the queue is full nothing is fed but the STOP file:
 * answers of targets and notices are kept, samples dropped.  A line is logged,
 * and people are paged when it lasts.  When it works again everything goes on
 * where it stood. */
#ifndef RUNTIME_DRIVER_H
#define RUNTIME_DRIVER_H

#include "controller/config/config.h"
#include "controller/core/view.h"
#include "controller/runtime/clock.h"
#include "controller/runtime/http.h"
#include "controller/runtime/log.h"
#include "state/store_thread.h"

struct driver;
struct source_adapter;
struct target_adapter;
struct notice_adapter;

/* An adapter to a metrics source.  Answers come as INPUT_SAMPLES and
 * INPUT_HISTORY through driver_push(); every question is answered. */
struct source_ops {
    void (*query)(struct source_adapter *source, uint32_t query, time_ms g);
    void (*history)(struct source_adapter *source, const struct effect *effect);
    void (*close)(struct source_adapter *source);
};
struct source_adapter {
    const struct source_ops *ops;
};

/* An adapter to a deployment API.  Answers come as INPUT_TARGET. */
struct target_ops {
    void (*observe)(struct target_adapter *target, const struct effect *effect);
    void (*has)(struct target_adapter *target, const struct effect *effect);
    void (*revert)(struct target_adapter *target, const struct effect *effect);
    void (*close)(struct target_adapter *target);
};
struct target_adapter {
    const struct target_ops *ops;
};

/* An adapter that tells people, or runs an action.  Retries are its own;
 * answers come as INPUT_NOTICE_DONE or INPUT_ACTION_DONE, exactly once. */
struct notice_ops {
    void (*send)(struct notice_adapter *notice, const struct effect *effect);
    void (*close)(struct notice_adapter *notice);
};
struct notice_adapter {
    const struct notice_ops *ops;
};

/* main.c is the one place that knows the implementations. */
struct adapter_makers {
    struct source_adapter *(*source)(struct driver *driver, uint16_t index);
    struct target_adapter *(*target)(struct driver *driver, uint16_t index);
    struct notice_adapter *(*notice)(struct driver *driver, uint16_t index);
    struct notice_adapter *(*action)(struct driver *driver, uint16_t index);
};

struct driver_options {
    uv_loop_t *loop;
    const struct config *config;
    struct log *log;
    struct adapter_makers makers;
    void (*stopped)(void *); /* everything is closed; the loop may end */
    void (*lost)(void *, const char *error); /* cannot go on: exit non-zero */
    void *data;
};

/* Open the store, prove its chain, recover (journal -> core_apply, policies
 * compiled from their recorded text), start the store's thread and the
 * adapters, then tell the core: INPUT_STARTED, the STOP file, the policies'
 * folder.  Nothing is decided before the loop turns.  NULL with one line in
 * @ret_error, also when there is neither a folder nor a policy in force. */
struct driver *driver_new(const struct driver_options *options, char *ret_error,
                          size_t size);

/* Hand in an input from the loop's thread; it is stepped before this returns
 * unless the store is down or behind, then it is copied nowhere: false is
 * returned and the caller answers "try again" (only for REGISTER and COMMAND;
 * adapters' answers are always taken, late ones dropped by id). */
bool driver_push(struct driver *driver, const struct input *input);

/* Answers to REGISTER and COMMAND arrive here when durable. */
typedef void driver_answer(void *data, const struct effect *effect);
void driver_on_answer(struct driver *driver, driver_answer *answer, void *data);

/* Entries of the journal, read on the store's thread.  @done is called once,
 * from the loop.  False when too many wait. */
typedef void driver_read_done(void *data, const struct store_event *event);
bool driver_read(struct driver *driver, const struct store_query *query,
                 driver_read_done *done, void *data);

/* What adapters and doors may use. */
const struct core *driver_core(const struct driver *driver);
const struct config *driver_config(const struct driver *driver);
struct http *driver_http(struct driver *driver);
struct log *driver_log(struct driver *driver);
uv_loop_t *driver_loop(struct driver *driver);
time_ms driver_now(struct driver *driver);
bool driver_is_ready(const struct driver *driver, const char **ret_why_not);

/* Expand @text with the variables of service @service (index of the core's
 * view) plus service, environment, and @more.  See template.h. */
struct variable;
bool driver_expand(const struct driver *driver, uint16_t service,
                   const char *text, bool url, const struct variable *more,
                   size_t more_count, char *ret_text, size_t size,
                   char *ret_error, size_t error_size);

/* Read the policies' folder anew, also files that look unchanged (SIGHUP). */
void driver_reload(struct driver *driver);

/* The store thread's last sign of life, CLOCK_BOOTTIME; for the watchdog.  One
 * that hangs for 30 s makes the driver unready. */
time_ms driver_store_alive_at(const struct driver *driver);

/* How far behind it is, for /metrics. */
struct driver_load {
    size_t records_waiting;  /* to be durable */
    size_t effects_waiting;  /* for records to be durable */
    size_t requests_waiting; /* to others, for their turn */
    time_ms late; /* by which the loop's seconds were too long, in all */
};
void driver_load(const struct driver *driver, struct driver_load *ret_load);

/* The heartbeat outwards, for /metrics and status. */
struct driver_heartbeat {
    bool given;                /* the configuration asks for one */
    time_ms sent_at, taken_at; /* the newest, and the newest that was answered
                                  with 2xx; 0: none yet */
    bool fails;                /* the newest was not */
};
void driver_heartbeat(const struct driver *driver,
                      struct driver_heartbeat *ret_heartbeat);

/* Problems of the policies' folder now in force, for /metrics and status. */
const struct problems *driver_policy_problems(const struct driver *driver);

/* Durations for /metrics and the benchmark, in nanoseconds: the newest revert's
 * completing sample -> decide -> commit -> observe -> send. */
struct revert_timing {
    int64_t sample_at, decided_at, durable_at, observed_at, sent_at;
};
const struct revert_timing *driver_revert_timing(const struct driver *driver);

/* Close everything in reverse; options.stopped is called at the end. */
void driver_stop(struct driver *driver);

#endif
