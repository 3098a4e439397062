#include "help_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "help_transcript.h"
#include "help_world.h"
#include "policies/read/policy_read.h"

const char STORY_POLICY[] = STORY_POLICY_YAML;

static void *zeroed(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    assert_non_null(memory);
    return memory;
}

static void copy(char *ret_text, size_t size, const char *text)
{
    assert_true(strlen(text) < size);
    strcpy(ret_text, text);
}

static void fill_options(struct story *story)
{
    story->source = (struct source_option){.name = "prom",
                                           .fetch = FETCH_PROMETHEUS,
                                           .lag = 2 * SECOND_MS,
                                           .timeout = 5 * SECOND_MS};
    story->target = (struct target_option){.name = "deployer",
                                           .deadline = 10 * MINUTE_MS,
                                           .timeout = 10 * SECOND_MS};
    story->options = (struct core_options){
        .services_max = STORY_SERVICES_MAX,
        .releases_max = 3 * STORY_SERVICES_MAX,
        .series_max = 3 * STORY_SERVICES_MAX,
        .ceiling = MODE_AUTO,
        .per_service = {1, 30 * MINUTE_MS},
        .fleet = {3, 10 * MINUTE_MS},
        .shared_services = 3,
        .shared_share = 0.3,
        .shared_window = 5 * MINUTE_MS,
        .services = story->services,
        .sources = &story->source,
        .targets = &story->target,
        .sources_count = 1,
        .targets_count = 1,
        .page = {"oncall"},
        .pages_count = 1,
        .seed = 7,
        .version = "test",
    };
}

struct story *story_new(const char *const *services, size_t count)
{
    struct story *story = zeroed(1, sizeof *story);
    story->decision = zeroed(1, sizeof *story->decision);
    story->now = STORY_START;
    fill_options(story);
    assert_true(count <= STORY_SERVICES_MAX);
    for (size_t i = 0; i < count; i++) {
        struct service_option *option = &story->services[i];
        copy(option->service, sizeof option->service, services[i]);
        copy(option->environment, sizeof option->environment, "prod");
        option->ceiling = MODE_AUTO;
        struct world_service *world = &story->world[i];
        copy(world->name, sizeof world->name, services[i]);
        copy(world->live, sizeof world->live, "1.0");
        world->complete = true;
        world->rollout = 5 * SECOND_MS;
    }
    story->options.services_count = count;
    story->world_count = count;
    return story;
}

void story_start(struct story *story)
{
    story->core = core_new(&story->options);
    struct input input = {.kind = INPUT_STARTED};
    story_input(story, &input);
}

/* ---- the usual beginning ------------------------------------------------ */

struct story *story_settled(void)
{
    static const char *const shop[] = {"shop"};
    struct story *story = story_new(shop, 1);
    story_metric_at(story, "requests", "shop", STORY_START - HOUR_MS, 100);
    story_metric_at(story, "errors", "shop", STORY_START - HOUR_MS, 0.1);
    story_start(story);
    story_policy(story, STORY_POLICY);
    story_adopt(story, "shop", "1.0");
    story_run(story, 5 * MINUTE_MS);
    story_skip(story);
    return story;
}

struct story *story_deployed(void)
{
    struct story *story = story_settled();
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    story_run(story, 5 * MINUTE_MS);
    story_skip(story);
    return story;
}

void story_hurt(struct story *story, bool hurt)
{
    story_metric(story, "errors", "shop", hurt ? 20 : 0.1);
}

/* ---- a step ------------------------------------------------------------ */

static void journal_add(struct story *story, const struct record *record)
{
    if (story->journal_count == story->journal_max) {
        story->journal_max = story->journal_max ? 2 * story->journal_max : 256;
        story->journal = realloc(story->journal,
                                 story->journal_max * sizeof *story->journal);
        assert_non_null(story->journal);
        story->journal_lengths =
            realloc(story->journal_lengths,
                    story->journal_max * sizeof *story->journal_lengths);
        assert_non_null(story->journal_lengths);
    }
    size_t length = 0;
    story->journal[story->journal_count] = record_to_json(record, &length);
    assert_non_null(story->journal[story->journal_count]);
    story->journal_lengths[story->journal_count] = length;
    story->journal_count++;
}

static void event_add(struct story *story, const struct effect *effect)
{
    assert_true(story->events_count < STORY_EVENTS_MAX);
    struct story_event *event = &story->events[story->events_count++];
    memset(event, 0, sizeof *event);
    event->order = story->order++;
    event->effect = *effect;
    world_ask(story, event);
}

