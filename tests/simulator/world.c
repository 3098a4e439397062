#include "tests/simulator/world.h"

#include <assert.h>
#include <string.h>

#include "controller/runtime/driver_inside.h"
#include "tests/simulator/fake_clock.h"

/* A whole minute long ago. */
#define WALL_BEGIN 1699999200000LL
/* In calm something must be seen, and everything be over. */
#define CALM_LEAST_MS (75 * SECOND_MS)
#define CALM_MOST_MS  (40 * MINUTE_MS)

static struct world *current;

struct world *world_current(void)
{
    return current;
}

/* ---- what will happen --------------------------------------------------- */

struct event *world_event(struct world *world, time_ms delay,
                          void (*happen)(struct world *, struct event *))
{
    assert(delay >= 0);
    assert(world->events_count < WORLD_EVENTS_MAX);
    struct event *event = &world->events[world->events_count++];
    *event = (struct event){
        .at = clock_boot() + delay, .order = world->order++, .happen = happen};
    return event;
}

static size_t first_event(const struct world *world)
{
    size_t first = 0;
    for (size_t i = 1; i < world->events_count; i++) {
        const struct event *a = &world->events[i];
        const struct event *b = &world->events[first];
        if (a->at < b->at || (a->at == b->at && a->order < b->order)) {
            first = i;
        }
    }
    return first;
}

static time_ms next_event_at(const struct world *world)
{
    return world->events_count == 0 ? TIME_NEVER
                                    : world->events[first_event(world)].at;
}

/* One that is due; false when none is. */
static bool happen(struct world *world)
{
    if (next_event_at(world) > clock_boot()) {
        return false;
    }
    const size_t first = first_event(world);
    struct event event = world->events[first];
    world->events[first] = world->events[--world->events_count];
    event.happen(world, &event);
    return true;
}

bool world_is_mine(const struct world *world, const struct event *event)
{
    return world->driver != NULL && !world->is_dead &&
           event->life == world->life;
}

uint8_t world_place(const struct world *world, uint16_t service)
{
    struct service_view view = {0};
    const bool found = view_service(driver_core(world->driver), service, &view);
    assert(found);
    for (uint8_t i = 0; i < world->plan.services_count; i++) {
        if (strcmp(world->plan.services[i].name, view.service) == 0) {
            return i;
        }
    }
    check_fail("simulator", "a service that is not in the plan");
}

/* ---- acts at their moment ----------------------------------------------- */

static void act_now(struct world *world, struct event *event)
{
    if (!world->is_calm) {
        world_act(world, &world->plan.acts[event->number]);
    }
}

void world_moment(struct world *world, enum moment moment)
{
    const uint32_t nth = ++world->moments[moment];
    for (size_t i = 0; i < world->plan.acts_count && !world->is_calm; i++) {
        const struct act *act = &world->plan.acts[i];
        if (act->left_out || act->moment != moment || act->nth != nth) {
            continue;
        }
        if (act->kind == ACT_CRASH && act->delay == 0) {
            world_act(world, act);
        } else {
            world_event(world, act->delay, act_now)->number = i;
        }
    }
}

/* ---- the core's steps --------------------------------------------------- */

void __real_core_step(struct core *core, const struct input *input,
                      struct decision *ret_decision);
void __wrap_core_step(struct core *core, const struct input *input,
                      struct decision *ret_decision);

static void tell_record(const struct record *record)
{
    if (!story_is_heard()) {
        return;
    }
    story("core", "%llu %s%s%s %s%s%s %s%s%s%s %s",
          (unsigned long long)record->sequence, record_kind_name(record->kind),
          record->service[0] ? " of " : "", record->service, record->version,
          record->target_version[0] ? " -> " : "", record->target_version,
          record->kind == RECORD_ROLLBACK_MOVED
              ? rollback_state_name(record->rollback_state)
          : record->kind == RECORD_RELEASE_MOVED
              ? release_state_name(record->state)
              : record->verdict_kind,
          record->code[0] ? " (" : "", record->code, record->code[0] ? ")" : "",
          record->text);
}

