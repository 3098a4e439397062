/* People and pipelines at the door: what they ask, and whether they ask again
 * when the controller was busy, down, or killed before it answered. */
#include <assert.h>
#include <string.h>

#include "tests/simulator/world.h"

#define TRIES_MAX 12

struct request *request_new(struct world *world, uint8_t service)
{
    for (size_t i = 0; i < WORLD_REQUESTS_MAX; i++) {
        struct request *request = &world->requests[i];
        if (request->reply == 0) {
            *request =
                (struct request){.reply = ++world->replies, .service = service};
            (void)snprintf(request->reason, sizeof request->reason, "why-%llu",
                           (unsigned long long)request->reply);
            return request;
        }
    }
    check_fail("simulator", "too many requests at once");
}

static struct request *find(struct world *world, uint64_t reply)
{
    for (size_t i = 0; i < WORLD_REQUESTS_MAX; i++) {
        if (world->requests[i].reply == reply) {
            return &world->requests[i];
        }
    }
    return NULL;
}

static void try_again(struct world *world, struct event *event)
{
    struct request *request = find(world, event->number);
    if (request != NULL && request->life == 0) {
        request_send(world, request);
    }
}

static void try_later(struct world *world, struct request *request)
{
    if (++request->tries > TRIES_MAX) {
        request->reply = 0;
        return;
    }
    world_event(world, 1500 + (time_ms)request->tries * 500, try_again)
        ->number = request->reply;
}

/* ---- asking ------------------------------------------------------------- */

static const char *given(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

static struct input input_of_registration(const struct world *world,
                                          const struct request *request)
{
    const struct service_plan *plan = &world->plan.services[request->service];
    return (struct input){
        .kind = INPUT_REGISTER,
        .reply = request->reply,
        .by = request->reason,
        .registration = {.service = plan->name,
                         .environment = plan->environment,
                         .version = request->version,
                         .deployed_at = request->deployed_at,
                         .previous = given(request->previous),
                         .data_change = request->data_change,
                         .key = given(request->key),
                         .key_digest = given(request->digest)}};
}

static struct input input_of_command(const struct world *world,
                                     const struct request *request)
{
    const struct service_plan *plan = &world->plan.services[request->service];
    const struct core *core = driver_core(world->driver);
    struct service_view service = {0};
    struct release_view view = {0};
    (void)view_find_service(core, plan->name, plan->environment, &service);
    uint64_t release = view_find_release(core, plan->name, plan->environment,
                                         request->version);
    release = release != 0 ? release : service.release;
    (void)view_release(core, release, &view);
    return (struct input){
        .kind = INPUT_COMMAND,
        .reply = request->reply,
        .by = request->kind == COMMAND_ANNOUNCE ? request->reason : "ann",
        .command = {.kind = request->kind,
                    .release = release,
                    .incident = service.incident,
                    .rollback = view.rollback,
                    .service = plan->name,
                    .environment = plan->environment,
                    .version = request->version,
                    .reason = request->reason,
                    .span = request->span}};
}

void request_send(struct world *world, struct request *request)
{
    if (world->driver == NULL || world->is_dead) {
        try_later(world, request);
        return;
    }
    const struct input input = request->is_register
                                   ? input_of_registration(world, request)
                                   : input_of_command(world, request);
    const uint64_t reply = request->reply;
    story(request->is_register ? "pipeline" : "ann", "%s %s %s (%s)",
          request->is_register ? "registers" : command_name(request->kind),
          world->plan.services[request->service].name, request->version,
          request->reason);
    request->life = world->life;
    if (!driver_push(world->driver, &input)) {
        request = find(world, reply);
        request->life = 0;
        story("controller", "says: try again later");
        try_later(world, request);
    }
}

/* ---- the answer, or none ------------------------------------------------ */

void request_answered(void *data, const struct effect *effect)
{
    struct world *world = data;
    static const char *const words[] = {
        [OUTCOME_DONE] = "done",           [OUTCOME_ALREADY] = "already",
        [OUTCOME_UNWATCHED] = "unwatched", [OUTCOME_INVALID] = "invalid",
        [OUTCOME_NOT_FOUND] = "not found", [OUTCOME_CONFLICT] = "conflict",
        [OUTCOME_REFUSED] = "refused",     [OUTCOME_FULL] = "full"};
    if (world->is_dead) {
        return;
    }
    world_moment(world, MOMENT_EFFECT);
    struct request *request = find(world, effect->answer.reply);
    if (world->is_dead) {
        return;
    }
    if (request == NULL) {
        check_fail("answers", "request %llu was answered twice",
                   (unsigned long long)effect->answer.reply);
    }
    story("controller", "answers %s: %s: %s", request->reason,
          words[effect->answer.outcome], effect->answer.text);
    check_answer(world->check, request, effect);
    request->reply = 0;
}

/* The connection broke.  Half of those who have a key ask again. */
void requests_lost(struct world *world)
{
    for (size_t i = 0; i < WORLD_REQUESTS_MAX; i++) {
        struct request *request = &world->requests[i];
        if (request->reply == 0 || request->life == 0) {
            continue;
        }
        request->life = 0;
        if (request->key[0] != '\0' && dice_one_in(&world->dice, 2)) {
            try_later(world, request);
        } else {
            request->reply = 0;
        }
    }
}

bool requests_are_over(const struct world *world)
{
    for (size_t i = 0; i < WORLD_REQUESTS_MAX; i++) {
        if (world->requests[i].reply != 0) {
            return false;
        }
    }
    return true;
}
