/* Watching honestly: grades, the clock, what is live, history, blindness. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "help_story.h"

static const char *const shop[] = {"shop"};

/* Going forward needs a record: while none can be kept nobody becomes good, and
 * nothing is noted that would take the room of a rollback. */
static void what_cannot_be_remembered_is_not_promoted(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    struct input store = {.kind = INPUT_STORE, .store_is_down = true};
    story_input(story, &store);
    size_t records = story->journal_count;
    story_run(story, HOUR_MS);
    assert_int_equal(story->journal_count, records);
    assert_int_equal(story_release(story, "shop", "1.1").grade, GRADE_NONE);
    store.store_is_down = false;
    story_input(story, &store);
    story_run(story, MINUTE_MS);
    assert_int_equal(story_release(story, "shop", "1.1").grade,
                     GRADE_PROVISIONAL);
    /* Trouble is another matter. */
    store.store_is_down = true;
    story_input(story, &store);
    story_hurt(story, true);
    story_run_until(story, "rollback applied", 5 * MINUTE_MS);
    story_end(story);
}

static void a_healthy_release_becomes_provisional_then_good(void **state)
{
    (void)state;
    struct story *story = story_settled();
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    story_run(story, 3 * HOUR_MS);
    story_expect(story,
                 "05:00 registered 1.1\n"
                 "05:00 live 1.1\n"
                 "05:00 release 1.0 superseded, good (observed)\n"
                 "05:00 release 1.1 watching, none (live)\n"
                 "05:17 verdict 1.1 wait\n"
                 "05:17 -> history -360..300 s\n"
                 "05:17 baseline shop\n"
                 "06:17 verdict 1.1 healthy\n"
                 "36:02 release 1.1 watching, provisional (provisional)\n"
                 "126:02 release 1.1 good, good (good)\n");
    assert_int_equal(story_release(story, "shop", "1.1").grade, GRADE_GOOD);
    assert_int_equal(story_release(story, "shop", "1.1").last_good,
                     story_release(story, "shop", "1.0").id);
    story_end(story);
}

/* What `why` explains is recorded: so is another reason to wait, though the
 * path is the same, once a minute. */
static void another_reason_to_wait_is_recorded(void **state)
{
    (void)state;
    struct story *story = story_settled();
    story_metric_unknown(story, "errors", "shop", UNKNOWN_NAN);
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    story_run(story, 15 * SECOND_MS + 2500);
    assert_string_equal(story_release(story, "shop", "1.1").verdict_text,
                        "not known: settling");
    story_run(story, MINUTE_MS);
    assert_string_equal(story_release(story, "shop", "1.1").verdict_text,
                        "not known: errors (nan)");
    story_skip(story);
    for (int i = 0; i < 12; i++) { /* one reason a look */
        story_metric_unknown(story, "errors", "shop",
                             i % 2 ? UNKNOWN_NAN : UNKNOWN_INFINITE);
        story_run(story, 15 * SECOND_MS);
    }
    assert_int_equal(story_count(story, "verdict 1.1 wait"), 2);
    story_end(story);
}

static void on_the_first_day_what_is_live_is_discovered(void **state)
{
    (void)state;
    struct story *story = story_new(shop, 1);
    story_metric_at(story, "requests", "shop", STORY_START - HOUR_MS, 100);
    story_metric_at(story, "errors", "shop", STORY_START - HOUR_MS, 0.1);
    story_start(story);
    story_policy(story, STORY_POLICY);
    story_run(story, 3 * HOUR_MS);
    story_expect(story,
                 "00:00 started 1\n"
                 "00:00 policy_set shop\n"
                 "00:00 live 1.0\n"
                 "00:00 discovered 1.0\n"
                 "00:00 release 1.0 watching, none (live)\n"
                 "00:17 verdict 1.0 wait\n"
                 "00:17 -> history -660..0 s\n"
                 "00:17 baseline shop\n"
                 "01:17 verdict 1.0 healthy\n"
                 "31:02 release 1.0 watching, provisional (provisional)\n"
                 "121:02 release 1.0 good, good (good)\n");
    story_end(story);
}

