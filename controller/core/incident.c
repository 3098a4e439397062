#include "controller/core/incident.h"

#include <assert.h>

#include "controller/core/inside.h"
#include "controller/core/observe.h"

struct incident *incident_find(const struct core *core, uint64_t id)
{
    return id ? pool_find(&core->incidents, id) : NULL;
}

bool incident_blames(const struct core *core, const struct release *release)
{
    const struct watch *watch = &core->watches[release->service];
    if (!watch->on || watch->release != release->id) {
        return false;
    }
    const struct leaf *leaf =
        policy_leaf(rule_policy(core, watch->rule), watch->leaf);
    return leaf->kind != LEAF_HEALTHY && leaf->kind != LEAF_WAIT &&
           !leaf->blames_nobody;
}

void incident_note_blame(struct incident *incident, time_ms at)
{
    assert(incident->closed_at == 0);
    incident->blamed_at = at;
}

void incident_open(struct core *core, const struct release *release,
                   const char *by, const char *text)
{
    const struct service *service = service_at(core, release->service);
    assert(service->incident == 0);
    struct record *record =
        core_record_about(core, RECORD_INCIDENT_OPENED, service);
    record->release = release->id;
    text_copy(record->version, sizeof record->version, release->version);
    text_copy(record->code, sizeof record->code,
              incident_blames(core, release) ? "blamed" : "nobody");
    text_copy(record->by, sizeof record->by, by);
    text_copy(record->text, sizeof record->text, text);
    core_tell(core, record);
}

void incident_close(struct core *core, const struct incident *incident,
                    const char *code, const char *by, const char *text)
{
    assert(incident->closed_at == 0);
    struct record *record = core_record_about(
        core, RECORD_INCIDENT_CLOSED, service_at(core, incident->service));
    record->incident = incident->id;
    record->release = incident->release;
    record->rollback = incident->rollback;
    text_copy(record->code, sizeof record->code, code);
    text_copy(record->by, sizeof record->by, by);
    text_copy(record->text, sizeof record->text, text);
    core_tell(core, record);
}

void incident_shift(struct incident *incident, time_ms difference)
{
    incident->blamed_at += incident->blamed_at ? difference : 0;
    incident->paged_at += incident->paged_at ? difference : 0;
    incident->closed_at += incident->closed_at ? difference : 0;
}

uint32_t incident_breaching(const struct core *core, time_ms around,
                            time_ms window)
{
    uint32_t count = 0; /* one open incident a service */
    for (uint32_t i = 0; i < core->incidents.count; i++) {
        const struct incident *incident = pool_at(&core->incidents, i);
        count += incident->closed_at == 0 && incident->blamed_at != 0 &&
                 incident->blamed_at >= around - window &&
                 incident->blamed_at <= around + window && !incident->shared;
    }
    return count;
}

/* The oldest that is over makes room. */
static void make_room(struct core *core)
{
    if (core->incidents.count < core->incidents.max) {
        return;
    }
    for (uint32_t i = 0; i < core->incidents.count; i++) {
        const struct incident *incident = pool_at(&core->incidents, i);
        if (incident->closed_at) {
            pool_remove(&core->incidents, incident->id);
            return;
        }
    }
}

void incident_apply_opened(struct core *core, const struct record *record)
{
    struct service *service =
        service_take(core, record->service, record->environment);
    assert(service);
    make_room(core);
    struct incident *incident = pool_add(&core->incidents, record->sequence);
    assert(incident);
    incident->id = record->sequence;
    incident->release = record->release;
    incident->service = service->index;
    incident->opened_at = record->at;
    incident->blamed_at = text_equal(record->code, "blamed") ? record->at : 0;
    incident->ordered = record->by[0] != '\0';
    text_copy(incident->text, sizeof incident->text, record->text);
    service->incident = incident->id;
    struct release *release = release_find(core, record->release);
    if (release) {
        release->incident = incident->id;
    }
}

void incident_apply_closed(struct core *core, const struct record *record)
{
    struct incident *incident = incident_find(core, record->incident);
    if (!incident) {
        return;
    }
    incident->closed_at = record->at;
    struct service *service = service_at(core, incident->service);
    if (service->incident == incident->id) {
        service->incident = 0;
    }
    reconcile_soon(core, service);
}
