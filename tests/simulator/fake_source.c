/* A metrics source: what was measured is the truth of what was live; what it
 * says of it depends on its mood. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policies/memory.h"
#include "tests/simulator/world.h"

#define LISTED_MAX 16

/* ---- the truth ---------------------------------------------------------- */

static bool is_bad(const struct world *world, uint8_t service, time_ms boot)
{
    const struct service_world *is = &world->services[service];
    const struct service_plan *plan = &world->plan.services[service];
    time_ms since = 0;
    const char *live = fake_target_live_at(world, service, boot, &since);
    if (boot >= is->trouble_from && boot < is->trouble_until) {
        return true;
    }
    for (size_t i = 0; i < PLAN_VERSIONS; i++) {
        if (strcmp(plan->versions[i].name, live) == 0) {
            return plan->versions[i].is_bad &&
                   boot >= since + plan->versions[i].onset;
        }
    }
    return false;
}

static enum source_mood mood_of(const struct world *world, uint16_t source)
{
    return clock_boot() < world->sources[source].mood_until
               ? world->sources[source].mood
               : SOURCE_WORKS;
}

static struct sample measure(struct world *world, uint8_t service,
                             bool is_errors, time_ms g, enum source_mood mood)
{
    const time_ms boot = g - (clock_wall() - clock_boot());
    struct sample sample = {.number = is_errors ? 0.1 : 100, .unknown = KNOWN};
    if (is_errors && is_bad(world, service, boot)) {
        sample.number = 20;
    }
    if (mood == SOURCE_FLICKERS) {
        mood = DICE_PICK(&world->dice,
                         ((enum source_mood[]){SOURCE_WORKS, SOURCE_HAS_GAPS,
                                               SOURCE_SAYS_NAN}));
    }
    if (mood == SOURCE_IS_IDLE) {
        sample.number = 0;
    } else if (mood == SOURCE_HAS_GAPS) {
        sample = (struct sample){.unknown = UNKNOWN_NO_DATA};
    } else if (mood == SOURCE_SAYS_NAN) {
        sample = (struct sample){.unknown = UNKNOWN_NAN};
    }
    return sample;
}

