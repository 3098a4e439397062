/* Every reason not to roll back: a recorded refusal, paged once, decided anew
 * while the leaf stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "help_story.h"

static const char *const shop[] = {"shop"};

static void metrics(struct story *story, const char *service)
{
    story_metric_at(story, "requests", service, STORY_START - HOUR_MS, 100);
    story_metric_at(story, "errors", service, STORY_START - HOUR_MS, 0.1);
}

static void without_a_last_good_people_are_paged(void **state)
{
    (void)state;
    struct story *story = story_new(shop, 1);
    metrics(story, "shop");
    story_start(story);
    story_policy(story, STORY_POLICY);
    story_run(story, 5 * MINUTE_MS);
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    story_run(story, 5 * MINUTE_MS);
    story_skip(story);
    story_hurt(story, true);
    story_run(story, 10 * MINUTE_MS);
    story_expect(story, "10:47 incident opened\n"
                        "10:47 verdict 1.1 rollback\n"
                        "10:47 release 1.1 suspect, none (rollback)\n"
                        "10:47 rollback proposed 1.1 -> \n"
                        "10:47 rollback refused (no_last_good)\n"
                        "10:47 notice refused to status\n"
                        "10:47 notice refused to oncall\n");
    story_end(story);
}

static void data_changed_one_way_holds(void **state)
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
    story_run(story, 10 * MINUTE_MS);
    story_expect(story, "10:47 incident opened\n"
                        "10:47 verdict 1.1 hold\n"
                        "10:47 release 1.1 held, none (hold)\n"
                        "10:47 notice hold to status\n"
                        "10:47 notice hold to oncall\n");
    assert_string_equal(story_gate(story, "shop", "1.2").code, "held");
    story_command(story, (struct command){
                             .kind = COMMAND_RESUME,
                             .release = story_release(story, "shop", "1.1").id,
                             .reason = "fixed by hand"});
    assert_int_equal(story_gate(story, "shop", "1.2").gate, GATE_GO);
    story_run(story, 5 * MINUTE_MS);
    story_expect(story, "20:00 commanded resume\n"
                        "20:00 release 1.1 watching, none (resumed)\n");
    story_end(story);
}

/* A tree that never asks: the interlock asks all the same. */
static const char careless[] =
    "policy: shop\n"
    "mode: auto\n"
    "signals:\n"
    "  errors: {prometheus: errors, select: {service: release.service},\n"
    "           unit: per_second}\n"
    "tree:\n"
    "  question: Are users hurt?\n"
    "  if: errors > 10/s for 1m\n"
    "  then: {rollback: last_good, freeze: none}\n"
    "  else: healthy\n";

static void a_careless_tree_cannot_undo_a_data_change(void **state)
{
    (void)state;
    struct story *story = story_settled();
    story_policy(story, careless);
    story_policy_removed(story, "shop");
    story_policy(story, careless);
    story_deploy(story, "shop", "1.1", 0);
    struct registration registration = {.service = "shop",
                                        .environment = "prod",
                                        .version = "1.1",
                                        .data_change = "irreversible"};
    story_registration(story, &registration);
    story_run(story, 5 * MINUTE_MS);
    story_skip(story);
    story_hurt(story, true);
    story_run(story, 10 * MINUTE_MS);
    story_expect(story, "10:47 incident opened\n"
                        "10:47 verdict 1.1 rollback\n"
                        "10:47 release 1.1 suspect, none (rollback)\n"
                        "10:47 rollback proposed 1.1 -> 1.0\n"
                        "10:47 rollback refused (irreversible)\n"
                        "10:47 notice refused to oncall\n");
    story_end(story);
}