static void carry_out(struct story *story, const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_ANSWER:
        story->answer = *effect;
        break;
    case EFFECT_POLICY_RELEASED:
        policy_free(effect->policy);
        break;
    case EFFECT_REVERT:
        assert_true(effect->needs > 0);
        assert_true(effect->needs <= story->journal_count);
        assert_true(effect->target.urgent);
        story->reverted = *effect;
        event_add(story, effect);
        break;
    case EFFECT_QUERY:
    case EFFECT_HISTORY:
    case EFFECT_OBSERVE:
    case EFFECT_HAS:
    case EFFECT_NOTIFY:
    case EFFECT_RUN:
        story->queries += effect->kind == EFFECT_QUERY;
        story->notified =
            effect->kind == EFFECT_NOTIFY ? *effect : story->notified;
        story->observed =
            effect->kind == EFFECT_OBSERVE ? *effect : story->observed;
        event_add(story, effect);
        break;
    }
}

static void lose(const struct effect *effect)
{
    if (effect->kind == EFFECT_POLICY_RELEASED) {
        policy_free(effect->policy);
    }
}

/* The power goes before the step's effects leave; its records may be lost. */
static void kill_in_time(struct story *story, size_t records)
{
    if (story->kill_at == 0 || story->steps < story->kill_at) {
        return;
    }
    story->crashed = true;
    story->kill_at = 0;
    for (size_t i = 0; story->loses_last && i < records; i++) {
        free(story->journal[--story->journal_count]);
    }
}

void story_input(struct story *story, struct input *input)
{
    input->now = story->now;
    core_step(story->core, input, story->decision);
    story->steps++;
    const struct decision *decision = story->decision;
    for (size_t i = 0; i < decision->records_count; i++) {
        journal_add(story, &decision->records[i]);
        if (story->on_record) {
            story->on_record(story, &decision->records[i]);
        }
        transcript_record(story, &decision->records[i]);
    }
    core_check(story->core);
    kill_in_time(story, decision->records_count);
    for (size_t i = 0; i < decision->effects_count; i++) {
        const struct effect *effect = &decision->effects[i];
        if (story->crashed) {
            lose(effect);
            continue;
        }
        transcript_effect(story, effect);
        if (story->on_effect) {
            story->on_effect(story, effect);
        }
        carry_out(story, effect);
    }
}

/* ---- time -------------------------------------------------------------- */

static size_t first_event(const struct story *story)
{
    size_t first = 0;
    for (size_t i = 1; i < story->events_count; i++) {
        if (story->events[i].at < story->events[first].at ||
            (story->events[i].at == story->events[first].at &&
             story->events[i].order < story->events[first].order)) {
            first = i;
        }
    }
    return first;
}

static void deliver(struct story *story, size_t index)
{
    static struct story_event event;
    event = story->events[index];
    story->events[index] = story->events[--story->events_count];
    static struct world_answer answer;
    if (world_answer(story, &event, &answer)) {
        if (story->on_answer) {
            story->on_answer(story, &event.effect, &answer.input);
        }
        story_input(story, &answer.input);
    }
    free(answer.rows);
    answer.rows = NULL;
}

/* One thing happens, not after @until; false when there is none. */
static bool advance(struct story *story, time_ms until)
{
    time_ms due = core_deadline(story->core);
    size_t first = first_event(story);
    time_ms event =
        story->events_count > 0 ? story->events[first].at : TIME_NEVER;
    time_ms next = due < event ? due : event;
    if (next > until) {
        return false;
    }
    story->now = next > story->now ? next : story->now;
    if (event <= due) {
        deliver(story, first);
    } else {
        struct input input = {.kind = INPUT_TICK};
        story_input(story, &input);
    }
    return true;
}

void story_run(struct story *story, time_ms span)
{
    time_ms until = story->now + span;
    size_t limit = story->steps + 1000000;
    while (!story->crashed && advance(story, until)) {
        assert_true(story->steps < limit);
    }
    if (!story->crashed) {
        story->now = until;
    }
}

void story_run_until(struct story *story, const char *line, time_ms at_most)
{
    time_ms until = story->now + at_most;
    while (!strstr(story->transcript, line) && !story->crashed) {
        if (!advance(story, until)) {
            print_message("%s", story->transcript);
            fail_msg("never: %s", line);
        }
    }
}

/* ---- the doors --------------------------------------------------------- */

static struct policy *compile(const char *yaml, size_t length)
{
    struct problems *problems = zeroed(1, sizeof *problems);
    problems_init(problems, "story.yaml");
    struct policy *policy = policy_read("story.yaml", yaml, length, problems);
    if (!policy) {
        problems_print(problems, yaml, length, false, stderr);
    }
    assert_non_null(policy);
    free(problems);
    return policy;
}

void story_policy(struct story *story, const char *yaml)
{
    struct input input = {.kind = INPUT_POLICY_ACCEPTED};
    input.policy.block = compile(yaml, strlen(yaml));
    story_input(story, &input);
}

void story_policy_removed(struct story *story, const char *name)
{
    struct input input = {.kind = INPUT_POLICY_REMOVED};
    input.policy.name = name;
    story_input(story, &input);
}

