/* Anything that may happen to a controller, in any order: thousands of inputs
 * a seed, good ones and garbage, peers that fail, lie and hang, kills and lost
 * records.  The core checks its invariants after every step (help_story.c), a
 * model beside it what must never happen (help_model.c), and the journal is
 * replayed at the end.  A seed that fails is printed; it becomes a story.
 *
 *   stories_test_random [FIRST_SEED COUNT] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "help_model.h"

#define SEEDS 25
#define ACTS  250

static uint64_t first_seed = 1, seeds = SEEDS;

/* ---- dice -------------------------------------------------------------- */

static uint64_t dice;

static uint64_t roll(uint64_t sides)
{
    dice += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = dice;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % sides;
}

static bool one_in(uint64_t sides)
{
    return roll(sides) == 0;
}

#define PICK(list) (list)[roll(sizeof(list) / sizeof((list)[0]))]

/* ---- what there is ----------------------------------------------------- */

static const char *const services[] = {"shop", "cart", "mail"};
static const char *const versions[] = {"1.0", "1.1", "1.2", "1.3",
                                       "1.4", "1.5", "1.6", "1.7"};
static const char *const changes[] = {NULL,   "none",   "none", "none",
                                      "none", "expand", "none", "contract"};

#define SIGNALS                                                                \
    "signals:\n"                                                               \
    "  errors:   {prometheus: errors, select: {service: release.service},\n"   \
    "             unit: per_second, on_no_data: zero}\n"                       \
    "  requests: {prometheus: requests, select: {service: release.service},\n" \
    "             unit: per_second}\n"                                         \
    "  error_rate: {is: errors / requests}\n"

static const char *const policies[] = {
    STORY_POLICY_YAML "unsure: auto\n",
    /* Acts at once, on one sample, whatever the data. */
    "policy: hasty\n"
    "applies_to: {service: cart}\n"
    "mode: auto\n"
    "watch: {for: 20m, every: 5s, settle: 0s, provisional: 1m}\n"
    "verify: {within: 2m, for: 30s}\n" SIGNALS "tree:\n"
    "  question: Are users hurt?\n"
    "  if: error_rate > 5%\n"
    "  then: {rollback: last_good, freeze: none, run: scale}\n"
    "  else: healthy\n",
    /* Holds, pages, excuses. */
    "policy: strict\n"
    "applies_to: {service: s*}\n"
    "mode: auto\n"
    "watch: {for: 10m, every: 15s, settle: 30s, provisional: 2m}\n" SIGNALS
    "tree:\n"
    "  question: Are users hurt?\n"
    "  if: error_rate > 5% for 1m\n"
    "  then:\n"
    "    question: Is anybody there?\n"
    "    if: requests > 200/s\n"
    "    then: {page: load, blame: none, run: scale}\n"
    "    else: {hold: look, notify: [status]}\n"
    "  else: healthy\n"
    "  unknown: {page: nobody knows}\n",
    /* The same name, another mode, another tree. */
    "policy: shop\n"
    "mode: suggest\n"
    "watch: {for: 30m, every: 10s, settle: 20s, provisional: 5m}\n" SIGNALS
    "tree:\n"
    "  question: Are users hurt?\n"
    "  if: error_rate > 5% for 30s\n"
    "  then: {rollback: last_good}\n"
    "  else: healthy\n",
};
static const char *const policy_names[] = {"shop", "hasty", "strict"};

static const char *service(void)
{
    return PICK(services);
}

static const char *version(void)
{
    return PICK(versions);
}

/* A release that there is, mostly. */
static uint64_t release_id(struct story *story)
{
    uint64_t id = view_find_release(story->core, service(), "prod", version());
    return one_in(20) ? roll(1000) : id;
}

/* ---- acts of the world ------------------------------------------------- */

static void act_deploy(struct story *story)
{
    static const time_ms rollouts[] = {0, 0, 5 * SECOND_MS, 3 * MINUTE_MS,
                                       HOUR_MS};
    story_deploy(story, service(), version(), PICK(rollouts));
}

/* A pipeline as it should be. */
static void act_release(struct story *story)
{
    const char *of = service(), *what = version();
    story_deploy(story, of, what, one_in(3) ? 30 * SECOND_MS : 0);
    story_register(story, of, what);
}