static void a_release_that_nobody_called_is_no_good(void **state)
{
    (void)state;
    struct story *story = story_settled();
    story_metric(story, "requests", "shop", 0.001); /* 7 requests in 2 h */
    story_metric(story, "errors", "shop", 0);
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    story_run(story, 5 * HOUR_MS);
    story_expect(story,
                 "05:00 registered 1.1\n"
                 "05:00 live 1.1\n"
                 "05:00 release 1.0 superseded, good (observed)\n"
                 "05:00 release 1.1 watching, none (live)\n"
                 "05:17 verdict 1.1 wait\n"
                 "05:17 -> history -360..300 s\n"
                 "05:17 baseline shop\n"
                 "06:17 verdict 1.1 healthy\n"
                 "36:02 release 1.1 watching, provisional (provisional)\n"
                 "246:02 release 1.1 held, provisional (undetermined)\n"
                 "246:02 notice undetermined to oncall\n");
    assert_int_equal(story_gate(story, "shop", "1.2").gate, GATE_GO);
    story_end(story);
}

/* A broken exporter may say anything; what is remembered stays a number of
 * requests. */
static void requests_without_reason_are_counted_within_reason(void **state)
{
    (void)state;
    struct story *story = story_settled();
    story_metric(story, "requests", "shop", 1.7e308);
    story_metric(story, "errors", "shop", 0);
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    story_run(story, 20 * MINUTE_MS);
    assert_true(story_release(story, "shop", "1.1").requests == 1e15);
    story_metric(story, "requests", "shop", -1.7e308);
    story_run(story, 20 * MINUTE_MS);
    assert_true(story_release(story, "shop", "1.1").requests == 1e15);
    story_skip(story);
    story_end(story);
}

static void healthy_time_waits_for_a_complete_rollout(void **state)
{
    (void)state;
    struct story *story = story_settled();
    story_deploy(story, "shop", "1.1", 9 * MINUTE_MS);
    story_register(story, "shop", "1.1");
    story_run(story, 8 * MINUTE_MS);
    assert_int_equal(story_release(story, "shop", "1.1").healthy, 0);
    assert_true(story_release(story, "shop", "1.1").looks > 20);
    story_run(story, 8 * MINUTE_MS);
    assert_true(story_release(story, "shop", "1.1").healthy >= 5 * MINUTE_MS);
    story_expect(story, "05:00 registered 1.1\n"
                        "05:00 live 1.1 (incomplete)\n"
                        "05:00 release 1.0 superseded, good (observed)\n"
                        "05:00 release 1.1 watching, none (live)\n"
                        "05:17 verdict 1.1 wait\n"
                        "05:17 -> history -360..300 s\n"
                        "05:17 baseline shop\n"
                        "06:17 verdict 1.1 healthy\n"
                        "14:00 live 1.1\n");
    story_end(story);
}

static void a_rollout_that_never_completes_is_stuck(void **state)
{
    (void)state;
    struct story *story = story_settled();
    story_deploy(story, "shop", "1.1", HOUR_MS);
    story_register(story, "shop", "1.1");
    story_run(story, 9 * MINUTE_MS);
    assert_false(story_release(story, "shop", "1.1").stuck);
    story_run(story, 2 * MINUTE_MS);
    assert_true(story_release(story, "shop", "1.1").stuck);
    story_end(story);
}

static void another_live_version_ends_the_watch(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_deploy(story, "shop", "1.2", 0); /* nobody tells us */
    story_run(story, 8 * MINUTE_MS);
    story_expect(story, "14:05 live 1.2\n"
                        "14:05 discovered 1.2\n"
                        "14:05 release 1.1 superseded, none (observed)\n"
                        "14:05 release 1.2 watching, none (live)\n"
                        "14:17 verdict 1.2 wait\n"
                        "14:17 -> history 180..840 s\n"
                        "14:17 baseline shop\n"
                        "15:17 verdict 1.2 healthy\n");
    story_end(story);
}

