/* kill -9 after every single step of a rollback, with the step's records
 * durable or lost: one effective revert, proven recovery, every time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "help_story.h"

/* The trouble ends when 1.0 is live again. */
static void live_on(struct story *story, int seconds)
{
    static const char good[] = "1.0";
    for (int i = 0; i < seconds && !story->crashed; i++) {
        bool was = strcmp(story_world(story, "shop")->live, good) == 0;
        story_run(story, SECOND_MS);
        bool is = strcmp(story_world(story, "shop")->live, good) == 0;
        if (is && !was) {
            story_hurt(story, false);
        }
    }
}

/* The straight story until its incident closes; killed after @steps steps
 * from the trouble on.  False when it ended before. */
static bool killed_after(size_t steps, bool durable)
{
    struct story *story = story_deployed();
    story_hurt(story, true);
    story_run(story, 40 * SECOND_MS); /* the verdict is near */
    story->kill_at = story->steps + steps;
    story->loses_last = !durable;
    live_on(story, 5 * 60);
    bool killed = story->crashed;
    if (killed) {
        /* What had reached the deployment API is carried out all the same. */
        bool was = strcmp(story_world(story, "shop")->live, "1.0") == 0;
        story_restart(story, 5 * SECOND_MS);
        if (was) {
            story_hurt(story, false);
        }
    }
    live_on(story, 15 * 60);
    assert_int_equal(story_world(story, "shop")->reverts, 1);
    assert_string_equal(story_world(story, "shop")->live, "1.0");
    assert_int_equal(story_service(story, "shop").incident, 0);
    assert_int_equal(story_count(story, "rollback recovered"), 1);
    story_end(story);
    return killed;
}

static void killed_after_every_step_with_its_records(void **state)
{
    (void)state;
    size_t steps = 1;
    while (steps < 60 && killed_after(steps, true)) {
        steps++;
    }
    assert_true(steps > 30);
}

static void killed_after_every_step_without_its_records(void **state)
{
    (void)state;
    size_t steps = 1;
    while (steps < 60 && killed_after(steps, false)) {
        steps++;
    }
    assert_true(steps > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_after_every_step_with_its_records),
        cmocka_unit_test(killed_after_every_step_without_its_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