static void act_metric(struct story *story)
{
    static const double errors[] = {0, 0.1, 0.1, 20, 50};
    static const double requests[] = {0, 100, 100, 100, 300};
    const char *of = one_in(8) ? "*" : service();
    if (story->lines_count > STORY_LINES_MAX - 4) {
        story->lines_count = 0;
        story_metric_at(story, "requests", "*", 0, 100);
        story_metric_at(story, "errors", "*", 0, 0.1);
    }
    if (one_in(6)) {
        story_metric_unknown(story, one_in(2) ? "errors" : "requests", of,
                             (enum unknown)(1 + roll(UNKNOWN_LAST - 1)));
    } else if (one_in(3)) {
        story_metric(story, "requests", of, PICK(requests));
    } else {
        story_metric(story, "errors", of, PICK(errors));
    }
}

static void act_peer(struct story *story)
{
    static const time_ms takes[] = {0, 0, 3 * SECOND_MS, 9 * SECOND_MS,
                                    15 * SECOND_MS};
    struct world_service *world = story_world(story, service());
    world->observe = one_in(3) ? (enum deployer)roll(4) : DEPLOYER_WORKS;
    world->revert = one_in(2) ? (enum deployer)roll(7) : DEPLOYER_WORKS;
    world->has = one_in(3) ? (enum deployer)roll(4) : DEPLOYER_WORKS;
    world->takes = PICK(takes);
    world->reads_first = one_in(2);
    world->target_gone = one_in(6);
    world->rollout = (time_ms)roll(5 * MINUTE_MS);
}

static void act_flip(struct story *story)
{
    struct world_service *world = story_world(story, service());
    world->coming[0] = '\0';
    strcpy(world->live, one_in(10) ? "<html>" : version());
    world->complete = one_in(2);
}

static void act_source(struct story *story)
{
    story->source_down_from = story->now;
    story->source_down_until = story->now + (time_ms)roll(10 * MINUTE_MS);
    story->history_fails = one_in(4);
    story->source_hangs = one_in(6);
    story->sinks_hang = one_in(6);
}

/* An answer never comes, or comes twice. */
static void act_answer(struct story *story)
{
    if (story->events_count == 0) {
        return;
    }
    size_t at = roll(story->events_count);
    enum effect_kind kind = story->events[at].effect.kind;
    if (one_in(2)) {
        story->events[at] = story->events[--story->events_count];
    } else if (kind != EFFECT_HISTORY &&
               story->events_count < STORY_EVENTS_MAX) {
        story->events[story->events_count] = story->events[at];
        story->events[story->events_count].order = story->order++;
        story->events[story->events_count++].at += (time_ms)roll(20000);
    }
}

static void act_clock(struct story *story)
{
    static const time_ms jumps[] = {-HOUR_MS, -3 * SECOND_MS, 3 * SECOND_MS,
                                    HOUR_MS, 2 * DAY_MS};
    story_clock_set(story, PICK(jumps));
}

static void act_sleep(struct story *story)
{
    story->now += (time_ms)roll(20 * MINUTE_MS);
}

/* ---- acts of people and pipelines -------------------------------------- */

static void act_register(struct story *story)
{
    static char key[16];
    struct registration registration = {
        .service = service(),
        .environment = "prod",
        .version = version(),
        .data_change = PICK(changes),
        .previous = one_in(4) ? version() : NULL,
        .compatible_from = one_in(6) ? version() : NULL,
    };
    if (one_in(2)) {
        registration.deployed_at =
            story->now - (time_ms)roll(30 * MINUTE_MS) + 3 * MINUTE_MS;
    }
    if (one_in(3)) {
        snprintf(key, sizeof key, "key-%d", (int)roll(20));
        registration.key = key;
        registration.key_digest = one_in(2) ? "aa" : "bb";
    }
    story_registration(story, &registration);
}

static void act_adopt(struct story *story)
{
    story_adopt(story, service(), version());
}

static uint64_t newest_rollback(struct story *story)
{
    struct release_view release = {0};
    (void)view_release(story->core, release_id(story), &release);
    return one_in(10) ? roll(2000) : release.rollback;
}

