/* Everything that somebody does, or that goes wrong, one function each. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "tests/simulator/fake_clock.h"
#include "tests/simulator/world.h"

struct actor {
    struct world *world;
    struct dice dice;
    uint8_t service;
};

static const char *name_of(const struct actor *actor)
{
    return actor->world->plan.services[actor->service].name;
}

static const struct version_plan *version_at(const struct actor *actor,
                                             size_t number)
{
    return &actor->world->plan.services[actor->service]
                .versions[number % PLAN_VERSIONS];
}

static const struct version_plan *any_version(struct actor *actor)
{
    return version_at(actor, dice_roll(&actor->dice, PLAN_VERSIONS));
}

static struct service_world *service_of(const struct actor *actor)
{
    return &actor->world->services[actor->service];
}

/* ---- pipelines ---------------------------------------------------------- */

static void send_later(struct world *world, struct event *event)
{
    for (size_t i = 0; i < WORLD_REQUESTS_MAX; i++) {
        if (world->requests[i].reply == event->number) {
            request_send(world, &world->requests[i]);
            return;
        }
    }
}

static void send_after(struct actor *actor, const struct request *request,
                       time_ms delay)
{
    world_event(actor->world, delay, send_later)->number = request->reply;
}

static struct request *registration(struct actor *actor,
                                    const struct version_plan *version)
{
    struct request *request = request_new(actor->world, actor->service);
    request->is_register = true;
    memcpy(request->version, version->name, sizeof request->version);
    request->data_change = version->data_change;
    if (dice_one_in(&actor->dice, 2)) {
        memcpy(request->previous, service_of(actor)->live,
               sizeof request->previous);
    }
    if (dice_one_in(&actor->dice, 2)) {
        (void)snprintf(request->key, sizeof request->key, "key-%llu",
                       (unsigned long long)request->reply);
        (void)snprintf(request->digest, sizeof request->digest, "aa");
    }
    return request;
}

static void deploy(struct actor *actor, const struct version_plan *version)
{
    static const time_ms rollouts[] = {0, 0, 2000, 10000};
    const time_ms rollout = DICE_PICK(&actor->dice, rollouts);
    story("pipeline", "deploys %s %s%s", name_of(actor), version->name,
          version->is_bad ? ", which is bad" : "");
    fake_target_deploy(actor->world, actor->service, version->name, rollout);
}

static void announce(struct actor *actor, const struct version_plan *version)
{
    struct request *request = request_new(actor->world, actor->service);
    request->kind = COMMAND_ANNOUNCE;
    memcpy(request->version, version->name, sizeof request->version);
    request_send(actor->world, request);
}

/* Goes on however the gate answers, one time in three. */
static bool may_deploy(struct actor *actor, const struct version_plan *version)
{
    struct world *world = actor->world;
    struct gate_view gate = {.gate = GATE_GO};
    if (world->driver != NULL && !world->is_dead) {
        const struct service_plan *plan = &world->plan.services[actor->service];
        const time_ms now = driver_now(world->driver);
        view_gate(driver_core(world->driver), plan->name, plan->environment,
                  version->name, now, &gate);
        if (core_sequence(driver_core(world->driver)) == world->disk.durable) {
            check_gate(world->check, actor->service, version->name, now,
                       gate.gate);
        }
        story("pipeline", "asks the gate for %s %s: %s", plan->name,
              version->name, gate.gate == GATE_GO ? "go" : gate.text);
    }
    return gate.gate == GATE_GO || dice_one_in(&actor->dice, 3);
}

static void act_deploy(struct actor *actor)
{
    static const time_ms delays[] = {0, 0, 0, 3000, 30000};
    struct service_world *service = service_of(actor);
    const struct version_plan *version =
        version_at(actor, service->next_version++);
    if (dice_one_in(&actor->dice, 4)) {
        announce(actor, version);
    }
    if (!may_deploy(actor, version)) {
        return;
    }
    struct request *request = registration(actor, version);
    if (dice_one_in(&actor->dice, 2)) {
        request->deployed_at = clock_wall();
    }
    if (dice_one_in(&actor->dice, 5)) { /* registers first */
        request_send(actor->world, request);
    } else {
        send_after(actor, request, DICE_PICK(&actor->dice, delays));
    }
    deploy(actor, version);
}

