#include "controller/core/core.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "controller/core/forget.h"
#include "controller/core/inside.h"
#include "controller/core/observe.h"
#include "controller/core/recover.h"
#include "controller/core/requests.h"
#include "policies/memory.h"

static uint32_t at_most(uint32_t wanted, uint32_t most)
{
    return wanted == 0 || wanted > most ? most : wanted;
}

static void options_keep(struct core *core, const struct core_options *options)
{
    core->options = *options;
    struct core_options *kept = &core->options;
    kept->services_max = at_most(options->services_max, SERVICES_MAX);
    kept->releases_max = at_most(options->releases_max, RELEASES_MAX);
    kept->series_max = at_most(options->series_max, SERIES_MAX);
    assert(options->sources_count <= SOURCES_MAX);
    assert(options->targets_count <= TARGETS_MAX);
    assert(options->pages_count <= PAGE_SINKS_MAX);
    assert(options->services_count < NONE_INDEX);
}

static void pools_init(struct core *core)
{
    uint32_t services = core->options.services_max;
    uint32_t releases = core->options.releases_max + LEDGER_SPARE;
    pool_init(&core->releases, sizeof(struct release), releases);
    /* One of each release is kept, and what a service needs of them; the older
     * ones make room. */
    pool_init(&core->incidents, sizeof(struct incident), releases + services);
    pool_init(&core->rollbacks, sizeof(struct rollback),
              releases + 2 * services);
    pool_init(&core->freezes, sizeof(struct freeze), FREEZES_MAX);
    pool_init(&core->notices, sizeof(struct notice), NOTICES_PENDING_MAX);
    pool_init(&core->actions, sizeof(struct action), ACTIONS_PENDING_MAX);
    pool_init(&core->pending, sizeof(struct pending),
              services * PENDING_PER_SERVICE + releases);
}

/* What each may have in the arena of texts at most: blocks and bytes. */
#define RELEASE_BLOCKS 11
#define RELEASE_BYTES                                                          \
    (5 * (NAME_MAX_BYTES + 1) + RECORD_KEY_MAX + 2 * RECORD_DIGEST_MAX +       \
     POLICY_TEXT_MAX + LABELS_MAX * sizeof(struct label) +                     \
     POLICY_FROZEN_MAX * sizeof(struct value))
#define SERVICE_BLOCKS 9
#define SERVICE_BYTES                                                          \
    (4 * (NAME_MAX_BYTES + 1) + OBSERVE_ERROR_MAX + VALUES_TEXT_MAX +          \
     UNKNOWNS_TEXT_MAX +                                                       \
     POLICY_SIGNALS_MAX * (sizeof(uint32_t) + sizeof(struct subscription)))

static void arenas_init(struct core *core)
{
    size_t services = core->options.services_max, releases = core->releases.max;
    size_t series = core->options.series_max;
    arena_init(&core->texts,
               releases * RELEASE_BYTES + services * SERVICE_BYTES +
                   series * SERIES_TEXTS_MAX,
               releases * RELEASE_BLOCKS + services * SERVICE_BLOCKS + series,
               LABELS_MAX * sizeof(struct label));
    arena_init(&core->judges, services * JUDGE_BYTES_MAX, services,
               JUDGE_BYTES_MAX);
}

static uint32_t timers_needed(const struct core *core)
{
    uint32_t of_services = 5 * core->options.services_max;
    return of_services + QUERIES_MAX + core->pending.max +
           2 * core->rollbacks.max + core->freezes.max + core->notices.max +
           core->actions.max;
}

/* Services that the configuration names exactly are known from the start, so
 * that their indexes do not depend on what happened since. */
static void services_from_options(struct core *core)
{
    for (size_t i = 0; i < core->options.services_count; i++) {
        const struct service_option *option = &core->options.services[i];
        if (!strchr(option->service, '*') &&
            !strchr(option->environment, '*')) {
            (void)service_take(core, option->service, option->environment);
        }
    }
}