static void note_moments(struct world *world, const struct record *record)
{
    if (record->kind == RECORD_VERDICT &&
        strcmp(record->verdict_kind, "rollback") == 0) {
        world_moment(world, MOMENT_VERDICT);
    }
    if (record->kind == RECORD_ROLLBACK_PROPOSED) {
        world_moment(world, MOMENT_PROPOSED);
    }
    if (record->kind == RECORD_ROLLBACK_MOVED &&
        record->rollback_state == ROLLBACK_INTENDED) {
        world_moment(world, MOMENT_INTENDED);
    }
    if (record->kind == RECORD_ROLLBACK_MOVED &&
        record->rollback_state == ROLLBACK_VERIFYING) {
        world_moment(world, MOMENT_VERIFYING);
    }
    if (record->kind == RECORD_STARTED) {
        world_moment(world, MOMENT_STARTED);
    }
}

void __wrap_core_step(struct core *core, const struct input *input,
                      struct decision *ret_decision)
{
    struct world *world = current;
    __real_core_step(core, input, ret_decision);
    core_check(core);
    world->steps++;
    for (size_t i = 0; i < ret_decision->records_count && !world->is_dead;
         i++) {
        tell_record(&ret_decision->records[i]);
    }
    for (size_t i = 0; i < ret_decision->records_count && !world->is_dead;
         i++) {
        note_moments(world, &ret_decision->records[i]);
    }
    if (!world->is_dead && ret_decision->records_count > 0) {
        world_moment(world, MOMENT_STEP);
    }
}

/* ---- the controller lives and dies -------------------------------------- */

static void on_stopped(void *data)
{
    struct world *world = data;
    world->is_stopped = true;
}

/* The daemon exits, and is started again by whoever watches over it. */
static void on_lost(void *data, const char *error)
{
    (void)error;
    world_kill(data, "exits, because its journal is lost");
}

static void start(struct world *world)
{
    char error[512] = "";
    struct driver_options options = {
        .loop = &world->loop.uv,
        .config = &world->config,
        .makers = {fake_source, fake_target, fake_notice, fake_action},
        .stopped = on_stopped,
        .lost = on_lost,
        .data = world};
    world->life++;
    world->starts_at = 0;
    world->is_dead = false;
    world->is_stopped = false;
    story("controller", "starts (life %u)", world->life);
    fake_loop_begin(&world->loop, world);
    check_started(world->check, world->life);
    /* Adapters know it before it is returned. */
    world->driver =
        driver_new_on_store(&options, &world->disk.store, error, sizeof error);
    if (world->driver == NULL && error[0] != '\0') {
        check_fail("recovery", "it does not start again: %s", error);
    }
    driver_on_answer(world->driver, request_answered, world);
}

void world_kill(struct world *world, const char *why)
{
    if (world->is_dead) {
        return;
    }
    story("controller", "%s", why);
    fake_disk_killed(world);
    world->is_dead = true;
    check_down(world->check);
}

/* What the dead one still holds is given back; nothing of it gets out. */
static void bury(struct world *world)
{
    driver_stop(world->driver);
    for (int turns = 0; turns < 4 && !world->is_stopped; turns++) {
        fake_loop_poll(&world->loop);
    }
    assert(world->is_stopped);
    world->driver = NULL;
    if (!world->is_dead) { /* it was asked to end */
        check_down(world->check);
        world->is_dead = true;
    }
    requests_lost(world);
}

/* ---- time --------------------------------------------------------------- */

static void run_down(struct world *world, time_ms until)
{
    while (happen(world)) {
    }
    time_ms next = next_event_at(world);
    next = world->starts_at < next ? world->starts_at : next;
    fake_clock_advance(next < until ? next : until);
    if (clock_boot() >= world->starts_at) {
        start(world);
    }
}

