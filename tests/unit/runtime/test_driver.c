/* The driver on a real core and a real database, between fake neighbours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <curl/curl.h>

#include "controller/config/template.h"
#include "help_driver.h"

static int begin(void **state)
{
    *state = scene_begin();
    return 0;
}

static int end(void **state)
{
    scene_end(*state);
    return 0;
}

static struct core_counts counts_of(struct scene *scene)
{
    struct core_counts counts = {0};

    view_counts(driver_core(scene->driver), &counts);
    return counts;
}

/* --- Durable first -------------------------------------------------------- */

static void a_registration_is_durable_before_it_is_answered(void **state)
{
    struct scene *scene = *state;
    char json[16384] = "";

    (void)snprintf(scene->live, sizeof(scene->live), "2.0");
    scene_start(scene);
    assert_true(scene_register(scene, "2.0", "k1"));
    assert_false(scene_is_answered(scene));
    scene_until(scene, scene_is_answered);
    assert_int_equal(scene->answers[0].answer.outcome, OUTCOME_DONE);
    assert_int_equal(scene->answers[0].answer.reply, 7);
    assert_true(scene_stored(scene, RECORD_REGISTERED, json, sizeof(json)) >=
                1);
    assert_non_null(strstr(json, "\"version\":\"2.0\""));
}

static void a_restart_recovers_what_was_registered(void **state)
{
    struct scene *scene = *state;
    uint32_t epoch = 0;
    uint64_t release = 0;

    scene_start(scene);
    assert_true(scene_register(scene, "2.0", "k1"));
    scene_until(scene, scene_is_answered);
    epoch = core_epoch(driver_core(scene->driver));
    release = view_find_release(driver_core(scene->driver), "svc", "production",
                                "2.0");
    scene_stop(scene);
    assert_int_equal(scene->closed_adapters, 4);

    scene_start(scene);
    assert_int_equal(core_epoch(driver_core(scene->driver)), epoch + 1);
    assert_int_equal(view_find_release(driver_core(scene->driver), "svc",
                                       "production", "2.0"),
                     release);
    assert_non_null(view_policy(driver_core(scene->driver), "svc"));
    core_check(driver_core(scene->driver));
    /* The same key is the same release, also across the restart. */
    scene->answers_count = 0;
    assert_true(scene_register(scene, "2.0", "k1"));
    scene_until(scene, scene_is_answered);
    assert_int_equal(scene->answers[0].answer.outcome, OUTCOME_ALREADY);
    assert_int_equal(scene->answers[0].answer.release, release);
}

/* Policies are compiled from the journal: the folder may be empty by then. */
static void a_restart_needs_no_policy_file_to_recover(void **state)
{
    struct scene *scene = *state;

    scene_start(scene);
    assert_non_null(view_policy(driver_core(scene->driver), "svc"));
    scene_stop(scene);
    scene_write(scene, "policies/svc.yaml", "policy: svc\nbroken");
    scene_start(scene);
    assert_non_null(view_policy(driver_core(scene->driver), "svc"));
    assert_true(driver_policy_problems(scene->driver)->errors > 0);
}

static void a_second_driver_on_the_database_is_refused(void **state)
{
    struct scene *scene = *state;
    struct scene other = {0};
    char error[1024] = "";

    scene_start(scene);
    other.config = scene->config;
    other.log = scene->log;
    assert_false(scene_try_start(&other, error, sizeof(error)));
    assert_non_null(strstr(error, "state.db"));
}

/* --- A rollback ----------------------------------------------------------- */

static bool was_reverted(struct scene *scene)
{
    return scene->reverts > 0;
}

static void note_what_is_durable(struct scene *scene,
                                 const struct effect *effect)
{
    char json[16384] = "";

    assert_string_equal(effect->target.suspect, "2.0");
    assert_string_equal(effect->target.target, "1.0");
    assert_true(
        scene_stored(scene, RECORD_ROLLBACK_MOVED, json, sizeof(json)) >= 1);
    assert_non_null(strstr(json, "\"rollback_state\":\"intended\""));
    assert_non_null(strstr(json, "\"until\":"));
}

/* 1.0 is known to be good, 2.0 was deployed and is full of errors. */
static void deploy_a_bad_release(struct scene *scene)
{
    assert_true(scene_adopt(scene, "1.0"));
    scene_until(scene, scene_is_answered);
    assert_int_equal(scene->answers[0].answer.outcome, OUTCOME_DONE);
    scene->answers_count = 0;
    (void)snprintf(scene->live, sizeof(scene->live), "2.0");
    scene->errors = 50;
    assert_true(scene_register(scene, "2.0", "k2"));
    scene_until(scene, scene_is_answered);
    assert_int_equal(scene->answers[0].answer.outcome, OUTCOME_DONE);
}