static void a_target_that_is_gone_is_not_asked_for(void **state)
{
    (void)state;
    struct story *story = story_new(shop, 1);
    story->target.can_check = true;
    metrics(story, "shop");
    story_start(story);
    story_policy(story, STORY_POLICY);
    story_adopt(story, "shop", "1.0");
    story_run(story, MINUTE_MS);
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    story_run(story, 5 * MINUTE_MS);
    story_skip(story);
    story_world(story, "shop")->target_gone = true;
    story_hurt(story, true);
    story_run(story, 3 * MINUTE_MS);
    assert_int_equal(story_count(story, "rollback refused (target_gone)"), 1);
    assert_int_equal(story_count(story, "-> revert"), 0);
    story_world(story, "shop")->target_gone = false; /* it was a slip */
    story_run_until(story, "rollback applied", MINUTE_MS);
    story_end(story);
}

static void a_target_that_does_not_say_is_asked_again(void **state)
{
    (void)state;
    struct story *story = story_new(shop, 1);
    story->target.can_check = true;
    metrics(story, "shop");
    story_start(story);
    story_policy(story, STORY_POLICY);
    story_adopt(story, "shop", "1.0");
    story_run(story, MINUTE_MS);
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    story_run(story, 5 * MINUTE_MS);
    story_skip(story);
    story_world(story, "shop")->has = DEPLOYER_HANGS;
    story_hurt(story, true);
    story_run(story, 3 * MINUTE_MS);
    assert_int_equal(story_count(story, "rollback refused (target_unclear)"),
                     1);
    story_world(story, "shop")->has = DEPLOYER_WORKS;
    story_run_until(story, "rollback applied", MINUTE_MS);
    story_end(story);
}

static void a_stop_file_stops_and_its_end_lets_go(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_stop_file(story, true);
    story_hurt(story, true);
    story_run(story, 5 * MINUTE_MS);
    story_stop_file(story, false);
    story_run_until(story, "rollback applied", MINUTE_MS);
    story_expect(story, "10:00 stop file yes\n"
                        "10:47 incident opened\n"
                        "10:47 verdict 1.1 rollback\n"
                        "10:47 release 1.1 suspect, none (rollback)\n"
                        "10:47 rollback proposed 1.1 -> 1.0\n"
                        "10:47 rollback refused (stop)\n"
                        "10:47 notice refused to status\n"
                        "10:47 notice refused to oncall\n"
                        "15:00 stop file no\n"
                        "15:02 rollback intended (intended)\n"
                        "15:02 notice rollback to status\n"
                        "15:02 notice rollback to oncall\n"
                        "15:02 rollback requested (requested)\n"
                        "15:02 -> revert 1.1 -> 1.0\n"
                        "15:02 rollback in progress (accepted)\n"
                        "15:02 live 1.0 (incomplete)\n"
                        "15:07 live 1.0\n"
                        "15:07 rollback applied (applied)\n"
                        "15:07 rollback verifying (verifying)\n");
    story_end(story);
}

/* STOP between the decision and the intent: nothing leaves. */
static void a_stop_file_in_the_last_moment_is_in_time(void **state)
{
    (void)state;
    struct story *story = story_new(shop, 1);
    story->target.can_check = true;
    metrics(story, "shop");
    story_start(story);
    story_policy(story, STORY_POLICY);
    story_adopt(story, "shop", "1.0");
    story_run(story, MINUTE_MS);
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    story_run(story, 5 * MINUTE_MS);
    story_skip(story);
    story_hurt(story, true);
    story_run_until(story, "-> has", 10 * MINUTE_MS);
    story_stop_file(story, true);
    story_run(story, 5 * MINUTE_MS);
    story_expect(story, "06:47 incident opened\n"
                        "06:47 verdict 1.1 rollback\n"
                        "06:47 release 1.1 suspect, none (rollback)\n"
                        "06:47 rollback proposed 1.1 -> 1.0\n"
                        "06:47 -> has 1.0\n"
                        "06:47 stop file yes\n"
                        "06:47 rollback refused (stop)\n"
                        "06:47 notice refused to status\n"
                        "06:47 notice refused to oncall\n");
    story_end(story);
}

