/* The driver while its store is down, full or hung, while adapters answer from
 * within or too late, and when it ends in the middle of everything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <curl/curl.h>

#include "help_driver.h"

static int begin(void **state)
{
    *state = scene_begin();
    return 0;
}

static int end(void **state)
{
    struct scene *scene = *state;

    scene->disk = DISK_WORKS;
    scene_end(scene);
    return 0;
}

static bool is_down(struct scene *scene)
{
    return scene->driver->is_down;
}

static bool is_up(struct scene *scene)
{
    return !scene->driver->is_down;
}

static bool all_is_durable(struct scene *scene)
{
    return scene->driver->durable == core_sequence(driver_core(scene->driver));
}

static bool was_reverted(struct scene *scene)
{
    return scene->reverts > 0;
}

static void await_answers(struct scene *scene)
{
    scene_until(scene, scene_is_answered);
    assert_int_equal(scene->answers[0].answer.outcome, OUTCOME_DONE);
    scene->answers_count = 0;
}

static void deploy_a_bad_release(struct scene *scene)
{
    assert_true(scene_adopt(scene, "1.0"));
    await_answers(scene);
    (void)snprintf(scene->live, sizeof(scene->live), "2.0");
    scene->errors = 50;
    assert_true(scene_register(scene, "2.0", "k2"));
    await_answers(scene);
}

static void set_stop(struct scene *scene, bool stands)
{
    const struct input input = {.kind = INPUT_STOP_FILE, .stop = stands};

    assert_true(driver_push(scene->driver, &input));
}

/* That of the bad release. */
static struct rollback_view newest_rollback(struct scene *scene)
{
    const struct core *core = driver_core(scene->driver);
    struct release_view release = {0};
    struct rollback_view rollback = {0};

    if (view_release(core, view_find_release(core, "svc", "production", "2.0"),
                     &release)) {
        (void)view_rollback(core, release.rollback, &rollback);
    }
    return rollback;
}

/* An order that makes records and changes nothing of the rollback. */
static bool freeze(struct scene *scene)
{
    const struct input input = {.kind = INPUT_COMMAND,
                                .reply = 1,
                                .by = "tester",
                                .command = {.kind = COMMAND_FREEZE,
                                            .service = "svc",
                                            .environment = "production",
                                            .reason = "test"}};

    return driver_push(scene->driver, &input);
}

/* --- Down and up ---------------------------------------------------------- */

/* The disk fails a few turns later each time, so that every part of a rollback
 * meets it; every effect is checked against what is written (help_driver.c). */
static void a_disk_that_comes_and_goes_loses_and_doubles_nothing(void **state)
{
    struct scene *scene = *state;
    int taken = 0;

    scene_start(scene);
    deploy_a_bad_release(scene);
    for (int i = 0; i < 12; i++) {
        scene_turns(scene, i % 5);
        scene->disk = DISK_IS_FULL;
        assert_true(freeze(scene));
        taken++;
        scene_until(scene, is_down);
        assert_false(freeze(scene));
        scene->disk = DISK_WORKS;
        scene_until(scene, is_up);
    }
    scene_until(scene, was_reverted);
    scene_until(scene, all_is_durable);
    scene_turns(scene, 2);
    assert_int_equal(scene->answers_count, taken);
    assert_int_equal(scene->reverts, 1);
    assert_int_equal(scene_stored(scene, RECORD_NOTICE, NULL, 0),
                     scene->notices);
    assert_int_equal(scene_stored(scene, RECORD_NOTICE_DONE, NULL, 0),
                     scene->notices);
}

/* --- Going back while it is down ------------------------------------------ */

static bool asks_before_the_revert(struct scene *scene)
{
    return scene->asked.kind == EFFECT_OBSERVE && scene->asked.needs != 0;
}

static bool has_gone_back(struct scene *scene)
{
    return newest_rollback(scene).applied_at != 0;
}

/* Healthy, watched, everything on the disk; then the disk is full and users are
 * hurt. */
static void breach_on_a_full_disk(struct scene *scene)
{
    scene_start(scene);
    assert_true(scene_adopt(scene, "1.0"));
    await_answers(scene);
    (void)snprintf(scene->live, sizeof(scene->live), "2.0");
    assert_true(scene_register(scene, "2.0", "k2"));
    await_answers(scene);
    scene_until(scene, all_is_durable);
    scene->disk = DISK_IS_FULL;
    scene->errors = 50;
}

/* What is durable may still be in the reserve only. */
static bool is_in_the_journal(struct scene *scene)
{
    struct driver_load load = {0};

    driver_load(scene->driver, &load);
    return load.records_waiting == 0;
}

