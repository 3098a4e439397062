/* What leaves the controller, and what the world really does. */
#include "tests/simulator/check_inside.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/runtime/clock.h"
#include "policies/memory.h"
#include "tests/simulator/world.h"

/* The live version is read right before a revert leaves. */
#define FRESH_MS (2 * SECOND_MS)
/* The STOP file is seen within a second, and the turn of the loop. */
#define STOP_SEEN_MS (SECOND_MS + 100)

void check_fail(const char *checker, const char *format, ...)
{
    char sentence[1024];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(sentence, sizeof sentence, format, list);
    va_end(list);
    simulator_found(checker, sentence);
}

struct check *check_new(const struct plan *plan)
{
    struct check *check = memory_zeroed(1, sizeof *check);
    check->plan = plan;
    return check;
}

void check_free(struct check *check)
{
    free(check);
}

void check_started(struct check *check, uint32_t life)
{
    check->life = life;
    check->is_alive = true;
    check->started_at = clock_boot();
    for (size_t i = 0; i < check->plan->services_count; i++) {
        check->services[i].observed_at = 0;
        check->services[i].decide_by = 0;
    }
}

void check_down(struct check *check)
{
    check->is_alive = false;
}

void check_calm(struct check *check)
{
    check->is_calm = true;
    check->calm_at = clock_boot();
}

/* ---- calls -------------------------------------------------------------- */

/* An id is never used twice; ids of another epoch are others. */
static void check_id(struct check *check, const struct effect *effect)
{
    const uint32_t counter = effect->id.counter % SEEN_COUNTERS_MAX;
    const uint8_t bit = (uint8_t)(1u << counter % 8);
    if (effect->id.epoch != check->epoch) {
        return; /* the start is not durable yet: nothing that acts leaves */
    }
    if ((check->counters[counter / 8] & bit) != 0) {
        check_fail("ids", "effect (%u, %u) left twice", effect->id.epoch,
                   effect->id.counter);
    }
    check->counters[counter / 8] |= bit;
}

/* One key for all calls of a rollback, and none for two rollbacks. */
static void check_key(struct check *check, struct seen_rollback *rollback,
                      const char *key)
{
    if (rollback->key[0] != '\0' && strcmp(rollback->key, key) != 0) {
        check_fail("keys", "rollback %" PRIu64 " uses %s and %s", rollback->id,
                   rollback->key, key);
    }
    for (size_t i = 0; i < check->rollbacks_count; i++) {
        const struct seen_rollback *other = &check->rollbacks[i];
        if (other != rollback && strcmp(other->key, key) == 0) {
            check_fail("keys", "rollbacks %" PRIu64 " and %" PRIu64 " use %s",
                       other->id, rollback->id, key);
        }
    }
    (void)snprintf(rollback->key, sizeof rollback->key, "%s", key);
}

static void check_stop(const struct check *check, uint64_t rollback)
{
    const time_ms seen = check->stop_since > check->started_at
                             ? check->stop_since
                             : check->started_at;
    if (check->stop_stands && clock_boot() > seen + STOP_SEEN_MS) {
        check_fail("stop",
                   "rollback %" PRIu64 " asks for a revert %lld ms after the "
                   "STOP file came",
                   rollback, (long long)(clock_boot() - seen));
    }
}

static void check_revert(struct check *check, uint8_t place,
                         const struct effect *effect)
{
    const struct seen_service *service = &check->services[place];
    struct seen_rollback *rollback =
        seen_rollback(check, effect->target.rollback);
    if (rollback == NULL || rollback->intended == 0) {
        check_fail("durable_intent", "a revert of %s leaves without an intent",
                   check->plan->services[place].name);
    }
    if (rollback->state != ROLLBACK_INTENDED &&
        rollback->state != ROLLBACK_REQUESTED &&
        rollback->state != ROLLBACK_IN_PROGRESS) {
        check_fail("durable_intent",
                   "rollback %" PRIu64 " is %s and asks for a revert",
                   rollback->id, rollback_state_name(rollback->state));
    }
    if (strcmp(rollback->suspect, effect->target.suspect) != 0 ||
        strcmp(rollback->target, effect->target.target) != 0) {
        check_fail("durable_intent",
                   "rollback %" PRIu64 " asks for another revert than it "
                   "intended",
                   rollback->id);
    }
    if (service->observed_at == 0 ||
        strcmp(service->observed, rollback->suspect) != 0) {
        check_fail("observe_first",
                   "rollback %" PRIu64 " asks for a revert, and %s was seen "
                   "live last",
                   rollback->id,
                   service->observed_at == 0 ? "nothing" : service->observed);
    }
    if (clock_boot() - service->observed_at > FRESH_MS) {
        check_fail("observe_first",
                   "rollback %" PRIu64 " asks for a revert %lld ms after it "
                   "saw what is live",
                   rollback->id,
                   (long long)(clock_boot() - service->observed_at));
    }
    check_stop(check, rollback->id);
    check_key(check, rollback, effect->target.key);
    rollback->calls++;
}