static void a_ceiling_of_observe_says_what_it_would_do(void **state)
{
    (void)state;
    struct story *story = story_new(shop, 1);
    story->services[0].ceiling = MODE_OBSERVE;
    metrics(story, "shop");
    story_start(story);
    story_policy(story, STORY_POLICY);
    story_adopt(story, "shop", "1.0");
    story_run(story, MINUTE_MS);
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    story_run(story, 5 * MINUTE_MS);
    story_skip(story);
    story_hurt(story, true);
    story_run(story, 10 * MINUTE_MS);
    story_expect(story, "06:47 incident opened\n"
                        "06:47 verdict 1.1 rollback\n"
                        "06:47 release 1.1 suspect, none (rollback)\n"
                        "06:47 rollback proposed 1.1 -> 1.0\n"
                        "06:47 rollback refused (mode)\n"
                        "06:47 notice refused to status\n"
                        "06:47 notice refused to oncall\n");
    struct rollback_view view;
    assert_true(view_rollback(
        story->core, story_release(story, "shop", "1.1").rollback, &view));
    assert_string_equal(view.text, "would roll back shop in prod from 1.1 to "
                                   "1.0 (observe)");
    story_end(story);
}

static void a_suggestion_waits_for_a_person(void **state)
{
    (void)state;
    struct story *story = story_new(shop, 1);
    story->services[0].ceiling = MODE_SUGGEST;
    metrics(story, "shop");
    story_start(story);
    story_policy(story, STORY_POLICY);
    story_adopt(story, "shop", "1.0");
    story_run(story, MINUTE_MS);
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    story_run(story, 5 * MINUTE_MS);
    story_skip(story);
    story_hurt(story, true);
    story_run(story, 10 * MINUTE_MS);
    story_expect(story, "06:47 incident opened\n"
                        "06:47 verdict 1.1 rollback\n"
                        "06:47 release 1.1 suspect, none (rollback)\n"
                        "06:47 rollback proposed 1.1 -> 1.0\n"
                        "06:47 rollback proposed (suggested)\n"
                        "06:47 notice proposed to status\n"
                        "06:47 notice proposed to oncall\n");
    story_command(story, (struct command){
                             .kind = COMMAND_ROLLBACK,
                             .release = story_release(story, "shop", "1.1").id,
                             .reason = "yes"});
    assert_int_equal(story->answer.answer.outcome, OUTCOME_DONE);
    story_run_until(story, "rollback applied", MINUTE_MS);
    story_expect(story, "16:00 commanded rollback\n"
                        "16:00 rollback intended (intended)\n"
                        "16:00 notice rollback to status\n"
                        "16:00 notice rollback to oncall\n"
                        "16:00 rollback requested (requested)\n"
                        "16:00 -> revert 1.1 -> 1.0\n"
                        "16:00 rollback in progress (accepted)\n"
                        "16:00 live 1.0 (incomplete)\n"
                        "16:05 live 1.0\n"
                        "16:05 rollback applied (applied)\n"
                        "16:05 rollback verifying (verifying)\n");
    story_end(story);
}

static void a_suggestion_is_withdrawn_when_the_trouble_ends(void **state)
{
    (void)state;
    struct story *story = story_new(shop, 1);
    story->services[0].ceiling = MODE_SUGGEST;
    metrics(story, "shop");
    story_start(story);
    story_policy(story, STORY_POLICY);
    story_adopt(story, "shop", "1.0");
    story_run(story, MINUTE_MS);
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    story_run(story, 5 * MINUTE_MS);
    story_skip(story);
    story_hurt(story, true);
    story_run(story, 3 * MINUTE_MS);
    story_hurt(story, false);
    story_run(story, 20 * MINUTE_MS);
    story_expect(story, "06:47 incident opened\n"
                        "06:47 verdict 1.1 rollback\n"
                        "06:47 release 1.1 suspect, none (rollback)\n"
                        "06:47 rollback proposed 1.1 -> 1.0\n"
                        "06:47 rollback proposed (suggested)\n"
                        "06:47 notice proposed to status\n"
                        "06:47 notice proposed to oncall\n"
                        "09:02 verdict 1.1 healthy\n"
                        "09:02 rollback cancelled (withdrawn)\n"
                        "19:02 release 1.1 watching, none (quiet)\n"
                        "19:02 incident closed (quiet)\n");
    assert_int_equal(story_release(story, "shop", "1.1").state,
                     RELEASE_WATCHING);
    story_end(story);
}