static void check_gone_back_once(struct scene *scene)
{
    scene_until(scene, is_in_the_journal);
    assert_int_equal(scene->reverts, 1);
    assert_string_equal(scene->live, "1.0");
    assert_int_equal(scene_stored(scene, RECORD_ROLLBACK_PROPOSED, NULL, 0), 1);
    assert_int_equal(scene_stored(scene, RECORD_INCIDENT_OPENED, NULL, 0), 1);
}

/* Nothing reaches the journal; when it works again it holds everything. */
static void a_breach_on_a_full_disk_goes_back_by_the_reserve(void **state)
{
    struct scene *scene = *state;
    size_t moves = 0;

    breach_on_a_full_disk(scene);
    scene_until(scene, has_gone_back);
    assert_int_equal(scene->reverts, 1);
    assert_true(is_down(scene));
    assert_false(scene_register(scene, "3.0", "k3")); /* nothing goes forward */
    assert_int_equal(scene_stored(scene, RECORD_ROLLBACK_MOVED, NULL, 0), 0);
    assert_non_null(strstr(scene->noticed, "2.0"));
    scene->errors = 0;
    scene->disk = DISK_WORKS;
    scene_until(scene, has_gone_back);
    check_gone_back_once(scene);
    moves = scene_stored(scene, RECORD_ROLLBACK_MOVED, NULL, 0);
    scene_stop(scene);
    scene_start(scene); /* the chain is proven, nothing is taken in twice */
    assert_int_equal(scene_stored(scene, RECORD_ROLLBACK_MOVED, NULL, 0),
                     moves);
}

/* The end without a disk is a crash for all that was not durable. */
static void a_crash_after_the_revert_reverts_no_second_time(void **state)
{
    struct scene *scene = *state;

    breach_on_a_full_disk(scene);
    scene_until(scene, was_reverted);
    scene_stop(scene);
    scene->errors = 0;
    scene->disk = DISK_WORKS;
    scene_start(scene);
    scene_until(scene, has_gone_back);
    check_gone_back_once(scene);
}

/* The answer to the question before the revert is lost with the process. */
static void a_crash_before_the_revert_still_goes_back(void **state)
{
    struct scene *scene = *state;

    breach_on_a_full_disk(scene);
    scene->target_is_mute = true;
    scene_until(scene, asks_before_the_revert);
    assert_true(is_down(scene));
    scene_stop(scene);
    scene->target_is_mute = false;
    scene->disk = DISK_WORKS;
    scene_start(scene);
    scene_until(scene, has_gone_back);
    check_gone_back_once(scene);
}

static bool has_no_reserve(struct scene *scene)
{
    return scene->driver->no_reserve;
}

static void without_a_reserve_people_are_paged_and_nothing_leaves(void **state)
{
    struct scene *scene = *state;

    scene->no_reserve = true;
    breach_on_a_full_disk(scene);
    scene_until(scene, is_down);
    scene_until(scene, has_no_reserve);
    scene->driver->trouble_since = clock_boot() - MINUTE_MS;
    upkeep_second(scene->driver);
    assert_non_null(strstr(scene->noticed, "no rollback leaves"));
    assert_non_null(strstr(scene->noticed, "the test's reserve is gone"));
    scene_turns(scene, 20);
    assert_int_equal(scene->reverts, 0);
    scene->no_reserve = false;
    scene_until(scene, was_reverted);
    assert_true(is_down(scene));
    scene->disk = DISK_WORKS;
    check_gone_back_once(scene);
}

/* Whoever hears of a rollback by way of the reserve may stop it, or say yes. */
static void a_word_is_taken_though_nothing_goes_forward(void **state)
{
    static const enum command_kind kinds[] = {COMMAND_CANCEL, COMMAND_APPROVE,
                                              COMMAND_ROLLBACK};
    struct scene *scene = *state;

    scene_start(scene);
    scene_until(scene, all_is_durable);
    scene->disk = DISK_IS_FULL;
    assert_true(scene_register(scene, "2.0", "k1"));
    scene_until(scene, is_down);
    assert_false(scene_adopt(scene, "1.0"));
    for (size_t i = 0; i < 3; i++) {
        const struct input said = {.kind = INPUT_COMMAND,
                                   .reply = 9 + i,
                                   .by = "test",
                                   .command = {.kind = kinds[i],
                                               .rollback = 99,
                                               .release = 99,
                                               .reason = "wait"}};

        assert_true(driver_push(scene->driver, &said));
    }
    scene->disk = DISK_WORKS;
    scene_until(scene, scene_is_answered);
    scene_until(scene, is_in_the_journal);
    scene_turns(scene, 2);
    assert_int_equal(scene->answers_count, 4);
    assert_int_equal(scene->answers[3].answer.reply, 11);
}

/* --- The kill switch ------------------------------------------------------ */

static bool is_over(struct scene *scene)
{
    return newest_rollback(scene).ended_at != 0 || scene->reverts > 0;
}