void check_call(struct check *check, uint8_t service,
                const struct effect *effect)
{
    check_id(check, effect);
    if (effect->kind == EFFECT_REVERT) {
        check_revert(check, service, effect);
    }
}

void check_observed(struct check *check, uint8_t service, const char *version)
{
    struct seen_service *seen = &check->services[service];
    (void)snprintf(seen->observed, sizeof seen->observed, "%s", version);
    seen->observed_at = clock_boot();
}

/* ---- what targets do ---------------------------------------------------- */

/* A second effect is somebody else's doing, or a bug: what was put live was
 * taken away by somebody between two calls of one rollback. */
static void check_effective(struct check *check, struct seen_rollback *rollback)
{
    const struct seen_service *service = &check->services[rollback->service];
    uint32_t of_incident = 0;
    time_ms last = 0;
    for (size_t i = 0; i < check->rollbacks_count; i++) {
        const struct seen_rollback *other = &check->rollbacks[i];
        if (other->incident == rollback->incident && other->effective > 0 &&
            !other->by_person) {
            of_incident += other->effective;
            last = other->effective_at > last ? other->effective_at : last;
        }
    }
    if (rollback->effective > 0 &&
        service->deployed_at < rollback->effective_at) {
        check_fail("effective", "rollback %" PRIu64 " reverts twice",
                   rollback->id);
    }
    if (!rollback->by_person && of_incident > 0 &&
        service->deployed_at < last) {
        check_fail("effective", "incident %" PRIu64 " has two reverts",
                   rollback->incident);
    }
}

void check_reverted(struct check *check, uint8_t service, uint64_t id,
                    bool effective)
{
    struct seen_rollback *rollback = seen_rollback(check, id);
    (void)service;
    if (rollback == NULL) {
        check_fail("durable_intent", "a target was reverted by nobody");
    }
    if (effective) {
        check_effective(check, rollback);
        rollback->effective++;
        rollback->effective_at = clock_boot();
    }
}

void check_deployed(struct check *check, uint8_t service, const char *version)
{
    (void)version;
    check->services[service].deployed_at = clock_boot();
}

void check_live(struct check *check, uint8_t service, const char *version)
{
    struct seen_service *seen = &check->services[service];
    if (strcmp(seen->really, version) != 0) {
        seen->really_since = clock_boot();
    }
    (void)snprintf(seen->really, sizeof seen->really, "%s", version);
}

/* ---- what sources say --------------------------------------------------- */

const struct seen_look *seen_look_back(const struct check *check, size_t back)
{
    const size_t most = check->looks_count < SEEN_LOOKS_MAX ? check->looks_count
                                                            : SEEN_LOOKS_MAX;
    return back < most
               ? &check->looks[(check->looks_count - 1 - back) % SEEN_LOOKS_MAX]
               : NULL;
}

static struct seen_look *look_at(struct check *check, uint8_t service,
                                 time_ms g)
{
    const time_ms offset = clock_wall() - clock_boot();
    for (size_t i = 0; i < 32 && i < check->looks_count; i++) {
        struct seen_look *look =
            &check->looks[(check->looks_count - 1 - i) % SEEN_LOOKS_MAX];
        if (look->service == service && look->g == g &&
            clock_boot() - look->boot < 15 * SECOND_MS) {
            return look;
        }
    }
    struct seen_look *look = &check->looks[check->looks_count % SEEN_LOOKS_MAX];
    *look = (struct seen_look){.service = service, .g = g, .offset = offset};
    check->looks_count++;
    return look;
}

size_t seen_version(const char *version)
{
    const size_t number = (size_t)version[strlen(version) - 1] - (size_t)'0';
    return number < PLAN_VERSIONS ? number : 0;
}

/* What is known counts for what is live, was seen live, or is recorded so; and
 * it is known for as long as the root's window remembers it. */