struct core *core_new(const struct core_options *options)
{
    struct core *core = memory_zeroed(1, sizeof *core);
    options_keep(core, options);
    uint32_t services = core->options.services_max;
    pools_init(core);
    timers_init(&core->timers, timers_needed(core));
    rulebook_init(&core->rulebook);
    queries_init(core);
    core->services = memory_zeroed(services, sizeof *core->services);
    core->key_buckets =
        memory_zeroed(core->releases.max, sizeof *core->key_buckets);
    core->service_buckets =
        memory_zeroed(SERVICE_BUCKETS, sizeof *core->service_buckets);
    core->watches = memory_zeroed(services, sizeof *core->watches);
    arenas_init(core);
    core->scratch = memory_zeroed(1, sizeof *core->scratch);
    services_from_options(core);
    return core;
}

void core_free(struct core *core)
{
    if (!core) {
        return;
    }
    free(core->scratch);
    arena_release(&core->judges);
    arena_release(&core->texts);
    free(core->watches);
    free(core->service_buckets);
    free(core->key_buckets);
    free(core->services);
    queries_release(core);
    rulebook_release(&core->rulebook);
    timers_release(&core->timers);
    pool_release(&core->pending);
    pool_release(&core->actions);
    pool_release(&core->notices);
    pool_release(&core->freezes);
    pool_release(&core->rollbacks);
    pool_release(&core->incidents);
    pool_release(&core->releases);
    free(core);
}

/* ---- what a step writes ------------------------------------------------ */

struct record *core_record(struct core *core, enum record_kind kind)
{
    struct decision *decision = core->decision;
    assert(decision);
    assert(decision->records_count < DECISION_RECORDS_MAX);
    struct record *record = &decision->records[decision->records_count++];
    record_init(record, kind);
    record->sequence = core->sequence + 1;
    record->epoch = core->epoch;
    record->at = core->now;
    return record;
}

struct record *core_record_about(struct core *core, enum record_kind kind,
                                 const struct service *service)
{
    struct record *record = core_record(core, kind);
    text_copy(record->service, sizeof record->service, service->name);
    text_copy(record->environment, sizeof record->environment,
              service->environment);
    return record;
}

uint64_t core_tell(struct core *core, struct record *record)
{
    assert(record->sequence == core->sequence + 1);
    core_apply(core, record);
    return record->sequence;
}

#define BYTES_WITH(member)                                                     \
    (offsetof(struct effect, member) + sizeof((struct effect *)NULL)->member)

size_t effect_bytes(enum effect_kind kind)
{
    static const size_t bytes[] = {
        [EFFECT_ANSWER] = BYTES_WITH(answer),
        [EFFECT_QUERY] = BYTES_WITH(query),
        [EFFECT_HISTORY] = BYTES_WITH(history),
        [EFFECT_OBSERVE] = BYTES_WITH(target),
        [EFFECT_HAS] = BYTES_WITH(target),
        [EFFECT_REVERT] = BYTES_WITH(target),
        [EFFECT_NOTIFY] = BYTES_WITH(notify),
        [EFFECT_RUN] = BYTES_WITH(run),
        [EFFECT_POLICY_RELEASED] = BYTES_WITH(policy),
    };
    return bytes[kind];
}

struct effect *core_effect(struct core *core, enum effect_kind kind)
{
    struct decision *decision = core->decision;
    assert(decision);
    assert(decision->effects_count < DECISION_EFFECTS_MAX);
    struct effect *effect = &decision->effects[decision->effects_count++];
    memset(effect, 0, effect_bytes(kind));
    effect->kind = kind;
    effect->id.epoch = core->epoch;
    effect->id.counter = ++core->counter;
    effect->needs = NEEDS_ALL;
    effect->deadline = TIME_NEVER;
    effect->service = NONE_INDEX;
    return effect;
}

time_ms core_jitter(const struct core *core, uint64_t salt, uint32_t attempt,
                    time_ms span)
{
    /* splitmix64: every bit of the seed and the salt counts. */
    uint64_t mixed = core->options.seed + salt * UINT64_C(0x9e3779b97f4a7c15) +
                     attempt * UINT64_C(0xd1342543de82ef95);
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    mixed ^= mixed >> 31;
    time_ms half = span / 2;
    return half + (time_ms)(mixed % (uint64_t)(span - half + 1));
}