/* Nothing can be recorded, so many things wait that not even the STOP file can
 * be; and the answer that calls for the revert is there already.  When the disk
 * comes back the file is seen first. */
static void a_stop_file_that_could_not_be_told_is_told_first(void **state)
{
    struct scene *scene = *state;
    struct input seen = {.kind = INPUT_TARGET};

    scene_start(scene);
    deploy_a_bad_release(scene);
    scene->target_is_mute = true;
    scene_until(scene, asks_before_the_revert);
    scene->disk = DISK_IS_FULL;
    set_stop(scene, true);
    set_stop(scene, false);
    scene_until(scene, is_down);
    scene_fill_queue(scene);
    seen.target.id = scene->asked.id;
    seen.target.result = TARGET_OBSERVED;
    seen.target.version = "2.0";
    seen.target.complete = true;
    assert_true(driver_push(scene->driver, &seen));
    scene_write(scene, "STOP", "");
    upkeep_second(scene->driver);
    assert_true(scene->driver->stop_is_untold);
    assert_int_equal(scene->reverts, 0);
    scene->disk = DISK_WORKS;
    scene_until(scene, is_over);
    assert_int_equal(scene->reverts, 0);
    assert_int_equal(newest_rollback(scene).state, ROLLBACK_FAILED);
    scene_remove(scene, "STOP");
}

/* --- The clock ------------------------------------------------------------ */

static struct held_effect *held_observe(struct scene *scene)
{
    struct held_effect *held = NULL;

    TAILQ_FOREACH(held, &scene->driver->held, link)
    {
        if (held->effect.kind == EFFECT_OBSERVE) {
            return held;
        }
    }
    return NULL;
}

static bool holds_the_question(struct scene *scene)
{
    return held_observe(scene) != NULL;
}

/* The deadlines of what waits for the disk move with the clock, both ways. */
static void what_is_held_keeps_its_deadline_when_the_clock_is_set(void **state)
{
    struct scene *scene = *state;
    const time_ms jumps[] = {HOUR_MS, -HOUR_MS};

    scene_start(scene);
    deploy_a_bad_release(scene);
    scene->disk = DISK_HANGS;
    scene_until(scene, holds_the_question);
    for (size_t i = 0; i < 2; i++) {
        const time_ms before = held_observe(scene)->effect.deadline;
        time_ms moved = 0;

        scene->driver->clock.anchor_wall -= jumps[i];
        upkeep_second(scene->driver);
        moved = held_observe(scene)->effect.deadline - before;
        assert_true(moved > jumps[i] - MINUTE_MS);
        assert_true(moved < jumps[i] + MINUTE_MS);
    }
    scene->disk = DISK_WORKS;
    scene_until(scene, was_reverted);
    assert_int_equal(scene->reverts, 1);
}

/* --- A disk that hangs ---------------------------------------------------- */

static bool is_unready(struct scene *scene)
{
    const char *why_not = NULL;

    return !driver_is_ready(scene->driver, &why_not);
}

static void a_disk_that_hangs_makes_it_unready(void **state)
{
    struct scene *scene = *state;
    struct driver_load load = {0};
    const char *why_not = "";

    scene_start(scene);
    scene_until(scene, all_is_durable);
    assert_true(driver_is_ready(scene->driver, &why_not));
    scene->disk = DISK_HANGS;
    assert_true(scene_register(scene, "2.0", "k1"));
    scene->driver->hangs_after = 50;
    scene_until(scene, is_unready);
    assert_false(driver_is_ready(scene->driver, &why_not));
    assert_non_null(strstr(why_not, "does not come back"));
    driver_load(scene->driver, &load);
    assert_true(load.records_waiting > 0);
    assert_true(load.effects_waiting > 0);
    scene->driver->hangs_after = STORE_HANGS_MS;
    scene->disk = DISK_WORKS;
    await_answers(scene);
    assert_true(driver_is_ready(scene->driver, &why_not));
}

/* --- The alarm ------------------------------------------------------------ */

static void an_outage_that_lasts_is_told_once_without_a_record(void **state)
{
    struct scene *scene = *state;
    int before = 0;

    scene_start(scene);
    scene_until(scene, all_is_durable);
    scene->disk = DISK_IS_FULL;
    assert_true(scene_register(scene, "2.0", "k1"));
    scene_until(scene, is_down);
    before = scene->notices;
    upkeep_second(scene->driver);
    assert_int_equal(scene->notices, before); /* it may be over soon */
    scene->driver->trouble_since -= MINUTE_MS;
    upkeep_second(scene->driver);
    upkeep_second(scene->driver);
    assert_int_equal(scene->notices, before + 1);
    assert_non_null(strstr(scene->noticed, "disk is full"));
    assert_non_null(strstr(scene_said(scene), "event=alarm.done "
                                              "delivered=yes"));
    scene->driver->alarmed_at -= HOUR_MS;
    upkeep_second(scene->driver);
    assert_int_equal(scene->notices, before + 2);
    scene->disk = DISK_WORKS;
    await_answers(scene);
    upkeep_second(scene->driver);
    assert_int_equal(scene->driver->trouble_since, 0);
}