static void an_old_instance_during_a_rollout_ends_nothing(void **state)
{
    (void)state;
    struct story *story = story_settled();
    story_deploy(story, "shop", "1.1", 9 * MINUTE_MS);
    story_register(story, "shop", "1.1");
    story_run(story, MINUTE_MS);
    struct world_service *world = story_world(story, "shop");
    strcpy(world->coming, "");
    strcpy(world->live, "1.0"); /* the next answer comes from an old one */
    story_run(story, MINUTE_MS);
    strcpy(world->live, "1.1");
    world->complete = true;
    story_run(story, 2 * MINUTE_MS);
    story_expect(story, "05:00 registered 1.1\n"
                        "05:00 live 1.1 (incomplete)\n"
                        "05:00 release 1.0 superseded, good (observed)\n"
                        "05:00 release 1.1 watching, none (live)\n"
                        "05:17 verdict 1.1 wait\n"
                        "05:17 -> history -360..300 s\n"
                        "05:17 baseline shop\n"
                        "06:17 verdict 1.1 healthy\n"
                        "07:00 live 1.1\n");
    story_end(story);
}

static void overlapping_releases_supersede_when_seen_live(void **state)
{
    (void)state;
    struct story *story = story_settled();
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    story_run(story, 2 * MINUTE_MS);
    story_register(story, "shop", "1.2"); /* told early, live later */
    story_run(story, 3 * MINUTE_MS);
    assert_int_equal(story_release(story, "shop", "1.1").state,
                     RELEASE_WATCHING);
    assert_int_equal(story_release(story, "shop", "1.2").state,
                     RELEASE_CANDIDATE);
    story_deploy(story, "shop", "1.2", 0);
    story_run(story, 2 * MINUTE_MS);
    story_expect(story, "05:00 registered 1.1\n"
                        "05:00 live 1.1\n"
                        "05:00 release 1.0 superseded, good (observed)\n"
                        "05:00 release 1.1 watching, none (live)\n"
                        "05:17 verdict 1.1 wait\n"
                        "05:17 -> history -360..300 s\n"
                        "05:17 baseline shop\n"
                        "06:17 verdict 1.1 healthy\n"
                        "07:00 registered 1.2\n"
                        "10:00 live 1.2\n"
                        "10:00 release 1.1 superseded, none (observed)\n"
                        "10:00 release 1.2 watching, none (live)\n"
                        "10:00 -> history -240..420 s\n"
                        "10:00 baseline shop\n"
                        "10:02 -> history 540..600 s\n"
                        "10:17 verdict 1.2 healthy\n");
    story_end(story);
}

static void a_late_registration_reads_what_it_missed(void **state)
{
    (void)state;
    struct story *story = story_settled();
    story_deploy(story, "shop", "1.1", 0);
    time_ms deployed = story->now;
    story_run(story, 2 * MINUTE_MS);
    story_hurt(story, true);
    story_run(story, 90 * SECOND_MS); /* hurt, and nobody knows of 1.1 */
    struct registration registration = {.service = "shop",
                                        .environment = "prod",
                                        .version = "1.1",
                                        .data_change = "none",
                                        .deployed_at = deployed};
    story_registration(story, &registration);
    story_run_until(story, "rollback intended", 30 * SECOND_MS);
    story_expect(story, "08:30 registered 1.1\n"
                        "08:30 live 1.1\n"
                        "08:30 release 1.0 superseded, good (observed)\n"
                        "08:30 release 1.1 watching, none (live)\n"
                        "08:30 -> history -360..300 s\n"
                        "08:30 baseline shop\n"
                        "08:32 -> history 450..510 s\n"
                        "08:47 incident opened\n"
                        "08:47 verdict 1.1 rollback\n"
                        "08:47 release 1.1 suspect, none (rollback)\n"
                        "08:47 rollback proposed 1.1 -> 1.0\n"
                        "08:47 rollback intended (intended)\n"
                        "08:47 notice rollback to status\n"
                        "08:47 notice rollback to oncall\n");
    story_end(story);
}

static void a_registration_after_the_discovery_takes_over(void **state)
{
    (void)state;
    struct story *story = story_settled();
    story_deploy(story, "shop", "1.1", 0);
    time_ms deployed = story->now;
    story_run(story, 6 * MINUTE_MS); /* found by a regular observation */
    struct registration registration = {.service = "shop",
                                        .environment = "prod",
                                        .version = "1.1",
                                        .data_change = "none",
                                        .deployed_at = deployed};
    story_registration(story, &registration);
    story_run(story, 2 * MINUTE_MS);
    story_expect(story, "09:05 live 1.1\n"
                        "09:05 discovered 1.1\n"
                        "09:05 release 1.0 superseded, good (observed)\n"
                        "09:05 release 1.1 watching, none (live)\n"
                        "09:17 verdict 1.1 wait\n"
                        "09:17 -> history -120..540 s\n"
                        "09:17 baseline shop\n"
                        "10:17 verdict 1.1 healthy\n"
                        "11:00 release 1.1 superseded, none (registered)\n"
                        "11:00 registered 1.1\n"
                        "11:00 release 1.1 watching, none (live)\n"
                        "11:00 -> history -360..300 s\n"
                        "11:00 baseline shop\n"
                        "11:02 -> history 600..660 s\n"
                        "11:17 verdict 1.1 healthy\n");
    assert_int_equal(story_release(story, "shop", "1.1").rollback_safe,
                     ANSWER_YES);
    story_end(story);
}