/* ---- inputs ------------------------------------------------------------ */

static void handle_service(struct core *core, enum timer_kind kind,
                           struct service *service)
{
    if (kind == TIMER_ACT) {
        rollback_decide(core, service);
    } else if (kind == TIMER_RECONCILE) {
        reconcile_due(core, service);
    } else if (kind == TIMER_LOOK) {
        watch_due(core, service);
    } else if (kind == TIMER_ACCOUNT) {
        account_due(core, service);
    } else {
        observe_due(core, service);
    }
}

static void handle(struct core *core, enum timer_kind kind, uint64_t id)
{
    switch (kind) {
    case TIMER_ROLLBACK:
        rollback_due(core, rollback_find(core, id));
        break;
    case TIMER_PENDING:
        pending_due(core, pool_find(&core->pending, id));
        break;
    case TIMER_COUNTDOWN:
        consent_due(core, rollback_find(core, id));
        break;
    case TIMER_QUERY:
        query_due(core, (uint32_t)id);
        break;
    case TIMER_FREEZE:
        freeze_due(core, pool_find(&core->freezes, id));
        break;
    case TIMER_NOTICE:
        notice_due(core, pool_find(&core->notices, id));
        break;
    case TIMER_ACTION:
        action_due(core, pool_find(&core->actions, id));
        break;
    case TIMER_RECONCILE:
    case TIMER_LOOK:
    case TIMER_ACT:
    case TIMER_ACCOUNT:
    case TIMER_OBSERVE:
        handle_service(core, kind, service_at(core, (uint16_t)id));
        break;
    }
}

/* The one oldest deadline. */
static void tick(struct core *core)
{
    struct timer *timer = timers_first(&core->timers);
    if (timer && timer->at <= core->now) {
        enum timer_kind kind = timer->kind;
        uint64_t id = timer->id;
        timer_stop(&core->timers, timer);
        handle(core, kind, id);
    }
}

static void take_answer(struct core *core, const struct input *input)
{
    if (input->kind == INPUT_NOTICE_DONE) {
        notice_answered(core, input);
    } else if (input->kind == INPUT_ACTION_DONE) {
        action_answered(core, input);
    } else {
        pending_answered(core, input);
    }
}

static void take_input(struct core *core, const struct input *input)
{
    switch (input->kind) {
    case INPUT_TICK:
        tick(core);
        break;
    case INPUT_REGISTER:
        register_release(core, input);
        break;
    case INPUT_COMMAND:
        command_carry_out(core, input);
        break;
    case INPUT_POLICY_ACCEPTED:
        rulebook_accept(core, input->policy.block);
        break;
    case INPUT_POLICY_REMOVED:
        rulebook_remove(core, input->policy.name);
        break;
    case INPUT_POLICY_BROKEN:
        rulebook_broken(core, input->policy.broken);
        break;
    case INPUT_SAMPLES:
        query_answered(core, input);
        break;
    case INPUT_HISTORY:
    case INPUT_TARGET:
    case INPUT_NOTICE_DONE:
    case INPUT_ACTION_DONE:
        take_answer(core, input);
        break;
    case INPUT_STORE:
    case INPUT_STOP_FILE:
        recover_file(core, input);
        break;
    case INPUT_CLOCK_SET:
        recover_clock(core, input);
        break;
    case INPUT_STARTED:
        recover_start(core);
        break;
    }
}

void core_step(struct core *core, const struct input *input,
               struct decision *ret_decision)
{
    assert(!core->decision); /* A jump of the wall clock is an input of its own,
                              * and a start follows whatever the clock says by
                              * now; else time only grows. */
    if (input->now > core->now || input->kind == INPUT_CLOCK_SET ||
        input->kind == INPUT_STARTED) {
        core->now = input->now;
    }
    ret_decision->records_count = 0;
    ret_decision->effects_count = 0;
    core->decision = ret_decision;
    take_input(core, input);
    core->decision = NULL;
    for (size_t i = 0; i < ret_decision->effects_count; i++) {
        if (ret_decision->effects[i].needs == NEEDS_ALL) {
            ret_decision->effects[i].needs = core->sequence;
        }
    }
}