static void one_rollback_a_service_in_half_an_hour(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_hurt(story, true);
    story_run_until(story, "rollback applied", 10 * MINUTE_MS);
    story_hurt(story, false);
    story_run_until(story, "incident closed", 10 * MINUTE_MS);
    /* The time of 1.1 is no measure of normal; wait for some that is. */
    story_run(story, 10 * MINUTE_MS);
    story_deploy(story, "shop", "1.2", 0);
    story_register(story, "shop", "1.2");
    story_run(story, 3 * MINUTE_MS);
    story_skip(story);
    story_hurt(story, true);
    story_run_until(story, "rollback intended", 40 * MINUTE_MS);
    story_expect(story, "26:47 incident opened\n"
                        "26:47 verdict 1.2 rollback\n"
                        "26:47 release 1.2 suspect, none (rollback)\n"
                        "26:47 rollback proposed 1.2 -> 1.0\n"
                        "26:47 rollback refused (per_service)\n"
                        "26:47 notice refused to status\n"
                        "26:47 notice refused to oncall\n"
                        "40:47 rollback intended (intended)\n"
                        "40:47 notice rollback to status\n"
                        "40:47 notice rollback to oncall\n");
    story_end(story);
}

static void what_a_rollback_put_live_is_not_reverted_unattended(void **state)
{
    (void)state;
    struct story *story = story_settled();
    /* 1.1 is provisional, 1.2 is bad: back to 1.1, which then turns bad. */
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    story_run(story, 40 * MINUTE_MS);
    assert_int_equal(story_release(story, "shop", "1.1").grade,
                     GRADE_PROVISIONAL);
    story_deploy(story, "shop", "1.2", 0);
    story_register(story, "shop", "1.2");
    story_run(story, 5 * MINUTE_MS);
    story_skip(story);
    story_hurt(story, true);
    story_run_until(story, "rollback applied", 10 * MINUTE_MS);
    story_hurt(story, false);
    story_run_until(story, "incident closed", 10 * MINUTE_MS);
    story_run(story, 40 * MINUTE_MS); /* the budget is free again */
    story_hurt(story, true);
    story_run(story, 10 * MINUTE_MS);
    story_expect(story, "50:47 incident opened\n"
                        "50:47 verdict 1.2 rollback\n"
                        "50:47 release 1.2 suspect, none (rollback)\n"
                        "50:47 rollback proposed 1.2 -> 1.1\n"
                        "50:47 rollback intended (intended)\n"
                        "50:47 notice rollback to status\n"
                        "50:47 notice rollback to oncall\n"
                        "50:47 rollback requested (requested)\n"
                        "50:47 -> revert 1.2 -> 1.1\n"
                        "50:47 rollback in progress (accepted)\n"
                        "50:47 live 1.1 (incomplete)\n"
                        "50:52 live 1.1\n"
                        "50:52 rollback applied (applied)\n"
                        "50:52 rollback verifying (verifying)\n"
                        "52:47 rollback recovered (recovered)\n"
                        "52:47 notice recovered to status\n"
                        "52:47 notice recovered to oncall\n"
                        "52:47 incident closed (recovered)\n"
                        "52:47 release 1.1 watching, provisional (put_live)\n"
                        "53:02 verdict 1.1 wait\n"
                        "54:02 verdict 1.1 healthy\n"
                        "93:47 incident opened\n"
                        "93:47 verdict 1.1 rollback\n"
                        "93:47 release 1.1 suspect, provisional (rollback)\n"
                        "93:47 rollback proposed 1.1 -> 1.0\n"
                        "93:47 rollback refused (put_live)\n"
                        "93:47 notice refused to status\n"
                        "93:47 notice refused to oncall\n");
    assert_string_equal(story_world(story, "shop")->live, "1.1");
    story_end(story);
}