static void a_revert_leaves_after_its_intent_is_durable(void **state)
{
    struct scene *scene = *state;
    const struct revert_timing *timing = NULL;

    scene->on_revert = note_what_is_durable;
    scene_start(scene);
    deploy_a_bad_release(scene);
    scene_until(scene, was_reverted);
    assert_int_equal(scene->reverts, 1);
    timing = driver_revert_timing(scene->driver);
    assert_true(timing->sample_at > 0);
    assert_true(timing->decided_at >= timing->sample_at);
    assert_true(timing->durable_at >= timing->decided_at);
    assert_true(timing->observed_at >= timing->durable_at);
    assert_true(timing->sent_at >= timing->observed_at);
}

static bool is_down(struct scene *scene)
{
    const char *why_not = NULL;

    return !driver_is_ready(scene->driver, &why_not);
}

static bool is_up(struct scene *scene)
{
    return !is_down(scene);
}

static void without_a_disk_nothing_leaves_and_nothing_is_lost(void **state)
{
    struct scene *scene = *state;
    const char *why_not = NULL;

    scene_start(scene);
    deploy_a_bad_release(scene);
    scene->disk = DISK_IS_FULL;
    scene_until(scene, is_down);
    assert_false(driver_is_ready(scene->driver, &why_not));
    assert_non_null(strstr(why_not, "disk is full"));
    assert_false(scene_register(scene, "3.0", "k3"));
    assert_false(scene_adopt(scene, "0.9"));
    scene_turns(scene, 3);
    assert_int_equal(scene->reverts, 0);

    scene->disk = DISK_WORKS;
    scene_until(scene, is_up);
    scene_until(scene, was_reverted);
    assert_int_equal(scene->reverts, 1);
    scene->answers_count = 0;
    assert_true(scene_register(scene, "3.0", "k3"));
    scene_until(scene, scene_is_answered);
}

/* What was live at the start is in the journal. */
static bool is_discovered(struct scene *scene)
{
    return view_find_release(driver_core(scene->driver), "svc", "production",
                             "1.0") != 0 &&
           scene->driver->durable == core_sequence(driver_core(scene->driver));
}

/* Accepted just before the disk failed: answered when it is durable. */
static void an_accepted_request_waits_for_the_disk(void **state)
{
    struct scene *scene = *state;
    size_t before = 0;

    scene_start(scene);
    scene_until(scene, is_discovered);
    before = scene_stored(scene, RECORD_REGISTERED, NULL, 0);
    scene->disk = DISK_IS_FULL;
    assert_true(scene_register(scene, "2.0", "k1"));
    scene_until(scene, is_down);
    scene_turns(scene, 3);
    assert_false(scene_is_answered(scene));
    assert_int_equal(scene_stored(scene, RECORD_REGISTERED, NULL, 0), before);
    scene->disk = DISK_WORKS;
    scene_until(scene, scene_is_answered);
    assert_int_equal(scene->answers[0].answer.outcome, OUTCOME_DONE);
    assert_int_equal(scene_stored(scene, RECORD_REGISTERED, NULL, 0),
                     before + 1);
}

static bool was_observed(struct scene *scene)
{
    return scene->observes > 0;
}

/* What a target says when too much waits is kept and told afterwards. */
static void an_answer_of_the_target_is_kept(void **state)
{
    struct scene *scene = *state;
    struct input input = {.kind = INPUT_TARGET};
    struct service_view service = {0};

    scene->target_is_mute = true;
    scene_start(scene);
    scene_until(scene, was_observed);
    scene->disk = DISK_IS_FULL;
    assert_true(scene_register(scene, "2.0", "k1"));
    scene_until(scene, is_down);
    scene_fill_queue(scene);
    input.target.id = scene->asked.id;
    input.target.result = TARGET_OBSERVED;
    input.target.version = "9.9";
    input.target.complete = true;
    assert_true(driver_push(scene->driver, &input));
    assert_true(view_find_service(driver_core(scene->driver), "svc",
                                  "production", &service));
    assert_string_equal(service.live, "");
    scene->disk = DISK_WORKS;
    scene_until(scene, is_up);
    assert_true(view_find_service(driver_core(scene->driver), "svc",
                                  "production", &service));
    assert_string_equal(service.live, "9.9");
}

static bool was_lost(struct scene *scene)
{
    return scene->losses > 0;
}