void story_registration(struct story *story,
                        const struct registration *registration)
{
    struct input input = {.kind = INPUT_REGISTER, .reply = 1, .by = "ci"};
    input.registration = *registration;
    story_input(story, &input);
}

void story_register(struct story *story, const char *service,
                    const char *version)
{
    struct registration registration = {
        .service = service,
        .environment = "prod",
        .version = version,
        .data_change = "none",
    };
    story_registration(story, &registration);
}

void story_command(struct story *story, struct command command)
{
    struct input input = {.kind = INPUT_COMMAND, .reply = 2, .by = "ann"};
    input.command = command;
    story_input(story, &input);
}

void story_adopt(struct story *story, const char *service, const char *version)
{
    story_command(story, (struct command){.kind = COMMAND_ADOPT,
                                          .service = service,
                                          .environment = "prod",
                                          .version = version,
                                          .reason = "known"});
}

void story_adopt_older(struct story *story, const char *service,
                       const char *version)
{
    struct registration registration = {.service = service,
                                        .environment = "prod",
                                        .version = version,
                                        .deployed_at = story->now - HOUR_MS};
    story_registration(story, &registration);
    story_adopt(story, service, version);
}

void story_stop_file(struct story *story, bool stop)
{
    struct input input = {.kind = INPUT_STOP_FILE};
    input.stop = stop;
    story_input(story, &input);
}

void story_clock_set(struct story *story, time_ms difference)
{
    story->now += difference;
    for (size_t i = 0; i < story->events_count; i++) {
        story->events[i].at += difference;
    }
    struct input input = {.kind = INPUT_CLOCK_SET};
    input.difference = difference;
    story_input(story, &input);
}

/* ---- crash and recovery ------------------------------------------------ */

static struct core *replay(const struct story *story)
{
    struct core *core = core_new(&story->options);
    struct record *record = zeroed(1, sizeof *record);
    for (size_t i = 0; i < story->journal_count; i++) {
        char *body = NULL;
        char error[256] = "";
        if (!record_from_json(story->journal[i], story->journal_lengths[i],
                              record, &body, error, sizeof error)) {
            fail_msg("%s: %s", error, story->journal[i]);
        }
        if (record->kind == RECORD_POLICY_SET) {
            record->policy = compile(record->body, record->body_length);
        }
        core_apply(core, record);
        core_check(core);
        free(body);
    }
    free(record);
    return core;
}

bool story_lacks(const struct story *story, const char *limit)
{
    struct core *core = replay(story);
    const char *lacks = core_lacks(core);
    bool its = lacks && strcmp(lacks, limit) == 0;
    core_free(core);
    return its;
}

void story_crash(struct story *story)
{
    story->crashed = true;
}

void story_crash_at(struct story *story, const char *line)
{
    story->crash_at = line;
}

void story_restart(struct story *story, time_ms later)
{
    /* What was sent to a deployment API still happens; nobody listens. */
    world_after_crash(story);
    core_free(story->core);
    story->events_count = 0;
    story->now += later;
    story->crashed = false;
    story->crash_at = NULL;
    story->core = replay(story);
    struct input input = {.kind = INPUT_STARTED};
    story_input(story, &input);
}

/* ---- what the core knows ----------------------------------------------- */

void story_compare(struct story *story)
{
    struct core *again = replay(story);
    assert_int_equal(core_sequence(story->core), core_sequence(again));
    compare_cores(story->core, again);
    core_free(again);
}

void story_end(struct story *story)
{
    story_compare(story);
    core_free(story->core);
    for (size_t i = 0; i < story->journal_count; i++) {
        free(story->journal[i]);
    }
    free(story->journal);
    free(story->journal_lengths);
    free(story->decision);
    free(story);
}

void story_expect(struct story *story, const char *transcript)
{
    if (strcmp(story->transcript, transcript) != 0) {
        print_message("---- happened:\n%s---- expected:\n%s", story->transcript,
                      transcript);
    }
    assert_string_equal(story->transcript, transcript);
    story->transcript[0] = '\0';
}

void story_skip(struct story *story)
{
    story->transcript[0] = '\0';
}

size_t story_count(const struct story *story, const char *text)
{
    size_t count = 0;
    for (const char *at = strstr(story->transcript, text); at;
         at = strstr(at + 1, text)) {
        count++;
    }
    return count;
}

struct release_view story_release(const struct story *story,
                                  const char *service, const char *version)
{
    struct release_view view = {0};
    uint64_t id = view_find_release(story->core, service, "prod", version);
    if (!view_release(story->core, id, &view)) {
        fail_msg("no release %s of %s", version, service);
    }
    return view;
}

struct service_view story_service(const struct story *story,
                                  const char *service)
{
    struct service_view view = {0};
    assert_true(view_find_service(story->core, service, "prod", &view));
    return view;
}

struct gate_view story_gate(const struct story *story, const char *service,
                            const char *version)
{
    struct gate_view view;
    view_gate(story->core, service, "prod", version, story->now, &view);
    return view;
}
