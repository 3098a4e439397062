/* People who are told, and actions that are run. */
#include "tests/simulator/world.h"

#include <assert.h>

static void done(struct world *world, struct event *event)
{
    if (!world_is_mine(world, event)) {
        return;
    }
    if (clock_boot() < world->sinks_hang_until) {
        struct event *again =
            world_event(world, world->sinks_hang_until - clock_boot(), done);
        again->life = event->life;
        again->kind = event->kind;
        again->number = event->number;
        return;
    }
    const bool is_notice = event->kind == EFFECT_NOTIFY;
    if (is_notice) {
        check_delivered(world->check, event->number);
    }
    const struct input input = {
        .kind = is_notice ? INPUT_NOTICE_DONE : INPUT_ACTION_DONE,
        .done = {.id = event->number, .delivered = true, .text = "200 OK"}};
    (void)driver_push(world->driver, &input);
}

static void carry(struct notice_adapter *notice, const struct effect *effect)
{
    struct world *world = world_current();
    (void)notice;
    if (world->is_dead) {
        return;
    }
    world_moment(world, MOMENT_EFFECT);
    if (world->is_dead) {
        return;
    }
    const bool is_notice = effect->kind == EFFECT_NOTIFY;
    if (is_notice) {
        check_sent(world->check, effect->notify.notice);
        story("controller", "tells %s: %s", effect->notify.sink,
              effect->notify.text);
    }
    struct event *event =
        world_event(world, dice_between(&world->dice, 5, 400), done);
    event->life = world->life;
    event->kind = effect->kind;
    event->number = is_notice ? effect->notify.notice : effect->run.action;
}

static void close_sink(struct notice_adapter *notice)
{
    (void)notice;
}

static const struct notice_ops ops = {carry, close_sink};

struct notice_adapter *fake_notice(struct driver *driver, uint16_t index)
{
    struct world *world = driver_loop(driver)->data;
    world->notice_adapters[index].ops = &ops;
    return &world->notice_adapters[index];
}

struct notice_adapter *fake_action(struct driver *driver, uint16_t index)
{
    struct world *world = driver_loop(driver)->data;
    world->action_adapters[index].ops = &ops;
    return &world->action_adapters[index];
}
