#include "controller/core/service.h"

#include <assert.h>

#include "controller/core/inside.h"
#include "controller/core/ledger.h"
#include "controller/core/observe.h"

static uint32_t *bucket_of(const struct core *core, const char *name,
                           const char *environment)
{
    uint64_t hash = text_hash(text_hash(0, name), environment);
    return &core->service_buckets[hash % SERVICE_BUCKETS];
}

struct service *service_find(const struct core *core, const char *name,
                             const char *environment)
{
    uint32_t next = *bucket_of(core, name, environment);
    for (uint32_t i = 0; next != 0 && i < core->services_count; i++) {
        struct service *service = &core->services[next - 1];
        if (text_equal(service->name, name) &&
            text_equal(service->environment, environment)) {
            return service;
        }
        next = service->next;
    }
    return NULL;
}

struct service *service_at(const struct core *core, uint16_t index)
{
    assert(index < core->services_count);
    return &core->services[index];
}

uint16_t service_option_of(const struct core *core, const char *name,
                           const char *environment)
{
    for (size_t i = 0; i < core->options.services_count; i++) {
        const struct service_option *option = &core->options.services[i];
        if (text_matches(option->service, name) &&
            text_matches(option->environment, environment)) {
            return (uint16_t)i;
        }
    }
    return NONE_INDEX;
}

struct service *service_take(struct core *core, const char *name,
                             const char *environment)
{
    struct service *service = service_find(core, name, environment);
    if (service || core->services_count == core->options.services_max) {
        return service;
    }
    uint16_t index = (uint16_t)core->services_count++;
    service = &core->services[index];
    service->index = index;
    service->option = service_option_of(core, name, environment);
    arena_text(&core->texts, &service->name, name, NAME_MAX_BYTES + 1);
    arena_text(&core->texts, &service->environment, environment,
               NAME_MAX_BYTES + 1);
    service->live = service->announced = service->observe_error = "";
    uint32_t *bucket = bucket_of(core, name, environment);
    service->next = *bucket;
    *bucket = (uint32_t)index + 1;
    timer_name(&service->observe, TIMER_OBSERVE, index);
    timer_name(&service->reconcile, TIMER_RECONCILE, index);
    struct watch *watch = &core->watches[index];
    watch->rule = NONE_INDEX;
    watch->values = watch->unknowns = "";
    timer_name(&watch->look, TIMER_LOOK, index);
    timer_name(&watch->act, TIMER_ACT, index);
    timer_name(&watch->account, TIMER_ACCOUNT, index);
    return service;
}

uint16_t service_target(const struct core *core, const struct service *service)
{
    if (service->option == NONE_INDEX) {
        return NONE_INDEX;
    }
    return core->options.services[service->option].target;
}

time_ms service_timeout(const struct core *core, const struct service *service)
{
    uint16_t target = service_target(core, service);
    return target == NONE_INDEX ? 10 * SECOND_MS
                                : core->options.targets[target].timeout;
}

time_ms service_deadline(const struct core *core, const struct service *service)
{
    uint16_t target = service_target(core, service);
    return target == NONE_INDEX ? 10 * MINUTE_MS
                                : core->options.targets[target].deadline;
}

enum mode service_ceiling(const struct core *core,
                          const struct service *service)
{
    enum mode ceiling = core->stopped ? MODE_OBSERVE : core->options.ceiling;
    if (service->option != NONE_INDEX &&
        core->options.services[service->option].ceiling < ceiling) {
        ceiling = core->options.services[service->option].ceiling;
    }
    return ceiling;
}

/* The versions that were live and are live now know since and until when. */
static void note_live(struct core *core, struct service *service, time_ms at)
{
    for (uint32_t i = 0; i < service->releases_count; i++) {
        struct release *release = ledger_at(core, service, i);
        if (release->live_from != 0 && release->live_until == 0 &&
            !text_equal(release->version, service->live)) {
            release->live_until = at;
        }
    }
    struct release *live = ledger_live(core, service);
    if (live && (live->live_from == 0 || live->live_until != 0)) {
        live->live_from = live->live_from ? live->live_from : at;
        live->live_until = 0;
    }
}

void service_apply_observed(struct core *core, const struct record *record)
{
    struct service *service =
        service_take(core, record->service, record->environment);
    assert(service);
    arena_text(&core->texts, &service->live, record->version,
               NAME_MAX_BYTES + 1);
    service->complete = record->complete;
    const struct rollback *back = rollback_find(core, service->rollback);
    if (back && text_equal(back->target, service->live)) {
        service->put_live = back->id;
    }
    const struct rollback *rollback = rollback_find(core, service->put_live);
    if (!rollback || !text_equal(rollback->target, service->live)) {
        service->put_live = 0;
    }
    note_live(core, service, record->at);
    reconcile_soon(core, service);
}

void service_apply_announced(struct core *core, const struct record *record)
{
    struct service *service =
        service_take(core, record->service, record->environment);
    assert(service);
    arena_text(&core->texts, &service->announced, record->version,
               NAME_MAX_BYTES + 1);
    service->announced_until = record->until;
}