static void a_damaged_store_ends_the_driver_once(void **state)
{
    struct scene *scene = *state;

    scene_start(scene);
    scene_turns(scene, 5);
    scene->disk = DISK_IS_DAMAGED;
    assert_true(scene_register(scene, "2.0", "k1"));
    scene_until(scene, was_lost);
    assert_int_equal(scene->losses, 1);
    assert_non_null(strstr(scene->lost, "damaged"));
    assert_false(scene_register(scene, "3.0", "k2"));
}

/* --- The kill switch ------------------------------------------------------ */

static bool is_stopped_by_file(struct scene *scene)
{
    return counts_of(scene).stopped;
}

static bool is_not_stopped_by_file(struct scene *scene)
{
    return !counts_of(scene).stopped;
}

static void a_stop_file_is_seen_and_forgotten_again(void **state)
{
    struct scene *scene = *state;

    scene_start(scene);
    assert_false(is_stopped_by_file(scene));
    scene_write(scene, "STOP", "");
    scene_until(scene, is_stopped_by_file);
    assert_int_equal(counts_of(scene).ceiling, MODE_OBSERVE);
    scene_stop(scene);

    scene_remove(scene, "STOP");
    scene_start(scene);
    scene_until(scene, is_not_stopped_by_file);
}

static void a_stop_file_works_without_a_disk(void **state)
{
    struct scene *scene = *state;

    scene_start(scene);
    scene->disk = DISK_IS_FULL;
    assert_true(scene_register(scene, "2.0", "k1"));
    scene_until(scene, is_down);
    scene_write(scene, "STOP", "");
    scene_until(scene, is_stopped_by_file);
    assert_true(is_down(scene));
    scene_remove(scene, "STOP");
    scene->disk = DISK_WORKS;
}

static void a_stop_file_at_the_start_stops_at_once(void **state)
{
    struct scene *scene = *state;

    scene_write(scene, "STOP", "");
    scene_start(scene);
    assert_true(is_stopped_by_file(scene));
    scene_remove(scene, "STOP");
}

/* --- The clock ------------------------------------------------------------ */

static bool has_recorded_a_jump(struct scene *scene)
{
    return scene_stored(scene, RECORD_CLOCK_SET, NULL, 0) > 0;
}

/* Moving the anchor is the same as setting the wall clock. */
static void a_jump_of_the_clock_is_recorded(void **state)
{
    struct scene *scene = *state;
    char json[16384] = "";

    scene_start(scene);
    scene->driver->clock.anchor_wall += HOUR_MS;
    scene_until(scene, has_recorded_a_jump);
    (void)scene_stored(scene, RECORD_CLOCK_SET, json, sizeof(json));
    assert_non_null(strstr(json, "\"difference\":-3"));
    assert_true(clock_drift(&scene->driver->clock) > -CLOCK_DRIFT_MS);
}

/* --- Policies ------------------------------------------------------------- */

static bool policy_is_changed(struct scene *scene)
{
    const struct policy *policy =
        view_policy(driver_core(scene->driver), "svc");

    return policy != NULL && policy->mode == MODE_OBSERVE;
}

static bool policy_is_gone(struct scene *scene)
{
    return view_policy(driver_core(scene->driver), "svc") == NULL;
}

static bool has_problems(struct scene *scene)
{
    return driver_policy_problems(scene->driver)->errors > 0;
}

static bool has_no_problems(struct scene *scene)
{
    return !has_problems(scene);
}

#define OTHER_MODE                                                             \
    "policy: svc\n"                                                            \
    "applies_to: {service: svc, environment: production}\n"                    \
    "mode: observe\n"                                                          \
    "watch: {for: 1h, every: 1s, settle: 1s}\n"                                \
    "signals:\n"                                                               \
    "  errors: {prometheus: errors, unit: count}\n"                            \
    "tree:\n"                                                                  \
    "  question: Are there errors?\n"                                          \
    "  if: errors > 5\n"                                                       \
    "  then: {page: errors}\n"                                                 \
    "  else: healthy\n"

static void a_changed_file_is_read_and_a_removed_one_forgotten(void **state)
{
    struct scene *scene = *state;

    scene_start(scene);
    assert_false(policy_is_changed(scene));
    scene_write(scene, "policies/svc.yaml", OTHER_MODE);
    scene_until(scene, policy_is_changed);
    scene_remove(scene, "policies/svc.yaml");
    scene_until(scene, policy_is_gone);
}