static void a_newer_deploy_that_was_announced_is_waited_for(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_command(story, (struct command){.kind = COMMAND_ANNOUNCE,
                                          .service = "shop",
                                          .environment = "prod",
                                          .version = "1.2"});
    story_hurt(story, true);
    story_run(story, 5 * MINUTE_MS);
    story_expect(story, "10:00 announced\n"
                        "10:47 incident opened\n"
                        "10:47 verdict 1.1 rollback\n"
                        "10:47 release 1.1 suspect, none (rollback)\n"
                        "10:47 rollback proposed 1.1 -> 1.0\n"
                        "10:47 rollback refused (announced)\n"
                        "10:47 notice refused to status\n"
                        "10:47 notice refused to oncall\n");
    story_end(story);
}

static void a_live_version_that_nobody_saw_is_not_the_suspect(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_crash(story);
    story_world(story, "shop")->observe = DEPLOYER_FAILS;
    story_hurt(story, true);
    story_restart(story, 3 * MINUTE_MS);
    story_run(story, 2 * MINUTE_MS);
    assert_int_equal(story_count(story, "rollback refused (not_live)"), 1);
    story_world(story, "shop")->observe = DEPLOYER_WORKS;
    story_run_until(story, "rollback applied", 7 * MINUTE_MS);
    story_end(story);
}

/* The leaf stands by a source that has gone dark since: no revert. */
static void metrics_go_dark_then_we_wait_then_page(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story->source_down_from = story->now;
    story->source_down_until = story->now + 8 * MINUTE_MS;
    story_run(story, 15 * MINUTE_MS);
    story_expect(story, "10:02 source_lost prom\n"
                        "10:47 verdict 1.1 wait\n"
                        "15:47 blind yes\n"
                        "15:47 notice blind to oncall\n"
                        "18:02 source_back prom\n"
                        "18:02 verdict 1.1 healthy\n"
                        "18:02 blind no\n");
    story_end(story);
}

static void a_person_overrules_the_mode_but_not_the_data(void **state)
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
    story_command(story, (struct command){
                             .kind = COMMAND_ROLLBACK,
                             .release = story_release(story, "shop", "1.1").id,
                             .reason = "looks bad"});
    assert_int_equal(story->answer.answer.outcome, OUTCOME_REFUSED);
    story_expect(story, "10:00 commanded rollback\n"
                        "10:00 incident opened\n"
                        "10:00 rollback proposed 1.1 -> 1.0\n"
                        "10:00 rollback refused (irreversible)\n"
                        "10:00 notice refused to oncall\n"
                        "10:00 incident closed (refused)\n");
    story_end(story);
}

static struct incident_view newest_incident(const struct story *story)
{
    struct incident_view incident;
    size_t cursor = 0;
    assert_true(view_next_incident(story->core, &cursor, &incident));
    return incident;
}

static void order(struct story *story, const char *reason)
{
    story_command(story, (struct command){
                             .kind = COMMAND_ROLLBACK,
                             .release = story_release(story, "shop", "1.1").id,
                             .reason = reason});
}

/* Its incident tells what was ordered and why it was not done, and is over
 * with it: nothing else would ever close it. */