/* The hour before the deploy had a suspect in it: its time is left out. */
static void a_deploy_in_the_middle_of_a_baseline(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_hurt(story, true);
    story_run_until(story, "rollback applied", 10 * MINUTE_MS);
    story_hurt(story, false);
    story_run_until(story, "incident closed", 10 * MINUTE_MS);
    story_run(story, 10 * MINUTE_MS);
    story_deploy(story, "shop", "1.2", 0);
    story_register(story, "shop", "1.2");
    story_run(story, 2 * MINUTE_MS);
    story_skip(story);
    /* hurt again: new with 1.2, although users were hurt within the hour */
    story_hurt(story, true);
    story_run_until(story, "verdict 1.2 rollback", 5 * MINUTE_MS);
    story_end(story);
}

static void a_baseline_that_fails_is_asked_again(void **state)
{
    (void)state;
    struct story *story = story_settled();
    story->history_fails = true;
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    story_run(story, MINUTE_MS);
    story->history_fails = false;
    story_run(story, MINUTE_MS);
    story_expect(story, "05:00 registered 1.1\n"
                        "05:00 live 1.1\n"
                        "05:00 release 1.0 superseded, good (observed)\n"
                        "05:00 release 1.1 watching, none (live)\n"
                        "05:17 verdict 1.1 wait\n"
                        "05:17 -> history -360..300 s\n"
                        "05:32 -> history -360..300 s\n"
                        "05:47 -> history -360..300 s\n"
                        "06:02 -> history -360..300 s\n"
                        "06:02 baseline shop\n"
                        "06:17 verdict 1.1 healthy\n");
    story_end(story);
}

static void a_failed_observation_changes_nothing(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_world(story, "shop")->observe = DEPLOYER_FAILS;
    story_run(story, 12 * MINUTE_MS);
    assert_string_equal(story_service(story, "shop").observe_error,
                        "503 Service Unavailable");
    assert_string_equal(story_service(story, "shop").live, "1.1");
    time_ms healthy = story_release(story, "shop", "1.1").healthy;
    story_run(story, 20 * MINUTE_MS); /* unseen for long: no credit */
    assert_true(story_release(story, "shop", "1.1").healthy <
                healthy + 5 * MINUTE_MS);
    story_world(story, "shop")->observe = DEPLOYER_WORKS;
    story_run(story, 6 * MINUTE_MS);
    assert_string_equal(story_service(story, "shop").observe_error, "");
    story_expect(story, "");
    story_end(story);
}

static void a_page_that_blames_nobody_counts_as_healthy(void **state)
{
    (void)state;
    struct story *story = story_settled();
    story_hurt(story, true); /* before the deploy */
    story_run(story, 15 * MINUTE_MS);
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    story_run(story, 40 * MINUTE_MS);
    assert_int_equal(story_release(story, "shop", "1.1").grade,
                     GRADE_PROVISIONAL);
    story_hurt(story, false);
    story_run(story, 15 * MINUTE_MS);
    story_expect(story,
                 "20:00 registered 1.1\n"
                 "20:00 live 1.1\n"
                 "20:00 release 1.0 superseded, good (observed)\n"
                 "20:00 release 1.1 watching, none (live)\n"
                 "20:17 verdict 1.1 wait\n"
                 "20:17 -> history 540..1200 s\n"
                 "20:17 baseline shop\n"
                 "22:02 incident opened\n"
                 "22:02 verdict 1.1 page\n"
                 "22:02 notice page to oncall\n"
                 "51:47 release 1.1 watching, provisional (provisional)\n"
                 "52:02 notice page to oncall\n"
                 "60:02 verdict 1.1 healthy\n"
                 "70:02 incident closed (quiet)\n");
    story_end(story);
}