static void a_broken_file_leaves_the_old_one_in_force(void **state)
{
    struct scene *scene = *state;

    scene_start(scene);
    scene_write(scene, "policies/svc.yaml", "policy: svc\nnonsense: [\n");
    scene_until(scene, has_problems);
    assert_non_null(view_policy(driver_core(scene->driver), "svc"));
    scene_write(scene, "policies/svc.yaml", OTHER_MODE);
    scene_until(scene, has_no_problems);
    assert_true(policy_is_changed(scene));
}

static void an_unknown_source_is_a_problem_of_the_policy(void **state)
{
    struct scene *scene = *state;

    scene_write(scene, "policies/svc.yaml",
                "policy: svc\n"
                "applies_to: {service: svc, environment: production}\n"
                "signals:\n"
                "  errors: {prometheus: e, unit: count, source: nowhere}\n"
                "tree: {question: a, if: errors > 5, then: {page: b}, else: "
                "healthy}\n");
    scene_start(scene);
    assert_true(has_problems(scene));
    assert_true(policy_is_gone(scene));
}

/* --- Reading, expanding --------------------------------------------------- */

struct read_result {
    int calls;
    size_t count;
    enum store_result result;
};

static struct read_result last_read;

static void on_read(void *data, const struct store_event *event)
{
    (void)data;
    last_read.calls++;
    last_read.count = event->count;
    last_read.result = event->result;
}

static bool was_read(struct scene *scene)
{
    (void)scene;
    return last_read.calls > 0;
}

static void the_journal_can_be_read(void **state)
{
    struct scene *scene = *state;
    const struct store_query query = {.kind = RECORD_REGISTERED};

    scene_start(scene);
    assert_true(scene_register(scene, "2.0", "k1"));
    scene_until(scene, scene_is_answered);
    memset(&last_read, 0, sizeof(last_read));
    assert_true(driver_read(scene->driver, &query, on_read, NULL));
    scene_until(scene, was_read);
    assert_int_equal(last_read.result, STORE_OK);
    assert_true(last_read.count >= 1);
}

/* Every reader is told, though some only that it is over. */
static void readers_are_told_when_it_ends(void **state)
{
    struct scene *scene = *state;
    const struct store_query query = {.kind = RECORD_REGISTERED};
    int taken = 0;

    scene_start(scene);
    memset(&last_read, 0, sizeof(last_read));
    while (taken < 100 && driver_read(scene->driver, &query, on_read, NULL)) {
        taken++;
    }
    assert_int_equal(taken, STORE_READS_MAX);
    scene_stop(scene);
    assert_int_equal(last_read.calls, taken);
}

static void variables_of_the_service_are_filled_in(void **state)
{
    struct scene *scene = *state;
    const struct variable more[] = {{"target", "a/b"}};
    struct service_view service = {0};
    char text[200], error[200];

    scene_start(scene);
    assert_true(view_find_service(driver_core(scene->driver), "svc",
                                  "production", &service));
    assert_true(driver_expand(
        scene->driver, service.index, "{url}/{service}/{environment}/{target}",
        true, more, 1, text, sizeof(text), error, sizeof(error)));
    assert_string_equal(text, "http://d/a%20b/svc/production/a%2Fb");
    assert_false(driver_expand(scene->driver, service.index, "{nothing}", true,
                               more, 1, text, sizeof(text), error,
                               sizeof(error)));
    assert_non_null(strstr(error, "{nothing}"));
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_registration_is_durable_before_it_is_answered),
        STORY(a_restart_recovers_what_was_registered),
        STORY(a_restart_needs_no_policy_file_to_recover),
        STORY(a_second_driver_on_the_database_is_refused),
        STORY(a_revert_leaves_after_its_intent_is_durable),
        STORY(without_a_disk_nothing_leaves_and_nothing_is_lost),
        STORY(an_accepted_request_waits_for_the_disk),
        STORY(an_answer_of_the_target_is_kept),
        STORY(a_damaged_store_ends_the_driver_once),
        STORY(a_stop_file_is_seen_and_forgotten_again),
        STORY(a_stop_file_works_without_a_disk),
        STORY(a_stop_file_at_the_start_stops_at_once),
        STORY(a_jump_of_the_clock_is_recorded),
        STORY(a_changed_file_is_read_and_a_removed_one_forgotten),
        STORY(a_broken_file_leaves_the_old_one_in_force),
        STORY(an_unknown_source_is_a_problem_of_the_policy),
        STORY(the_journal_can_be_read),
        STORY(readers_are_told_when_it_ends),
        STORY(variables_of_the_service_are_filled_in),
    };
    int failed = 0;

    assert_int_equal(curl_global_init(CURL_GLOBAL_DEFAULT), CURLE_OK);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