/* --- Answers from within, and too late ------------------------------------ */

static void register_another(struct scene *scene, const struct effect *effect)
{
    (void)effect;
    if (scene->answers_count < 20) {
        char version[16];

        (void)snprintf(version, sizeof(version), "2.%zu", scene->answers_count);
        assert_true(scene_register(scene, version, version));
    }
}

static bool has_twenty_answers(struct scene *scene)
{
    return scene->answers_count == 20;
}

static void who_is_answered_may_ask_again_at_once(void **state)
{
    struct scene *scene = *state;

    scene->on_answer = register_another;
    scene_start(scene);
    assert_true(scene_register(scene, "2.0", "k"));
    scene_until(scene, has_twenty_answers);
    assert_int_equal(scene->answers_count, 20);
    scene->on_answer = NULL;
}

static void push_everything(struct scene *scene)
{
    struct input input = {.kind = INPUT_TARGET};

    input.target.id = scene->asked.id;
    input.target.result = TARGET_OBSERVED;
    input.target.version = "9.9";
    assert_false(driver_push(scene->driver, &input));
    input = (struct input){.kind = INPUT_NOTICE_DONE, .done = {.id = 1}};
    assert_false(driver_push(scene->driver, &input));
    input = (struct input){.kind = INPUT_SAMPLES};
    assert_false(driver_push(scene->driver, &input));
    input = (struct input){.kind = INPUT_HISTORY};
    assert_false(driver_push(scene->driver, &input));
    assert_false(scene_register(scene, "9.9", "late"));
}

static int readers_told;

static void on_read(void *data, const struct store_event *event)
{
    (void)data;
    (void)event;
    readers_told++;
}

/* Requests, reads, questions and appends are all under way; adapters answer
 * even while they are closed. */
static void an_end_in_the_middle_of_everything_is_clean(void **state)
{
    struct scene *scene = *state;
    const struct store_query query = {.kind = RECORD_REGISTERED};

    scene->target_is_mute = true;
    scene->on_close = push_everything;
    scene_start(scene);
    scene_turns(scene, 3);
    readers_told = 0;
    for (int i = 0; i < 10; i++) {
        char version[16];

        (void)snprintf(version, sizeof(version), "5.%d", i);
        assert_true(scene_register(scene, version, version));
        assert_true(driver_read(scene->driver, &query, on_read, NULL));
    }
    scene_stop(scene);
    assert_int_equal(readers_told, 10);
    assert_true(scene_stored(scene, RECORD_REGISTERED, NULL, 0) >= 10);
    scene->on_close = NULL;
}

/* What was kept and held while the disk was full goes with the driver. */
static void an_end_without_a_disk_is_clean(void **state)
{
    struct scene *scene = *state;
    struct input input = {.kind = INPUT_NOTICE_DONE, .done = {.id = 77}};

    scene_start(scene);
    scene_until(scene, all_is_durable);
    scene->disk = DISK_IS_FULL;
    assert_true(scene_register(scene, "2.0", "k1"));
    scene_until(scene, is_down);
    assert_true(driver_push(scene->driver, &input));
    scene_stop(scene);
    assert_false(scene_is_answered(scene));
    scene->disk = DISK_WORKS;
    scene_start(scene);
    assert_int_equal(view_find_release(driver_core(scene->driver), "svc",
                                       "production", "2.0"),
                     0);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_disk_that_comes_and_goes_loses_and_doubles_nothing),
        STORY(a_breach_on_a_full_disk_goes_back_by_the_reserve),
        STORY(a_crash_after_the_revert_reverts_no_second_time),
        STORY(a_crash_before_the_revert_still_goes_back),
        STORY(without_a_reserve_people_are_paged_and_nothing_leaves),
        STORY(a_word_is_taken_though_nothing_goes_forward),
        STORY(a_stop_file_that_could_not_be_told_is_told_first),
        STORY(what_is_held_keeps_its_deadline_when_the_clock_is_set),
        STORY(a_disk_that_hangs_makes_it_unready),
        STORY(an_outage_that_lasts_is_told_once_without_a_record),
        STORY(who_is_answered_may_ask_again_at_once),
        STORY(an_end_in_the_middle_of_everything_is_clean),
        STORY(an_end_without_a_disk_is_clean),
    };
    int failed = 0;

    assert_int_equal(curl_global_init(CURL_GLOBAL_DEFAULT), CURLE_OK);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