static void credit(struct check *check, uint8_t service)
{
    struct seen_service *seen = &check->services[service];
    const time_ms most = check->every_most + check->holds_most;
    time_ms span = clock_boot() - seen->known_at;
    span = span < most ? span : most;
    span = span > check->every_most ? span : check->every_most;
    seen->known_at = clock_boot();
    const char *const live[] = {seen->really, seen->live, seen->observed};
    bool counted[PLAN_VERSIONS] = {false};
    for (size_t i = 0; i < sizeof live / sizeof live[0]; i++) {
        if (live[i][0] != '\0' && !counted[seen_version(live[i])]) {
            counted[seen_version(live[i])] = true;
            seen->known_ms[seen_version(live[i])] += span;
        }
    }
}

void check_sample(struct check *check, uint8_t service, bool is_errors,
                  time_ms g, const struct sample *sample)
{
    struct seen_look *look = look_at(check, service, g);
    const bool was = look->errors_known && look->requests_known;
    const bool known = sample->unknown == KNOWN;
    look->boot = clock_boot();
    look->offset = clock_wall() - clock_boot();
    if (is_errors) {
        look->errors_known = look->errors_known || known;
        look->is_high = look->is_high || (known && sample->number > 5);
    } else {
        look->requests_known = look->requests_known || known;
    }
    if (!was && look->errors_known && look->requests_known) {
        credit(check, service);
    }
    check_decided(check);
}

void check_past(struct check *check, uint8_t service,
                const struct sample *errors)
{
    if (errors->unknown == KNOWN && errors->number > 5) {
        check->services[service].hurt_at = clock_boot();
    }
}

/* ---- notices ------------------------------------------------------------ */

void check_sent(struct check *check, uint64_t id)
{
    if (id == 0) {
        return; /* the driver's own alarm */
    }
    struct seen_notice *notice = seen_notice(check, id);
    if (notice == NULL) {
        check_fail("notices", "notice %" PRIu64 " leaves before it is durable",
                   id);
    }
    if (notice->sent_in == check->life) {
        check_fail("notices", "notice %" PRIu64 " leaves twice in one life",
                   id);
    }
    notice->sent_in = check->life;
}

void check_delivered(struct check *check, uint64_t id)
{
    struct seen_notice *notice = seen_notice(check, id);
    if (notice != NULL) {
        notice->reached++;
    }
}

/* ---- doors -------------------------------------------------------------- */

static void check_registered(struct check *check, const struct request *request,
                             const struct effect *effect)
{
    const struct seen_release *release =
        seen_release(check, effect->answer.release);
    if (release == NULL || release->service != request->service ||
        strcmp(release->version, request->version) != 0) {
        check_fail("acknowledged",
                   "%s was told that %s is release %" PRIu64
                   ", which the journal does not have",
                   request->reason, request->version, effect->answer.release);
    }
}

static unsigned number_of(const struct request *request)
{
    unsigned number = 0;
    const int found = sscanf(request->reason, "why-%u", &number);
    assert(found == 1);
    return number;
}

void check_answer(struct check *check, const struct request *request,
                  const struct effect *effect)
{
    const enum outcome outcome = effect->answer.outcome;
    if (request->is_register) {
        if (outcome == OUTCOME_DONE || outcome == OUTCOME_UNWATCHED ||
            outcome == OUTCOME_ALREADY) {
            check_registered(check, request, effect);
        }
    } else if (outcome == OUTCOME_DONE &&
               check->reasons[number_of(request)] != request->kind + 1) {
        check_fail("acknowledged",
                   "%s was told that it is done, and the journal has no %s",
                   request->reason, command_name(request->kind));
    }
}

void check_stop_file(struct check *check, bool stands)
{
    if (stands && !check->stop_stands) {
        check->stop_since = clock_boot();
    }
    check->stop_stands = stands;
}

void check_gate(struct check *check, uint8_t service, const char *version,
                time_ms now, enum gate gate)
{
    for (size_t i = 0; gate == GATE_GO && i < check->freezes_count; i++) {
        const struct seen_freeze *freeze = &check->freezes[i];
        if (freeze->service == service && !freeze->is_over &&
            freeze->until > now) {
            check_fail("gate", "%s %s may pass, and freeze %" PRIu64 " stands",
                       check->plan->services[service].name, version,
                       freeze->id);
        }
    }
    const struct seen_rollback *back =
        seen_rollback(check, check->services[service].spent);
    if (gate == GATE_GO && back != NULL &&
        strcmp(back->suspect, version) == 0) {
        for (size_t i = 0; i < check->releases_count; i++) {
            if (check->releases[i].origin == ORIGIN_ADOPTED &&
                check->releases[i].id > back->release) {
                return; /* somebody may have vouched for it */
            }
        }
        check_fail("gate", "%s %s may pass, and was rolled back",
                   check->plan->services[service].name, version);
    }
}
