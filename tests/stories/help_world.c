#include "help_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what the story sets ----------------------------------------------- */

struct world_service *story_world(struct story *story, const char *service)
{
    for (size_t i = 0; i < story->world_count; i++) {
        if (strcmp(story->world[i].name, service) == 0) {
            return &story->world[i];
        }
    }
    fail_msg("no service %s", service);
    return NULL;
}

void story_deploy(struct story *story, const char *service, const char *version,
                  time_ms rollout)
{
    struct world_service *world = story_world(story, service);
    snprintf(world->coming, sizeof world->coming, "%s", version);
    world->comes_at = story->now;
    world->ready_at = story->now + rollout;
}

void story_metric_at(struct story *story, const char *query,
                     const char *service, time_ms from, double value)
{
    assert_true(story->lines_count < STORY_LINES_MAX);
    struct world_line *line = &story->lines[story->lines_count++];
    snprintf(line->query, sizeof line->query, "%s", query);
    snprintf(line->service, sizeof line->service, "%s", service);
    line->from = from;
    line->value = value;
}

void story_metric(struct story *story, const char *query, const char *service,
                  double value)
{
    story_metric_at(story, query, service, story->now, value);
}

void story_metric_unknown(struct story *story, const char *query,
                          const char *service, enum unknown unknown)
{
    story_metric(story, query, service, 0);
    story->lines[story->lines_count - 1].unknown = unknown;
}

/* ---- metrics ----------------------------------------------------------- */

/* Before any line: nothing is there. */
static struct sample measure(const struct story *story, const char *query,
                             const char *service, time_ms g)
{
    struct sample sample = {.unknown = UNKNOWN_NO_DATA};
    for (size_t i = 0; i < story->lines_count; i++) {
        const struct world_line *line = &story->lines[i];
        if (strcmp(line->query, query) == 0 &&
            (strcmp(line->service, service) == 0 ||
             strcmp(line->service, "*") == 0) &&
            line->from <= g) {
            sample = (struct sample){line->value, line->unknown};
        }
    }
    return sample;
}

static bool source_is_down(const struct story *story)
{
    return story->now >= story->source_down_from &&
           story->now < story->source_down_until;
}

static void answer_query(struct story *story, const struct effect *effect,
                         struct world_answer *answer)
{
    struct query_view query;
    struct input *input = &answer->input;
    input->kind = INPUT_SAMPLES;
    input->samples.query = effect->query.query;
    input->samples.g = effect->query.g;
    if (!view_query(story->core, effect->query.query, &query) ||
        source_is_down(story)) {
        input->samples.error = "prom: connection refused";
        return;
    }
    size_t cursor = 0, count = 0;
    struct series_view series;
    while (view_next_series(story->core, query.id, &cursor, &series)) {
        struct sample sample =
            measure(story, query.text, series.selects ? series.values[0] : "",
                    effect->query.g);
        if (sample.unknown == UNKNOWN_NO_DATA) {
            continue; /* an answer that does not list it */
        }
        assert_true(count < STORY_SERVICES_MAX);
        answer->series[count] = series.id;
        answer->samples[count++] = sample;
    }
    input->samples.series = answer->series;
    input->samples.samples = answer->samples;
    input->samples.count = count;
}

static struct sample measure_signal(struct story *story,
                                    const struct effect *effect,
                                    uint16_t signal, time_ms g)
{
    uint32_t query_id = 0, series_id = 0;
    struct query_view query;
    if (!view_release_series(story->core, effect->history.release, signal,
                             &query_id, &series_id) ||
        !view_query(story->core, query_id, &query)) {
        return (struct sample){.unknown = UNKNOWN_SOURCE_ERROR};
    }
    size_t cursor = 0;
    struct series_view series;
    while (view_next_series(story->core, query_id, &cursor, &series)) {
        if (series.id == series_id) {
            return measure(story, query.text,
                           series.selects ? series.values[0] : "", g);
        }
    }
    return (struct sample){.unknown = UNKNOWN_SOURCE_ERROR};
}