static void an_order_that_is_refused_leaves_no_incident_open(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_stop_file(story, true);
    story_skip(story);
    order(story, "looks bad");
    assert_int_equal(story->answer.answer.outcome, OUTCOME_REFUSED);
    assert_int_equal(story_service(story, "shop").incident, 0);
    assert_string_equal(newest_incident(story).text,
                        "ann ordered a rollback: looks bad");
    assert_int_not_equal(newest_incident(story).closed_at, 0);
    story_skip(story);
    order(story, "still looks bad"); /* begins and ends like the first */
    story_expect(story, "10:00 commanded rollback\n"
                        "10:00 incident opened\n"
                        "10:00 rollback proposed 1.1 -> 1.0\n"
                        "10:00 rollback refused (stop)\n"
                        "10:00 notice refused to oncall\n"
                        "10:00 incident closed (refused)\n");
    story_end(story);
}

static void an_order_that_is_refused_later_leaves_none_either(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story->target.can_check = true;
    story_world(story, "shop")->target_gone = true;
    order(story, "looks bad");
    story_expect(story, "10:00 commanded rollback\n"
                        "10:00 incident opened\n"
                        "10:00 rollback proposed 1.1 -> 1.0\n"
                        "10:00 -> has 1.0\n");
    story_run(story, MINUTE_MS);
    story_expect(story, "10:00 rollback refused (target_gone)\n"
                        "10:00 notice refused to oncall\n"
                        "10:00 incident closed (refused)\n");
    story_end(story);
}

/* Trouble of its own keeps the incident open, and each order ends in a record:
 * people are paged once. */
static void every_refused_order_stands_in_the_timeline(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_stop_file(story, true);
    story_hurt(story, true);
    story_run_until(story, "rollback refused (stop)", 5 * MINUTE_MS);
    story_skip(story);
    order(story, "now");
    story_expect(story, "10:47 commanded rollback\n"
                        "10:47 rollback refused (stop)\n");
    order(story, "now!");
    story_expect(story, "10:47 commanded rollback\n"
                        "10:47 rollback refused (stop)\n");
    assert_int_not_equal(story_service(story, "shop").incident, 0);
    story_end(story);
}

static void a_person_rolls_back_a_healthy_release(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_command(story, (struct command){
                             .kind = COMMAND_ROLLBACK,
                             .release = story_release(story, "shop", "1.1").id,
                             .reason = "customers call"});
    story_run_until(story, "incident closed", 10 * MINUTE_MS);
    story_expect(story, "10:00 commanded rollback\n"
                        "10:00 incident opened\n"
                        "10:00 rollback proposed 1.1 -> 1.0\n"
                        "10:00 rollback intended (intended)\n"
                        "10:00 notice rollback to oncall\n"
                        "10:00 rollback requested (requested)\n"
                        "10:00 -> revert 1.1 -> 1.0\n"
                        "10:00 rollback in progress (accepted)\n"
                        "10:00 live 1.0 (incomplete)\n"
                        "10:05 live 1.0\n"
                        "10:05 rollback applied (applied)\n"
                        "10:05 rollback verifying (verifying)\n"
                        "12:02 rollback recovered (recovered)\n"
                        "12:02 notice recovered to oncall\n"
                        "12:02 incident closed (recovered)\n");
    story_end(story);
}