static void a_new_policy_judges_from_the_next_look(void **state)
{
    (void)state;
    static const char stricter[] =
        "policy: shop\n"
        "mode: suggest\n"
        "signals:\n"
        "  errors: {prometheus: errors, select: {service: release.service},\n"
        "           unit: per_second}\n"
        "tree:\n"
        "  question: Are users hurt?\n"
        "  if: errors > 0.05/s for 2m\n"
        "  then: {page: 'too many', blame: none}\n"
        "  else: healthy\n";
    struct story *story = story_deployed();
    story_policy(story, stricter);
    story_run(story, 40 * MINUTE_MS);
    story_expect(story, "10:00 policy_set shop\n"
                        "10:02 -> history 480..600 s\n"
                        "10:17 incident opened\n"
                        "10:17 verdict 1.1 page\n"
                        "10:17 notice page to oncall\n"
                        "40:17 notice page to oncall\n");
    time_ms healthy = story_release(story, "shop", "1.1").healthy;
    assert_true(healthy > 40 * MINUTE_MS); /* the clock goes on */
    story_end(story);
}

static void the_same_policy_again_is_no_news(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_policy(story, STORY_POLICY);
    story_run(story, MINUTE_MS);
    story_expect(story, "");
    story_end(story);
}

static void without_its_policy_a_release_is_unwatched(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_policy_removed(story, "shop");
    story_run(story, 2 * MINUTE_MS);
    story_policy(story, STORY_POLICY);
    story_run(story, 2 * MINUTE_MS);
    story_expect(story, "10:00 policy_removed shop\n"
                        "10:00 release 1.1 unwatched, none (no_policy)\n"
                        "12:00 policy_set shop\n"
                        "12:00 release 1.1 watching, none (live)\n"
                        "12:02 -> history 660..720 s\n");
    story_end(story);
}

static void a_rollback_keeps_the_policy_it_began_with(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_hurt(story, true);
    story_run_until(story, "rollback applied", 10 * MINUTE_MS);
    story_policy_removed(story, "shop");
    story_hurt(story, false);
    story_run(story, 5 * MINUTE_MS);
    story_expect(story, "10:47 incident opened\n"
                        "10:47 verdict 1.1 rollback\n"
                        "10:47 release 1.1 suspect, none (rollback)\n"
                        "10:47 rollback proposed 1.1 -> 1.0\n"
                        "10:47 rollback intended (intended)\n"
                        "10:47 notice rollback to status\n"
                        "10:47 notice rollback to oncall\n"
                        "10:47 rollback requested (requested)\n"
                        "10:47 -> revert 1.1 -> 1.0\n"
                        "10:47 rollback in progress (accepted)\n"
                        "10:47 live 1.0 (incomplete)\n"
                        "10:52 live 1.0\n"
                        "10:52 rollback applied (applied)\n"
                        "10:52 rollback verifying (verifying)\n"
                        "10:52 policy_removed shop\n"
                        "12:47 rollback recovered (recovered)\n"
                        "12:47 notice recovered to status\n"
                        "12:47 notice recovered to oncall\n"
                        "12:47 incident closed (recovered)\n"
                        "12:47 release 1.0 good, good (put_live)\n");
    story_end(story);
}

/* A paused process (a debugger, a frozen VM) wakes up an hour later. */
static void a_paused_process_takes_the_grid_up_where_it_is(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story->now += HOUR_MS;
    story->events_count = 0;
    story_run(story, 5 * MINUTE_MS);
    story_expect(story, "70:02 -> history 4140..4200 s\n");
    assert_true(story_release(story, "shop", "1.1").healthy < 15 * MINUTE_MS);
    story_end(story);
}

static void a_quiet_incident_closes_after_ten_minutes(void **state)
{
    (void)state;
    struct story *story = story_settled();
    story_deploy(story, "shop", "1.1", 0);
    struct registration registration = {.service = "shop",
                                        .environment = "prod",
                                        .version = "1.1",
                                        .data_change = "contract"};
    story_registration(story, &registration);
    story_run(story, 5 * MINUTE_MS);
    story_skip(story);
    story_hurt(story, true);
    story_run(story, 3 * MINUTE_MS);
    story_hurt(story, false);
    story_run(story, 15 * MINUTE_MS);
    story_expect(story, "10:47 incident opened\n"
                        "10:47 verdict 1.1 hold\n"
                        "10:47 release 1.1 held, none (hold)\n"
                        "10:47 notice hold to status\n"
                        "10:47 notice hold to oncall\n"
                        "13:02 verdict 1.1 healthy\n"
                        "23:02 incident closed (quiet)\n");
    story_end(story);
}