static void act_command(struct story *story)
{
    static const enum command_kind kinds[] = {
        COMMAND_HOLD,     COMMAND_RESUME,   COMMAND_ROLLBACK, COMMAND_ROLLBACK,
        COMMAND_FREEZE,   COMMAND_THAW,     COMMAND_OVERRIDE, COMMAND_ANNOUNCE,
        COMMAND_ROLLBACK, COMMAND_ROLLBACK, COMMAND_CLOSE,    COMMAND_CLOSE,
        COMMAND_APPROVE,  COMMAND_APPROVE,  COMMAND_CANCEL,   COMMAND_MUTE};
    const char *of = service();
    story_command(
        story, (struct command){.kind = PICK(kinds),
                                .release = release_id(story),
                                .incident = story_service(story, of).incident,
                                .rollback = newest_rollback(story),
                                .service = of,
                                .environment = one_in(20) ? "nowhere" : "prod",
                                .version = version(),
                                .reason = one_in(5) ? NULL : "so",
                                .span = (time_ms)roll(2 * HOUR_MS)});
}

static void act_policy(struct story *story)
{
    if (one_in(4)) {
        story_policy_removed(story, PICK(policy_names));
    } else {
        story_policy(story, PICK(policies));
    }
}

static void act_stop(struct story *story)
{
    story_stop_file(story, one_in(3));
}

static void act_kill(struct story *story)
{
    story->kill_at = story->steps + 1 + roll(40);
    story->loses_last = one_in(2);
}

/* ---- garbage ----------------------------------------------------------- */

static struct effect_id some_id(const struct story *story)
{
    return (struct effect_id){
        .epoch = core_epoch(story->core) - (uint32_t)one_in(3),
        .counter = (uint32_t)roll(3000),
    };
}

static void act_garbage_target(struct story *story)
{
    /* Of no effect under way: those are answered by the world. */
    struct input input = {.kind = INPUT_TARGET};
    input.target.id = (struct effect_id){core_epoch(story->core) + 1, 1};
    input.target.id =
        one_in(2) ? input.target.id
                  : (struct effect_id){core_epoch(story->core), UINT32_MAX};
    input.target.result = (enum target_result)roll(TARGET_UNCLEAR + 1);
    input.target.version = one_in(4) ? NULL : version();
    input.target.complete = one_in(2);
    input.target.has = one_in(2);
    story_input(story, &input);
}

static void act_garbage_samples(struct story *story)
{
    uint32_t ids[4];
    struct sample samples[4];
    struct input input = {.kind = INPUT_SAMPLES};
    for (size_t i = 0; i < 4; i++) {
        ids[i] = (uint32_t)roll(40) + (one_in(4) ? 100000 : 0);
        samples[i] = (struct sample){20, KNOWN};
    }
    input.samples.query = (uint32_t)roll(8) + (one_in(4) ? 10000 : 0);
    input.samples.g = story->now - 5 * HOUR_MS - (time_ms)roll(60000);
    input.samples.series = ids;
    input.samples.samples = samples;
    input.samples.count = roll(5);
    story_input(story, &input);
}

static void act_garbage_done(struct story *story)
{
    struct input input = {.kind = one_in(2) ? INPUT_NOTICE_DONE
                                            : INPUT_ACTION_DONE};
    input.done.id = roll(3000);
    input.done.delivered = one_in(2);
    story_input(story, &input);
    struct input history = {.kind = INPUT_HISTORY};
    history.history.id = some_id(story);
    history.history.error = "garbage";
    story_input(story, &history);
}

/* ---- a life ------------------------------------------------------------ */

static const struct {
    void (*act)(struct story *story);
    uint64_t weight;
} acts[] = {
    {act_release, 20},
    {act_deploy, 4},
    {act_metric, 20},
    {act_peer, 6},
    {act_flip, 3},
    {act_source, 3},
    {act_answer, 8},
    {act_clock, 1},
    {act_sleep, 1},
    {act_register, 6},
    {act_adopt, 3},
    {act_command, 8},
    {act_policy, 5},
    {act_stop, 3},
    {act_kill, 3},
    {act_garbage_target, 2},
    {act_garbage_samples, 2},
    {act_garbage_done, 2},
};