static void run_up(struct world *world, time_ms until)
{
    fake_loop_turn(&world->loop);
    if (world->is_dead || world->starts_at > 0) {
        return;
    }
    time_ms next = fake_loop_wakes_at(&world->loop);
    const time_ms event = next_event_at(world);
    next = event < next ? event : next;
    next = next < until ? next : until;
    fake_clock_advance(next > clock_boot() ? next : clock_boot());
    fake_loop_poll(&world->loop);
    while (!world->is_dead && world->starts_at == 0 && happen(world)) {
    }
}

/* Until @until, or until it is quiet when @or_quiet. */
static void run(struct world *world, time_ms until)
{
    while (clock_boot() < until) {
        if (world->driver == NULL) {
            run_down(world, until);
        } else {
            run_up(world, until);
        }
        if (world->driver != NULL && (world->is_dead || world->starts_at > 0)) {
            bury(world);
            world->starts_at =
                world->starts_at > 0 ? world->starts_at : clock_boot() + 2000;
        }
    }
}

/* ---- a life ------------------------------------------------------------- */

static void begin(struct world *world, const struct plan *plan)
{
    *world = (struct world){.plan = *plan, .dice = {~plan->seed}};
    current = world;
    fake_clock_begin(WALL_BEGIN +
                     dice_between(&world->dice, 0, 60) * SECOND_MS);
    world->check = check_new(&world->plan);
    world_configure(world);
    fake_readers_begin();
    fake_disk_begin(world);
    fake_target_begin(world);
    world->files_version = 1;
    for (size_t i = 0; i < plan->policies_count; i++) {
        world->files[i] =
            (struct policy_file_world){true, false, plan->policies[i]};
    }
    start(world);
    for (uint8_t i = 0; i < plan->services_count; i++) {
        struct request *adopt = request_new(world, i);
        adopt->kind = COMMAND_ADOPT;
        (void)snprintf(adopt->version, sizeof adopt->version, "%s",
                       plan->services[i].versions[0].name);
        request_send(world, adopt);
    }
    for (size_t i = 0; i < plan->acts_count; i++) {
        if (plan->acts[i].moment == MOMENT_TIME && !plan->acts[i].left_out) {
            world_event(world, plan->acts[i].delay, act_now)->number = i;
        }
    }
}

/* All peers work again. */
static void calm_down(struct world *world)
{
    story("world", "nothing goes wrong any more");
    world->is_calm = true;
    world->stop_stands = false;
    check_stop_file(world->check, false);
    world->sinks_hang_until = 0;
    fake_disk_heal(world);
    for (size_t i = 0; i < world->plan.services_count; i++) {
        world->services[i].mood_until = 0;
        if (world->services[i].trouble_until > clock_boot()) {
            world->services[i].trouble_until = clock_boot();
        }
    }
    for (size_t i = 0; i < world->plan.sources_count; i++) {
        world->sources[i].mood_until = 0;
    }
    for (size_t i = 0; i < WORLD_FILES_MAX; i++) {
        world->files[i].broken = false;
    }
    world->files_version++;
    check_calm(world->check);
}

static bool is_quiet(const struct world *world)
{
    return world->driver != NULL && !world->is_dead &&
           requests_are_over(world) && world->driver->held_count == 0 &&
           world->disk.durable == core_sequence(driver_core(world->driver)) &&
           check_is_quiet(world->check, driver_core(world->driver));
}

static void live_in_calm(struct world *world)
{
    const time_ms began = clock_boot();
    calm_down(world);
    run(world, began + CALM_LEAST_MS);
    while (!is_quiet(world) && clock_boot() < began + CALM_MOST_MS) {
        run(world, clock_boot() + 5 * SECOND_MS);
    }
    if (!is_quiet(world)) {
        check_fail("liveness", "after 40 calm minutes it is not quiet");
    }
}

static void end(struct world *world)
{
    check_end(world->check, driver_core(world->driver), world->disk.memory,
              &world->config.core);
    world_kill(world, "ends with its world");
    bury(world);
    fake_disk_end(world);
    check_free(world->check);
}

void world_live(struct world *world, const struct plan *plan)
{
    begin(world, plan);
    run(world, clock_boot() + plan->storm);
    live_in_calm(world);
    end(world);
}