static int place_of(const struct world *world, const char *service)
{
    for (size_t i = 0; i < world->plan.services_count; i++) {
        if (strcmp(world->plan.services[i].name, service) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* ---- a query ------------------------------------------------------------ */

static void answer_samples(struct world *world, struct event *event)
{
    const struct core *core = NULL;
    struct query_view query = {0};
    struct series_view series = {0};
    uint32_t ids[LISTED_MAX];
    struct sample samples[LISTED_MAX];
    struct input input = {.kind = INPUT_SAMPLES,
                          .samples = {.query = (uint32_t)event->number,
                                      .g = event->g,
                                      .series = ids,
                                      .samples = samples}};
    size_t cursor = 0;
    if (!world_is_mine(world, event)) {
        return;
    }
    core = driver_core(world->driver);
    if (event->flag || !view_query(core, (uint32_t)event->number, &query)) {
        input.samples.error = "connection refused";
        (void)driver_push(world->driver, &input);
        return;
    }
    const enum source_mood mood = mood_of(world, query.source);
    const bool is_errors = strcmp(query.text, "errors") == 0;
    while (view_next_series(core, query.id, &cursor, &series)) {
        const int service = place_of(world, series.values[0]);
        assert(service >= 0);
        assert(input.samples.count < LISTED_MAX);
        const struct sample sample =
            measure(world, (uint8_t)service, is_errors, event->g, mood);
        check_sample(world->check, (uint8_t)service, is_errors, event->g,
                     &sample);
        if (sample.unknown == UNKNOWN_NO_DATA) {
            continue; /* an answer that does not list it */
        }
        ids[input.samples.count] = series.id;
        samples[input.samples.count++] = sample;
    }
    (void)driver_push(world->driver, &input);
}

static bool may_leave(struct world *world)
{
    if (!world->is_dead) {
        world_moment(world, MOMENT_EFFECT);
    }
    return !world->is_dead;
}

static uint16_t index_of(const struct world *world,
                         const struct source_adapter *source)
{
    return (uint16_t)(source - world->source_adapters);
}

static void ask(struct source_adapter *source, uint32_t query, time_ms g)
{
    struct world *world = world_current();
    if (!may_leave(world)) {
        return;
    }
    const uint16_t index = index_of(world, source);
    const time_ms timeout = world->plan.sources[index].timeout;
    const enum source_mood mood = mood_of(world, index);
    const bool late = mood == SOURCE_IS_LATE && !dice_one_in(&world->dice, 3);
    const time_ms delay =
        late ? dice_between(&world->dice, timeout / 2, 3 * timeout)
        : mood == SOURCE_IS_DOWN ? 5
                                 : dice_between(&world->dice, 5, 300);
    struct event *event = world_event(world, delay, answer_samples);
    event->life = world->life;
    event->number = query;
    event->g = g;
    event->flag = mood == SOURCE_IS_DOWN;
}

/* ---- the past ----------------------------------------------------------- */

static void fill_row(struct world *world, const struct event *event, time_ms g,
                     enum source_mood mood, struct sample *row)
{
    for (uint16_t i = 0; i < (uint16_t)event->g; i++) {
        uint32_t query_id = 0, series_id = 0;
        struct query_view query = {0};
        const struct core *core = driver_core(world->driver);
        row[i] = (struct sample){.unknown = UNKNOWN_NOT_ASKED};
        if (view_release_series(core, event->number, i, &query_id,
                                &series_id) &&
            view_query(core, query_id, &query)) {
            const bool is_errors = strcmp(query.text, "errors") == 0;
            row[i] = measure(world, event->service, is_errors, g, mood);
            if (is_errors) {
                check_past(world->check, event->service, &row[i]);
            }
        }
    }
}

/* event->g: how many signals the policy had when it was asked. */
static void answer_history(struct world *world, struct event *event)
{
    if (!world_is_mine(world, event)) {
        return;
    }
    const uint16_t source = world->plan.services[event->service].source;
    const enum source_mood mood = mood_of(world, source);
    struct input input = {.kind = INPUT_HISTORY, .history = {.id = event->id}};
    if (mood == SOURCE_IS_DOWN || mood == SOURCE_FORGETS) {
        input.history.error = "connection refused";
        (void)driver_push(world->driver, &input);
        return;
    }
    const size_t rows = (size_t)((event->to - event->from) / event->every) + 1;
    assert(rows <= HISTORY_ROWS_MAX);
    struct sample *samples =
        memory_zeroed(rows * (size_t)event->g + 1, sizeof *samples);
    for (size_t row = 0; row < rows; row++) {
        fill_row(world, event, event->from + (time_ms)row * event->every, mood,
                 &samples[row * (size_t)event->g]);
    }
    input.history.history =
        (struct history){.from = event->from, .rows = rows, .samples = samples};
    (void)driver_push(world->driver, &input);
    free(samples);
}

static void ask_history(struct source_adapter *source,
                        const struct effect *effect)
{
    struct world *world = world_current();
    (void)source;
    if (!may_leave(world)) {
        return;
    }
    struct event *event =
        world_event(world, dice_between(&world->dice, 20, 800), answer_history);
    event->life = world->life;
    event->id = effect->id;
    event->service = world_place(world, effect->service);
    event->number = effect->history.release;
    event->from = effect->history.from;
    event->to = effect->history.to;
    event->every = effect->history.every;
    event->g = effect->history.policy->signals;
}

static void close_source(struct source_adapter *source)
{
    (void)source;
}

static const struct source_ops ops = {ask, ask_history, close_source};

struct source_adapter *fake_source(struct driver *driver, uint16_t index)
{
    struct world *world = driver_loop(driver)->data;
    world->driver = driver;
    world->source_adapters[index].ops = &ops;
    return &world->source_adapters[index];
}