/* What is asked for is what was checked. */
static void a_last_good_that_changed_is_checked_again(void **state)
{
    (void)state;
    struct story *story = story_new(shop, 1);
    story->target.can_check = true;
    metrics(story, "shop");
    story_start(story);
    story_policy(story, STORY_POLICY);
    story_adopt(story, "shop", "1.0");
    story_run(story, MINUTE_MS);
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    story_run(story, 5 * MINUTE_MS);
    story_skip(story);
    story_hurt(story, true);
    story_run_until(story, "-> has 1.0", 10 * MINUTE_MS);
    story_adopt_older(story, "shop", "1.0.5");
    story_run_until(story, "-> revert", MINUTE_MS);
    story_expect(story, "06:47 incident opened\n"
                        "06:47 verdict 1.1 rollback\n"
                        "06:47 release 1.1 suspect, none (rollback)\n"
                        "06:47 rollback proposed 1.1 -> 1.0\n"
                        "06:47 -> has 1.0\n"
                        "06:47 registered 1.0.5\n"
                        "06:47 release 1.0.5 superseded, none (older)\n"
                        "06:47 commanded adopt\n"
                        "06:47 adopted 1.0.5\n"
                        "06:47 release 1.0.5 superseded, good (observed)\n"
                        "06:47 -> has 1.0.5\n"
                        "06:47 rollback intended (intended)\n"
                        "06:47 notice rollback to status\n"
                        "06:47 notice rollback to oncall\n"
                        "06:47 rollback requested (requested)\n"
                        "06:47 -> revert 1.1 -> 1.0.5\n");
    story_end(story);
}

/* Which brakes a healthy release has on, as one text. */
static const char *brakes_of(const struct story *story, const char *version)
{
    static char text[256];
    static struct brake brakes[BRAKES_MAX];
    size_t count = view_brakes(
        story->core, story_release(story, "shop", version).id, brakes);
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        strcat(strcat(text, brakes[i].code), " ");
        assert_true(strlen(brakes[i].text) > 10);
    }
    return text;
}

static void brakes_are_seen_before_they_are_needed(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    assert_string_equal(brakes_of(story, "1.1"), "");
    story_stop_file(story, true);
    story_command(story, (struct command){.kind = COMMAND_ANNOUNCE,
                                          .service = "shop",
                                          .environment = "prod",
                                          .version = "1.2"});
    story_command(story, (struct command){
                             .kind = COMMAND_MUTE,
                             .release = story_release(story, "shop", "1.1").id,
                             .reason = "load test"});
    assert_string_equal(brakes_of(story, "1.1"), "announced stop muted mode ");
    /* What is over, or was never watched, has none. */
    assert_string_equal(brakes_of(story, "1.0"), "");
    story_stop_file(story, false);
    story_run(story, 31 * MINUTE_MS);
    assert_string_equal(brakes_of(story, "1.1"), "");
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_last_good_people_are_paged),
        cmocka_unit_test(data_changed_one_way_holds),
        cmocka_unit_test(a_careless_tree_cannot_undo_a_data_change),
        cmocka_unit_test(a_target_that_is_gone_is_not_asked_for),
        cmocka_unit_test(a_target_that_does_not_say_is_asked_again),
        cmocka_unit_test(a_stop_file_stops_and_its_end_lets_go),
        cmocka_unit_test(a_stop_file_in_the_last_moment_is_in_time),
        cmocka_unit_test(a_ceiling_of_observe_says_what_it_would_do),
        cmocka_unit_test(a_suggestion_waits_for_a_person),
        cmocka_unit_test(a_suggestion_is_withdrawn_when_the_trouble_ends),
        cmocka_unit_test(one_rollback_a_service_in_half_an_hour),
        cmocka_unit_test(what_a_rollback_put_live_is_not_reverted_unattended),
        cmocka_unit_test(a_newer_deploy_that_was_announced_is_waited_for),
        cmocka_unit_test(a_live_version_that_nobody_saw_is_not_the_suspect),
        cmocka_unit_test(metrics_go_dark_then_we_wait_then_page),
        cmocka_unit_test(a_person_overrules_the_mode_but_not_the_data),
        cmocka_unit_test(an_order_that_is_refused_leaves_no_incident_open),
        cmocka_unit_test(an_order_that_is_refused_later_leaves_none_either),
        cmocka_unit_test(every_refused_order_stands_in_the_timeline),
        cmocka_unit_test(a_person_rolls_back_a_healthy_release),
        cmocka_unit_test(a_last_good_that_changed_is_checked_again),
        cmocka_unit_test(brakes_are_seen_before_they_are_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