static void act(struct story *story)
{
    uint64_t all = 0;
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        all += acts[i].weight;
    }
    uint64_t at = roll(all);
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        if (at < acts[i].weight) {
            acts[i].act(story);
            return;
        }
        at -= acts[i].weight;
    }
}

static struct story *born(struct model *model)
{
    struct story *story = story_new(services, 3);
    story->target.can_check = one_in(2);
    story->source.per_service = one_in(3);
    story->options.releases_max = one_in(3) ? 8 : 100;
    story->options.series_max = one_in(5) ? 4 : 100;
    story->options.shared_services = one_in(2) ? 3 : 0;
    story->options.per_service.window = one_in(2) ? MINUTE_MS : 30 * MINUTE_MS;
    story->options.fleet.count = one_in(2) ? 100 : 3;
    story->services[roll(3)].ceiling =
        one_in(4) ? (enum mode)roll(4) : MODE_AUTO;
    story_metric_at(story, "requests", "*", 0, 100);
    story_metric_at(story, "errors", "*", 0, 0.1);
    for (size_t i = 0; i < 3; i++) {
        story->world[i].strict = true;
    }
    model_watch(model, story);
    story_start(story);
    story_policy(story, policies[0]);
    for (size_t i = 0; i < 3; i++) {
        story_adopt(story, services[i], one_in(2) ? "1.0" : "0.9");
    }
    return story;
}

/* All peers work again; half an hour later all is quiet. */
static void retire(struct story *story)
{
    for (size_t i = 0; i < 3; i++) {
        struct world_service *world = &story->world[i];
        world->observe = world->revert = world->has = DEPLOYER_WORKS;
        world->takes = 0;
        strcpy(world->live, "1.0");
        world->complete = true;
        world->coming[0] = '\0';
    }
    story->source_down_until = 0;
    story->source_hangs = story->sinks_hang = story->history_fails = false;
    story->kill_at = 0;
    story_stop_file(story, false);
    story_run(story, 90 * MINUTE_MS);
    story_skip(story);
    model_is_quiet(story->model, story);
}

static struct story *live(uint64_t seed, struct model *model)
{
    static const time_ms spans[] = {0,
                                    1,
                                    SECOND_MS,
                                    5 * SECOND_MS,
                                    20 * SECOND_MS,
                                    MINUTE_MS,
                                    2 * MINUTE_MS,
                                    5 * MINUTE_MS};
    dice = seed;
    struct story *story = born(model);
    for (int i = 0; i < ACTS; i++) {
        time_ms span = PICK(spans);
        act(story);
        story_run(story, span);
        if (span >= MINUTE_MS && !story->crashed) {
            model_is_decided(story);
        }
        if (story->crashed) {
            if (!story->loses_last) {
                story_compare(story);
            }
            story_restart(story, (time_ms)roll(2 * MINUTE_MS));
        }
        story_skip(story);
    }
    if (story->crashed) {
        story_restart(story, 0);
    }
    retire(story);
    return story;
}

static void whatever_happens_the_invariants_hold(void **state)
{
    (void)state;
    static struct model model;
    for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        story_end(live(seed, &model));
    }
    for (size_t i = 0; i < model.moves_count; i++) {
        print_message("%7zu %s\n", model.moves[i].count, model.moves[i].code);
    }
    print_message("%7zu effective reverts\n", model.reverts);
    assert_true(seeds < SEEDS || model.reverts > 0);
}

/* No address, no hash order, no byte that nobody wrote decides anything. */
static void the_same_dice_give_the_same_journal(void **state)
{
    (void)state;
    static struct model model;
    struct story *lives[2];
    for (int i = 0; i < 2; i++) {
        lives[i] = live(first_seed, &model);
    }
    assert_int_equal(lives[0]->journal_count, lives[1]->journal_count);
    for (size_t i = 0; i < lives[0]->journal_count; i++) {
        assert_string_equal(lives[0]->journal[i], lives[1]->journal[i]);
    }
    story_end(lives[0]);
    story_end(lives[1]);
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        first_seed = strtoull(argv[1], NULL, 10);
        seeds = strtoull(argv[2], NULL, 10);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_happens_the_invariants_hold),
        cmocka_unit_test(the_same_dice_give_the_same_journal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