static void answer_history(struct story *story, const struct story_event *event,
                           struct world_answer *answer)
{
    const struct effect *effect = &event->effect;
    struct input *input = &answer->input;
    input->kind = INPUT_HISTORY;
    input->history.id = effect->id;
    if (source_is_down(story) || story->history_fails) {
        input->history.error = "connection refused";
        return;
    }
    time_ms every = effect->history.every;
    size_t rows =
        (size_t)((effect->history.to - effect->history.from) / every) + 1;
    assert_true(rows <= HISTORY_ROWS_MAX);
    answer->rows = calloc(rows * event->signals + 1, sizeof *answer->rows);
    assert_non_null(answer->rows);
    for (size_t row = 0; row < rows; row++) {
        for (uint16_t i = 0; i < event->signals; i++) {
            answer->rows[row * event->signals + i] = measure_signal(
                story, effect, i, effect->history.from + (time_ms)row * every);
        }
    }
    input->history.history = (struct history){
        .from = effect->history.from, .rows = rows, .samples = answer->rows};
}

/* ---- the deployment API ------------------------------------------------ */

static struct world_service *world_of(struct story *story,
                                      const struct effect *effect)
{
    struct service_view view;
    assert_true(view_service(story->core, effect->service, &view));
    return story_world(story, view.service);
}

static void roll_on(struct story *story, struct world_service *world)
{
    if (world->coming[0] && story->now >= world->comes_at) {
        snprintf(world->live, sizeof world->live, "%s", world->coming);
        world->complete = story->now >= world->ready_at;
        if (world->complete) {
            world->coming[0] = '\0';
        }
    }
}

static void unclear(struct world_answer *answer)
{
    answer->input.target.result = TARGET_UNCLEAR;
    answer->input.target.text = "503 Service Unavailable";
}

static void answer_observe(struct story *story, const struct story_event *event,
                           struct world_answer *answer)
{
    struct world_service *world = world_of(story, &event->effect);
    roll_on(story, world);
    if (world->observe != DEPLOYER_WORKS) {
        unclear(answer);
        return;
    }
    bool early = event->live[0] != '\0';
    snprintf(answer->version, sizeof answer->version, "%s",
             early ? event->live : world->live);
    answer->input.target.result = TARGET_OBSERVED;
    answer->input.target.version = answer->version;
    answer->input.target.complete = early ? event->complete : world->complete;
}

static void carry_out_revert(struct story *story, const struct effect *effect)
{
    struct world_service *world = world_of(story, effect);
    roll_on(story, world);
    if (strcmp(world->live, effect->target.target) != 0) {
        world->reverts++;
        if (story->on_revert) {
            story->on_revert(story, effect);
        }
    }
    memcpy(world->key, effect->target.key, sizeof world->key);
    snprintf(world->coming, sizeof world->coming, "%s", effect->target.target);
    world->comes_at = story->now;
    world->ready_at = story->now + world->rollout;
}

/* A platform that compares and swaps does no call twice, and none that
 * expects what is not so.  True when @answer is all there is. */
static bool refuses(struct story *story, const struct effect *effect,
                    struct world_answer *answer)
{
    struct world_service *world = world_of(story, effect);
    roll_on(story, world);
    bool again = strcmp(world->key, effect->target.key) == 0;
    bool fits = strcmp(world->live, effect->target.suspect) == 0;
    if (!world->strict || (fits && !again)) {
        return false;
    }
    bool there = strcmp(world->live, effect->target.target) == 0;
    answer->input.target.result =
        again || there ? TARGET_ACCEPTED : TARGET_RACED;
    return true;
}

