/* A policy whose signals come from several sources: its past is asked of each,
 * and the core sees one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <curl/curl.h>

#include "help_driver.h"

#define POLICY(mode, question)                                                 \
    "policy: svc\n"                                                            \
    "applies_to: {service: svc, environment: production}\n"                    \
    "mode: " mode "\n"                                                         \
    "watch: {for: 1h, every: 1s, settle: 1s}\n"                                \
    "baseline: 10s\n"                                                          \
    "signals:\n"                                                               \
    "  errors: {prometheus: errors, unit: count}\n"                            \
    "  load: {prometheus: load, unit: count, source: other}\n"                 \
    "tree:\n"                                                                  \
    "  question: Is it worse?\n"                                               \
    "  if: " question "\n"                                                     \
    "  then: {page: worse}\n"                                                  \
    "  else: healthy\n"
#define SIGNALS 2
#define BOTH    POLICY("auto", "change(errors) > 300% or change(load) > 300%")

/* What source @index measured, in every column: only its own may count. */
static double number_of(uint16_t index)
{
    return index == 0 ? 3 : 7;
}

static void answer(struct scene *scene, uint16_t source,
                   const struct effect *effect, const char *error)
{
    const size_t rows = (size_t)((effect->history.to - effect->history.from) /
                                 effect->history.every) +
                        1;
    const size_t count = rows * SIGNALS; /* its policy may be gone */
    struct sample *samples = calloc(count, sizeof(*samples));
    const struct input input = {
        .kind = INPUT_HISTORY,
        .history = {.id = effect->id,
                    .error = error,
                    .history = {.from = effect->history.from,
                                .rows = rows,
                                .samples = samples}}};

    assert_non_null(samples);
    for (size_t i = 0; i < count; i++) {
        samples[i].number = number_of(source);
    }
    assert_true(driver_push(scene->driver, &input));
    free(samples);
}

/* --- Sources that answer at once, or when the test says ------------------- */

struct asked {
    uint16_t source;
    struct effect effect;
};
static struct asked questions[64];
static size_t questions_count, failures;

static void answer_at_once(struct scene *scene, uint16_t source,
                           const struct effect *effect)
{
    answer(scene, source, effect, NULL);
}

static void answer_later(struct scene *scene, uint16_t source,
                         const struct effect *effect)
{
    (void)scene;
    assert_true(questions_count < 64);
    questions[questions_count++] = (struct asked){source, *effect};
}

/* The second source is out of order, once. */
static void fail_once(struct scene *scene, uint16_t source,
                      const struct effect *effect)
{
    const bool fails = source == 1 && failures == 0;

    failures += fails ? 1 : 0;
    answer(scene, source, effect, fails ? "out of order" : NULL);
}

static int begin(void **state)
{
    struct scene *scene = scene_begin();

    scene_write(scene, "policies/svc.yaml", BOTH);
    questions_count = failures = 0;
    *state = scene;
    return 0;
}

static int end(void **state)
{
    scene_end(*state);
    return 0;
}

static bool has_learned(struct scene *scene)
{
    return scene_stored(scene, RECORD_BASELINE, NULL, 0) > 0;
}

static void check_learned(struct scene *scene)
{
    char json[16384] = "";

    scene_until(scene, has_learned);
    (void)scene_stored(scene, RECORD_BASELINE, json, sizeof(json));
    assert_non_null(strstr(json, "\"frozen\":[3,7]"));
}

static void columns_come_from_the_source_of_their_signal(void **state)
{
    struct scene *scene = *state;

    scene->on_history = answer_at_once;
    scene_start(scene);
    check_learned(scene);
}

static bool both_were_asked(struct scene *scene)
{
    (void)scene;
    return questions_count >= 2;
}

/* The core waits for all of it no longer than for one source: they are asked
 * together, and may answer in any order. */
static void sources_are_asked_together_and_answer_in_any_order(void **state)
{
    struct scene *scene = *state;

    scene->on_history = answer_later;
    scene_start(scene);
    scene_until(scene, both_were_asked);
    assert_int_equal(questions[0].source + questions[1].source, 1);
    answer(scene, questions[1].source, &questions[1].effect, NULL);
    scene_turns(scene, 3);
    assert_false(has_learned(scene));
    answer(scene, questions[0].source, &questions[0].effect, NULL);
    check_learned(scene);
}

/* A part is no past: the whole is asked again at the next look. */
static void one_source_that_fails_fails_the_whole_until_it_answers(void **state)
{
    struct scene *scene = *state;

    scene->on_history = fail_once;
    scene_start(scene);
    check_learned(scene);
    assert_int_equal(failures, 1);
    assert_true(scene->histories >= 4);
}

static bool policy_is_another(struct scene *scene)
{
    const struct policy *policy =
        view_policy(driver_core(scene->driver), "svc");

    return policy != NULL && policy->mode == MODE_OBSERVE &&
           scene->driver->durable == core_sequence(driver_core(scene->driver));
}

/* The block that was asked for is gone when its answers come. */
static void a_policy_that_changes_meanwhile_does_no_harm(void **state)
{
    struct scene *scene = *state;
    struct asked late[2];

    scene->on_history = answer_later;
    scene_start(scene);
    scene_until(scene, both_were_asked);
    memcpy(late, questions, sizeof(late));
    scene_write(scene, "policies/svc.yaml", POLICY("observe", "errors > 5"));
    scene_until(scene, policy_is_another);
    answer(scene, late[0].source, &late[0].effect, NULL);
    answer(scene, late[1].source, &late[1].effect, NULL);
    core_check(driver_core(scene->driver));
    assert_false(has_learned(scene));
}

/* What nobody answered is given back at the end: the leak checker's test. */
static void questions_may_stay_open_at_the_end(void **state)
{
    struct scene *scene = *state;

    scene->on_history = answer_later;
    scene_start(scene);
    scene_until(scene, both_were_asked);
    answer(scene, questions[1].source, &questions[1].effect, NULL);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(columns_come_from_the_source_of_their_signal),
        STORY(sources_are_asked_together_and_answer_in_any_order),
        STORY(one_source_that_fails_fails_the_whole_until_it_answers),
        STORY(a_policy_that_changes_meanwhile_does_no_harm),
        STORY(questions_may_stay_open_at_the_end),
    };
    int failed = 0;

    assert_int_equal(curl_global_init(CURL_GLOBAL_DEFAULT), CURLE_OK);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
