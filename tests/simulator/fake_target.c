/* A deployment API: what it has live, what it does with calls, and how it
 * fails.  What reached it happens, whoever still listens. */
#include <assert.h>
#include <string.h>

#include "tests/simulator/world.h"

static void copy(char *place, size_t size, const char *text)
{
    const size_t length = strnlen(text, size - 1);
    memmove(place, text, length);
    place[length] = '\0';
}

/* ---- what is live ------------------------------------------------------- */

static void become(struct world *world, uint8_t service, const char *version)
{
    struct service_world *is = &world->services[service];
    if (strcmp(is->live, version) != 0) {
        assert(is->history_count < WORLD_HISTORY_MAX);
        is->history[is->history_count].from = clock_boot();
        copy(is->history[is->history_count].version, PLAN_NAME_MAX, version);
        is->history_count++;
        is->live_since = clock_boot();
        story(world->plan.services[service].name, "%s is live", version);
    }
    copy(is->live, sizeof is->live, version);
    check_live(world->check, service, version);
}

void fake_target_roll_on(struct world *world, uint8_t service)
{
    struct service_world *is = &world->services[service];
    if (is->coming[0] != '\0' && clock_boot() >= is->comes_at) {
        is->complete_at = is->ready_at;
        become(world, service, is->coming);
        is->coming[0] = '\0';
    }
}

static void roll_on_later(struct world *world, struct event *event)
{
    fake_target_roll_on(world, event->service);
}

static void begin_rollout(struct world *world, uint8_t service,
                          const char *version, time_ms rollout)
{
    struct service_world *is = &world->services[service];
    fake_target_roll_on(world, service);
    copy(is->coming, sizeof is->coming, version);
    is->comes_at = clock_boot() + rollout / 2;
    is->ready_at = clock_boot() + rollout;
    world_event(world, rollout / 2, roll_on_later)->service = service;
    fake_target_roll_on(world, service);
}

void fake_target_deploy(struct world *world, uint8_t service,
                        const char *version, time_ms rollout)
{
    check_deployed(world->check, service, version);
    begin_rollout(world, service, version, rollout);
}

void fake_target_begin(struct world *world)
{
    for (uint8_t i = 0; i < world->plan.services_count; i++) {
        world->services[i].next_version = 1;
        become(world, i, world->plan.services[i].versions[0].name);
    }
}

const char *fake_target_live_at(const struct world *world, uint8_t service,
                                time_ms boot, time_ms *ret_since)
{
    const struct service_world *is = &world->services[service];
    size_t i = is->history_count - 1;
    while (i > 0 && is->history[i].from > boot) {
        i--;
    }
    *ret_since = is->history[i].from;
    return is->history[i].version;
}

static bool is_complete(const struct world *world, uint8_t service)
{
    const struct service_world *is = &world->services[service];
    bool stalls = is->mood == TARGET_STALLS && clock_boot() < is->mood_until;
    return !stalls && is->coming[0] == '\0' && clock_boot() >= is->complete_at;
}

static enum target_mood mood_of(const struct world *world, uint8_t service)
{
    const struct service_world *is = &world->services[service];
    return clock_boot() < is->mood_until ? is->mood : TARGET_WORKS;
}

/* ---- a call there ------------------------------------------------------- */

static const struct target_plan *plan_of(const struct world *world,
                                         uint8_t service)
{
    return &world->plan.targets[world->plan.services[service].target];
}