static void answer_revert(struct story *story, const struct effect *effect,
                          struct world_answer *answer)
{
    if (refuses(story, effect, answer)) {
        return;
    }
    switch (world_of(story, effect)->revert) {
    case DEPLOYER_WORKS:
        carry_out_revert(story, effect);
        answer->input.target.result = TARGET_ACCEPTED;
        break;
    case DEPLOYER_IGNORES:
        answer->input.target.result = TARGET_ACCEPTED;
        break;
    case DEPLOYER_LOSES_ANSWER:
        carry_out_revert(story, effect);
        unclear(answer);
        break;
    case DEPLOYER_FAILS:
    case DEPLOYER_HANGS:
        unclear(answer);
        break;
    case DEPLOYER_REJECTS:
        answer->input.target.result = TARGET_REJECTED;
        answer->input.target.text = "403 Forbidden";
        break;
    case DEPLOYER_RACES:
        answer->input.target.result = TARGET_RACED;
        break;
    }
}

static void answer_has(struct story *story, const struct effect *effect,
                       struct world_answer *answer)
{
    struct world_service *world = world_of(story, effect);
    if (world->has != DEPLOYER_WORKS) {
        unclear(answer);
        return;
    }
    answer->input.target.result = TARGET_OBSERVED;
    answer->input.target.has = !world->target_gone;
}

static bool hangs(struct story *story, const struct effect *effect)
{
    const struct world_service *world = world_of(story, effect);
    return (effect->kind == EFFECT_OBSERVE &&
            world->observe == DEPLOYER_HANGS) ||
           (effect->kind == EFFECT_REVERT && world->revert == DEPLOYER_HANGS) ||
           (effect->kind == EFFECT_HAS && world->has == DEPLOYER_HANGS);
}

/* ---- answering --------------------------------------------------------- */

static bool is_call(const struct effect *effect)
{
    return effect->kind == EFFECT_OBSERVE || effect->kind == EFFECT_HAS ||
           effect->kind == EFFECT_REVERT;
}

void world_ask(struct story *story, struct story_event *event)
{
    event->at = story->now + (event->effect.kind == EFFECT_QUERY ? 100 : 50);
    event->signals = event->effect.kind == EFFECT_HISTORY
                         ? event->effect.history.policy->signals
                         : 0;
    if (!is_call(&event->effect)) {
        return;
    }
    struct world_service *world = world_of(story, &event->effect);
    event->at = world->takes ? story->now + world->takes : event->at;
    if (world->reads_first) {
        roll_on(story, world);
        memcpy(event->live, world->live, sizeof event->live);
        event->complete = world->complete;
    }
}

bool world_answer(struct story *story, const struct story_event *event,
                  struct world_answer *answer)
{
    const struct effect *effect = &event->effect;
    memset(answer, 0, sizeof *answer);
    switch (effect->kind) {
    case EFFECT_QUERY:
        answer_query(story, effect, answer);
        return !story->source_hangs;
    case EFFECT_HISTORY:
        answer_history(story, event, answer);
        return true;
    case EFFECT_OBSERVE:
    case EFFECT_HAS:
    case EFFECT_REVERT:
        answer->input.kind = INPUT_TARGET;
        answer->input.target.id = effect->id;
        if (hangs(story, effect)) {
            return false;
        }
        if (effect->kind == EFFECT_OBSERVE) {
            answer_observe(story, event, answer);
        } else if (effect->kind == EFFECT_HAS) {
            answer_has(story, effect, answer);
        } else {
            answer_revert(story, effect, answer);
        }
        return true;
    case EFFECT_NOTIFY:
        answer->input.kind = INPUT_NOTICE_DONE;
        answer->input.done.id = effect->notify.notice;
        answer->input.done.delivered = true;
        return !story->sinks_hang;
    case EFFECT_RUN:
        answer->input.kind = INPUT_ACTION_DONE;
        answer->input.done.id = effect->run.action;
        answer->input.done.delivered = true;
        return !story->sinks_hang;
    case EFFECT_ANSWER:
    case EFFECT_POLICY_RELEASED:
        break;
    }
    return false;
}

void world_after_crash(struct story *story)
{
    for (size_t i = 0; i < story->events_count; i++) {
        const struct effect *effect = &story->events[i].effect;
        struct world_answer answer;
        if (effect->kind == EFFECT_REVERT &&
            world_of(story, effect)->revert == DEPLOYER_WORKS &&
            !refuses(story, effect, &answer)) {
            carry_out_revert(story, effect);
        }
    }
}
