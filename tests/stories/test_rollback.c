/* The straight road and its turns: from a leaf to proven recovery. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "help_story.h"

static const char *const shop[] = {"shop"};

/* 1.0 is good and live; 1.1 is deployed, registered and watched. */
static struct story *deployed(void)
{
    struct story *story = story_new(shop, 1);
    story_metric_at(story, "requests", "shop", STORY_START - HOUR_MS, 100);
    story_metric_at(story, "errors", "shop", STORY_START - HOUR_MS, 0.1);
    story_start(story);
    story_policy(story, STORY_POLICY);
    story_adopt(story, "shop", "1.0");
    story_run(story, 5 * MINUTE_MS);
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    return story;
}

static void a_bad_release_is_rolled_back_and_recovery_is_proven(void **state)
{
    (void)state;
    struct story *story = deployed();
    story_run(story, 5 * MINUTE_MS);
    story_skip(story);
    story_metric(story, "errors", "shop", 20);
    story_run_until(story, "rollback applied", 10 * MINUTE_MS);
    story_metric(story, "errors", "shop", 0.1);
    story_run(story, 10 * MINUTE_MS);
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
                        "10:52 live 1.0\n"
                        "10:52 rollback applied (applied)\n"
                        "10:52 rollback verifying (verifying)\n"
                        "12:47 notice recovered to status\n"
                        "12:47 notice recovered to oncall\n"
                        "12:47 rollback recovered (recovered)\n"
                        "12:47 incident closed (recovered)\n"
                        "12:47 release 1.0 good, good (put_live)\n");
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_release_is_rolled_back_and_recovery_is_proven),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