static void act_deploy_silent(struct actor *actor)
{
    deploy(actor, any_version(actor));
}

static void act_register(struct actor *actor)
{
    static const time_ms moments[] = {-3600000, -60000, 0, 60000, 3600000};
    struct request *request = registration(actor, any_version(actor));
    request->deployed_at = clock_wall() + DICE_PICK(&actor->dice, moments);
    if (dice_one_in(&actor->dice, 2)) { /* what is live already */
        memcpy(request->version, service_of(actor)->live,
               sizeof request->version);
    }
    request_send(actor->world, request);
    if (dice_one_in(&actor->dice, 2) && request->reply != 0) {
        struct request *twin = request_new(actor->world, actor->service);
        const uint64_t reply = twin->reply;
        char reason[sizeof twin->reason];
        memcpy(reason, twin->reason, sizeof reason);
        *twin = *request;
        twin->reply = reply;
        memcpy(twin->reason, reason, sizeof reason);
        twin->life = 0;
        twin->tries = 0;
        twin->digest[0] = dice_one_in(&actor->dice, 2) ? 'b' : twin->digest[0];
        send_after(actor, twin, dice_between(&actor->dice, 0, 4000));
    }
}

static void act_gate(struct actor *actor)
{
    (void)may_deploy(actor, any_version(actor));
}

/* ---- what fails --------------------------------------------------------- */

static time_ms span(struct actor *actor, time_ms most)
{
    return dice_between(&actor->dice, 500, most);
}

static void act_target(struct actor *actor)
{
    static const char *const words[TARGET_MOODS] = {"works",
                                                    "fails",
                                                    "loses its answers",
                                                    "hangs",
                                                    "is late",
                                                    "rejects",
                                                    "says 409",
                                                    "says yes and forgets",
                                                    "is blind",
                                                    "is crazy",
                                                    "stalls",
                                                    "has no old versions"};
    struct service_world *service = service_of(actor);
    service->mood =
        (enum target_mood)(1 + dice_roll(&actor->dice, TARGET_MOODS - 1));
    service->mood_until = clock_boot() + span(actor, 45000);
    story("world", "the deployment API of %s %s for %lld ms", name_of(actor),
          words[service->mood],
          (long long)(service->mood_until - clock_boot()));
}

static void act_source(struct actor *actor)
{
    static const char *const words[SOURCE_MOODS] = {
        "works",   "is down", "has gaps", "says NaN",
        "is late", "is idle", "forgets",  "flickers"};
    struct source_world *source = &actor->world->sources[dice_roll(
        &actor->dice, actor->world->plan.sources_count)];
    source->mood =
        (enum source_mood)(1 + dice_roll(&actor->dice, SOURCE_MOODS - 1));
    source->mood_until =
        clock_boot() +
        span(actor, dice_one_in(&actor->dice, 3) ? 180000 : 60000);
    story("world", "the source %s for %lld ms", words[source->mood],
          (long long)(source->mood_until - clock_boot()));
}

static void act_trouble(struct actor *actor)
{
    const time_ms until = clock_boot() + span(actor, 90000);
    const bool all = dice_one_in(&actor->dice, 2);
    for (uint8_t i = 0; i < actor->world->plan.services_count; i++) {
        if (all || i == actor->service) {
            actor->world->services[i].trouble_from = clock_boot();
            actor->world->services[i].trouble_until = until;
        }
    }
    story("world", "something hurts the users of %s",
          all ? "all services" : name_of(actor));
}

static void act_disk(struct actor *actor)
{
    static const char *const words[DISK_MOODS] = {
        "works", "is slow",    "is full", "lies",
        "hangs", "is damaged", "is dead"};
    struct world_disk *disk = &actor->world->disk;
    disk->mood = (enum disk_mood)(1 + dice_roll(&actor->dice, DISK_MOODS - 1));
    disk->mood_until = clock_boot() + span(actor, 40000);
    story("world", "the disk %s for %lld ms", words[disk->mood],
          (long long)(disk->mood_until - clock_boot()));
}

static void act_sink(struct actor *actor)
{
    actor->world->sinks_hang_until = clock_boot() + span(actor, 60000);
    story("world", "nobody can be told for a while");
}