static void no_grade_rises_in_trouble(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story->services[0].ceiling = MODE_SUGGEST;
    story_run(story, 20 * MINUTE_MS);
    story_hurt(story, true);
    story_run(story, 2 * MINUTE_MS);
    story_hurt(story, false);
    story_run(story, 8 * MINUTE_MS); /* healthy for more than half an hour */
    story_hurt(story, true);
    story_run(story, 2 * MINUTE_MS);
    story_command(story, (struct command){
                             .kind = COMMAND_CLOSE,
                             .incident = story_service(story, "shop").incident,
                             .reason = "known"});
    assert_int_equal(story_release(story, "shop", "1.1").state,
                     RELEASE_WATCHING);
    story_run(story, 10 * MINUTE_MS);
    assert_int_equal(story_release(story, "shop", "1.1").grade, GRADE_NONE);
    story_hurt(story, false);
    story_run(story, 5 * MINUTE_MS);
    assert_int_equal(story_release(story, "shop", "1.1").grade,
                     GRADE_PROVISIONAL);
    story_end(story);
}

static void a_registered_version_that_never_comes_is_paged_once(void **state)
{
    (void)state;
    struct story *story = story_settled();
    story_register(story, "shop", "1.1");
    story_run(story, HOUR_MS);
    story_expect(story, "05:00 registered 1.1\n"
                        "15:00 notice not_live to oncall\n");
    assert_int_equal(story_release(story, "shop", "1.1").state,
                     RELEASE_CANDIDATE);
    story_end(story);
}

static void a_version_that_is_no_version_is_not_believed(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    strcpy(story_world(story, "shop")->live, "<html> 502");
    story_run(story, 12 * MINUTE_MS);
    assert_string_equal(story_service(story, "shop").observe_error,
                        "the version that it names is not a version");
    story_expect(story, "");
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_healthy_release_becomes_provisional_then_good),
        cmocka_unit_test(what_cannot_be_remembered_is_not_promoted),
        cmocka_unit_test(another_reason_to_wait_is_recorded),
        cmocka_unit_test(on_the_first_day_what_is_live_is_discovered),
        cmocka_unit_test(a_release_that_nobody_called_is_no_good),
        cmocka_unit_test(requests_without_reason_are_counted_within_reason),
        cmocka_unit_test(healthy_time_waits_for_a_complete_rollout),
        cmocka_unit_test(a_rollout_that_never_completes_is_stuck),
        cmocka_unit_test(another_live_version_ends_the_watch),
        cmocka_unit_test(an_old_instance_during_a_rollout_ends_nothing),
        cmocka_unit_test(overlapping_releases_supersede_when_seen_live),
        cmocka_unit_test(a_late_registration_reads_what_it_missed),
        cmocka_unit_test(a_registration_after_the_discovery_takes_over),
        cmocka_unit_test(a_deploy_in_the_middle_of_a_baseline),
        cmocka_unit_test(a_baseline_that_fails_is_asked_again),
        cmocka_unit_test(a_failed_observation_changes_nothing),
        cmocka_unit_test(a_page_that_blames_nobody_counts_as_healthy),
        cmocka_unit_test(a_new_policy_judges_from_the_next_look),
        cmocka_unit_test(the_same_policy_again_is_no_news),
        cmocka_unit_test(without_its_policy_a_release_is_unwatched),
        cmocka_unit_test(a_rollback_keeps_the_policy_it_began_with),
        cmocka_unit_test(a_paused_process_takes_the_grid_up_where_it_is),
        cmocka_unit_test(a_quiet_incident_closes_after_ten_minutes),
        cmocka_unit_test(no_grade_rises_in_trouble),
        cmocka_unit_test(a_registered_version_that_never_comes_is_paged_once),
        cmocka_unit_test(a_version_that_is_no_version_is_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