/* ---- records ----------------------------------------------------------- */

typedef void apply_function(struct core *core, const struct record *record);

static void apply_stop_file(struct core *core, const struct record *record)
{
    core->stopped = record->on;
}

/* What was asked for follows in records of its own. */
static void apply_commanded(struct core *core, const struct record *record)
{
    if (record->service[0]) {
        (void)service_take(core, record->service, record->environment);
    }
}

static apply_function *const apply_table[] = {
    [RECORD_STARTED] = recover_apply_started,
    [RECORD_POLICY_SET] = rulebook_apply_set,
    [RECORD_POLICY_REMOVED] = rulebook_apply_removed,
    [RECORD_REGISTERED] = release_apply_registered,
    [RECORD_OBSERVED] = service_apply_observed,
    [RECORD_BASELINE] = release_apply_baseline,
    [RECORD_PROGRESS] = release_apply_progress,
    [RECORD_VERDICT] = release_apply_verdict,
    [RECORD_RELEASE_MOVED] = release_apply_moved,
    [RECORD_INCIDENT_OPENED] = incident_apply_opened,
    [RECORD_INCIDENT_CLOSED] = incident_apply_closed,
    [RECORD_ROLLBACK_PROPOSED] = rollback_apply_proposed,
    [RECORD_ROLLBACK_MOVED] = rollback_apply_moved,
    [RECORD_FROZEN] = freeze_add,
    [RECORD_THAWED] = freeze_apply_thawed,
    [RECORD_TAINTED] = release_apply_tainted,
    [RECORD_COMMANDED] = apply_commanded,
    [RECORD_NOTICE] = notice_apply,
    [RECORD_NOTICE_DONE] = notice_apply_done,
    [RECORD_ACTION] = action_apply,
    [RECORD_ACTION_DONE] = action_apply_done,
    [RECORD_SOURCE_LOST] = source_apply,
    [RECORD_SOURCE_BACK] = source_apply,
    [RECORD_CLOCK_SET] = recover_apply_clock_set,
    [RECORD_STOP_FILE] = apply_stop_file,
    [RECORD_BLIND] = release_apply_blind,
    [RECORD_ANNOUNCED] = service_apply_announced,
    [RECORD_MUTED] = consent_apply_muted,
    [RECORD_POLICY_BROKEN] = rulebook_apply_broken,
};

/* Live, the doors see to it; a journal may come from larger limits. */
static bool has_place(struct core *core, const struct record *record)
{
    const struct service *service =
        record->service[0]
            ? service_find(core, record->service, record->environment)
            : NULL;
    if (record->service[0] && !service &&
        core->services_count == core->options.services_max) {
        core->lacks = "services";
    } else if (record->kind == RECORD_REGISTERED &&
               !forget_has_room(core, service, 1) &&
               (core->releases.count == core->releases.max ||
                (service && service->releases_count == LEDGER_MAX))) {
        core->lacks = "releases";
    }
    assert(!core->lacks || !core->decision);
    return !core->lacks;
}

const char *core_lacks(const struct core *core)
{
    return core->lacks;
}

void core_apply(struct core *core, const struct record *record)
{
    assert(record->kind > RECORD_NONE);
    assert(record->kind < sizeof apply_table / sizeof apply_table[0]);
    assert(record->sequence == core->sequence + 1);
    core->sequence = record->sequence;
    if (record->epoch > core->epoch && record->kind != RECORD_STARTED) {
        core->epoch = record->epoch;
    }
    if (!core->decision && record->at > core->now) {
        core->now = record->at;
    }
    if (has_place(core, record)) {
        apply_table[record->kind](core, record);
    }
}

time_ms core_deadline(const struct core *core)
{
    const struct timer *timer =
        core->started ? timers_first(&core->timers) : NULL;
    return timer ? timer->at : TIME_NEVER;
}

uint64_t core_sequence(const struct core *core)
{
    return core->sequence;
}

uint32_t core_epoch(const struct core *core)
{
    return core->epoch;
}