static void act_crash(struct actor *actor)
{
    struct world *world = actor->world;
    static const time_ms downs[] = {50, 1000, 5000, 40000};
    const time_ms starts_at = clock_boot() + DICE_PICK(&actor->dice, downs);
    if (world->driver == NULL || world->is_dead || world->starts_at > 0) {
        return;
    }
    world->starts_at = starts_at;
    if (dice_one_in(&actor->dice, 5)) {
        story("controller", "is asked to end");
    } else {
        world_kill(world, "is killed");
    }
}

static void act_clock(struct actor *actor)
{
    static const time_ms jumps[] = {-HOUR_MS, -30000, -3000,
                                    3000,     30000,  HOUR_MS};
    const time_ms jump = DICE_PICK(&actor->dice, jumps);
    fake_clock_jump(jump);
    story("world", "the wall clock jumps by %lld ms", (long long)jump);
}

static void stop_goes(struct world *world, struct event *event)
{
    (void)event;
    if (world->stop_stands) {
        story("ann", "removes the STOP file");
    }
    world->stop_stands = false;
    check_stop_file(world->check, false);
}

static void act_stop(struct actor *actor)
{
    actor->world->stop_stands = true;
    check_stop_file(actor->world->check, true);
    story("ann", "creates the STOP file");
    world_event(actor->world, span(actor, 60000), stop_goes);
}

static void act_policy(struct actor *actor)
{
    struct world *world = actor->world;
    struct policy_file_world *file =
        &world->files[dice_roll(&actor->dice, world->plan.policies_count)];
    switch (dice_roll(&actor->dice, 4)) {
    case 0:
        file->broken = !file->broken;
        break;
    case 1:
        file->present = !file->present;
        break;
    default:
        file->present = true;
        file->plan.flavour = (uint8_t)dice_roll(&actor->dice, FLAVOURS);
        break;
    }
    world->files_version++;
    story("sre", "changes a policy: %s%s, flavour %d",
          file->present ? "there" : "gone", file->broken ? ", broken" : "",
          file->plan.flavour);
}

/* ---- people ------------------------------------------------------------- */

static void act_order(struct actor *actor)
{
    static const enum command_kind kinds[] = {
        COMMAND_ADOPT,    COMMAND_HOLD,     COMMAND_RESUME,  COMMAND_ROLLBACK,
        COMMAND_ROLLBACK, COMMAND_ROLLBACK, COMMAND_FREEZE,  COMMAND_THAW,
        COMMAND_OVERRIDE, COMMAND_ANNOUNCE, COMMAND_CLOSE,   COMMAND_CLOSE,
        COMMAND_APPROVE,  COMMAND_APPROVE,  COMMAND_APPROVE, COMMAND_CANCEL,
        COMMAND_CANCEL,   COMMAND_MUTE,     COMMAND_MUTE};
    struct request *request = request_new(actor->world, actor->service);
    request->kind = DICE_PICK(&actor->dice, kinds);
    request->span = dice_between(&actor->dice, 1000, 600000);
    if (request->kind == COMMAND_CANCEL) {
        request->span = 0; /* it has none of its own */
    }
    memcpy(request->version,
           dice_one_in(&actor->dice, 3) ? any_version(actor)->name
                                        : service_of(actor)->live,
           sizeof request->version);
    request_send(actor->world, request);
}

void world_act(struct world *world, const struct act *act)
{
    static void (*const acts[])(struct actor * actor) = {
        [ACT_DEPLOY] = act_deploy,     [ACT_DEPLOY_SILENT] = act_deploy_silent,
        [ACT_REGISTER] = act_register, [ACT_TARGET] = act_target,
        [ACT_SOURCE] = act_source,     [ACT_TROUBLE] = act_trouble,
        [ACT_DISK] = act_disk,         [ACT_SINK] = act_sink,
        [ACT_CRASH] = act_crash,       [ACT_CLOCK] = act_clock,
        [ACT_STOP] = act_stop,         [ACT_POLICY] = act_policy,
        [ACT_ORDER] = act_order,       [ACT_GATE] = act_gate,
    };
    struct actor actor = {world, {act->dice}, act->service};
    acts[act->kind](&actor);
}