static bool knows_key(const struct service_world *is, const char *key)
{
    for (size_t i = 0; i < is->keys_count; i++) {
        if (strcmp(is->keys[i], key) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_or_will_be(const struct service_world *is, const char *version)
{
    return is->coming[0] != '\0' ? strcmp(is->coming, version) == 0
                                 : strcmp(is->live, version) == 0;
}

/* Carried out, or not because it is so already. */
static void carry_out(struct world *world, const struct event *event)
{
    const uint8_t service = event->service;
    struct service_world *is = &world->services[service];
    const struct target_plan *plan = plan_of(world, service);
    const bool effective = !is_or_will_be(is, event->target);
    if (!knows_key(is, event->key) &&
        is->keys_count < sizeof is->keys / sizeof is->keys[0]) {
        copy(is->keys[is->keys_count++], sizeof is->keys[0], event->key);
    }
    story(world->plan.services[service].name, "reverts to %s%s", event->target,
          effective ? "" : ", which is there already");
    check_reverted(world->check, service, event->number, effective);
    if (effective) {
        begin_rollout(world, service, event->target, plan->rollout);
        world_moment(world, MOMENT_APPLIED);
    }
}

static enum target_result revert(struct world *world, const struct event *event)
{
    const uint8_t service = event->service;
    struct service_world *is = &world->services[service];
    const struct target_plan *plan = plan_of(world, service);
    const enum target_mood mood = mood_of(world, service);
    if (mood == TARGET_FAILS || mood == TARGET_HANGS) {
        return TARGET_UNCLEAR;
    }
    if (mood == TARGET_REJECTS || mood == TARGET_RACES) {
        return mood == TARGET_REJECTS ? TARGET_REJECTED : TARGET_RACED;
    }
    if (plan->honours_keys && knows_key(is, event->key)) {
        return TARGET_ACCEPTED;
    }
    if (plan->compares && !is_or_will_be(is, event->version) &&
        !is_or_will_be(is, event->target)) {
        return TARGET_RACED;
    }
    if (mood == TARGET_LIES) {
        story(world->plan.services[service].name, "says yes and forgets it");
        return TARGET_ACCEPTED;
    }
    carry_out(world, event);
    return mood == TARGET_LOSES || mood == TARGET_IS_LATE ? TARGET_UNCLEAR
                                                          : TARGET_ACCEPTED;
}

static void observe(struct world *world, const struct event *event,
                    struct event *answer)
{
    const enum target_mood mood = mood_of(world, event->service);
    const bool silent = mood == TARGET_FAILS || mood == TARGET_HANGS ||
                        mood == TARGET_IS_BLIND || mood == TARGET_IS_LATE;
    answer->result = silent ? TARGET_UNCLEAR : TARGET_OBSERVED;
    answer->flag = is_complete(world, event->service);
    copy(answer->version, sizeof answer->version,
         mood == TARGET_IS_CRAZY ? "<html>"
                                 : world->services[event->service].live);
}

/* ---- there and back ----------------------------------------------------- */

static void answer(struct world *world, struct event *event)
{
    static const char *const texts[] = {[TARGET_OBSERVED] = NULL,
                                        [TARGET_ACCEPTED] = "202 Accepted",
                                        [TARGET_RACED] = "409 Conflict",
                                        [TARGET_REJECTED] = "403 Forbidden",
                                        [TARGET_UNCLEAR] =
                                            "503 Service Unavailable"};
    if (!world_is_mine(world, event)) {
        return;
    }
    if (event->kind == EFFECT_OBSERVE && event->result == TARGET_OBSERVED) {
        check_observed(world->check, event->service, event->version);
    }
    if (event->kind == EFFECT_REVERT) {
        story("controller", "hears: %s",
              texts[event->result] ? texts[event->result] : "nothing");
    }
    const struct input input = {.kind = INPUT_TARGET,
                                .target = {.id = event->id,
                                           .result = event->result,
                                           .version = event->version,
                                           .complete = event->flag,
                                           .has = event->flag,
                                           .text = texts[event->result]}};
    (void)driver_push(world->driver, &input);
}

static void answer_later(struct world *world, const struct event *call,
                         const struct event *made, time_ms delay)
{
    struct event *event = world_event(world, delay, answer);
    event->life = call->life;
    event->kind = call->kind;
    event->service = call->service;
    event->id = call->id;
    event->result = made->result;
    event->flag = made->flag;
    copy(event->version, sizeof event->version, made->version);
}

/* The call is there.  @from: when it was sent, so the time-out is known. */
static void arrive(struct world *world, struct event *event)
{
    const struct event call = *event;
    const struct target_plan *plan = plan_of(world, call.service);
    const time_ms gives_up = call.from + plan->timeout;
    struct event made = {.result = TARGET_UNCLEAR};
    fake_target_roll_on(world, call.service);
    if (call.kind == EFFECT_REVERT) {
        made.result = revert(world, &call);
    } else if (call.kind == EFFECT_OBSERVE) {
        observe(world, &call, &made);
    } else {
        const enum target_mood mood = mood_of(world, call.service);
        made.result = mood == TARGET_FAILS || mood == TARGET_HANGS
                          ? TARGET_UNCLEAR
                          : TARGET_OBSERVED;
        made.flag = mood != TARGET_IS_EMPTY;
    }
    time_ms back = dice_between(&world->dice, 1, plan->latency / 2);
    if (mood_of(world, call.service) == TARGET_HANGS ||
        clock_boot() + back > gives_up) {
        made.result = TARGET_UNCLEAR;
        back = gives_up > clock_boot() ? gives_up - clock_boot() : -1;
    }
    if (back >= 0) {
        answer_later(world, &call, &made, back);
    }
}

static void carry(struct target_adapter *target, const struct effect *effect)
{
    struct world *world = world_current();
    (void)target;
    if (world->is_dead) {
        return;
    }
    world_moment(world, MOMENT_EFFECT);
    if (world->is_dead) {
        return;
    }
    const uint8_t service = world_place(world, effect->service);
    const struct target_plan *plan = plan_of(world, service);
    const bool late = mood_of(world, service) == TARGET_IS_LATE;
    const time_ms there =
        late ? plan->timeout + dice_between(&world->dice, 1, 5000)
             : dice_between(&world->dice, 1, plan->latency / 2);
    struct event call = {.kind = effect->kind,
                         .service = service,
                         .id = effect->id,
                         .life = world->life,
                         .number = effect->target.rollback,
                         .from = clock_boot()};
    copy(call.version, sizeof call.version, effect->target.suspect);
    copy(call.target, sizeof call.target, effect->target.target);
    copy(call.key, sizeof call.key, effect->target.key);
    check_call(world->check, service, effect);
    struct event *event = world_event(world, there, arrive);
    const struct event placed = *event;
    *event = call;
    event->at = placed.at;
    event->order = placed.order;
    event->happen = arrive;
    if (late) {
        answer_later(world, &call, &(struct event){.result = TARGET_UNCLEAR},
                     plan->timeout);
    }
    if (effect->kind == EFFECT_REVERT) {
        story("controller", "asks %s to go from %s to %s",
              world->plan.services[service].name, call.version, call.target);
        world_moment(world, MOMENT_REVERT);
    }
}

static void close_target(struct target_adapter *target)
{
    (void)target;
}

static const struct target_ops ops = {carry, carry, carry, close_target};

struct target_adapter *fake_target(struct driver *driver, uint16_t index)
{
    struct world *world = driver_loop(driver)->data;
    world->target_adapters[index].ops = &ops;
    return &world->target_adapters[index];
}
