#include "help_consent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

void consent_begin(struct story *story, const char *policy)
{
    story_metric_at(story, "requests", "shop", STORY_START - HOUR_MS, 100);
    story_metric_at(story, "errors", "shop", STORY_START - HOUR_MS, 0.1);
    story_start(story);
    story_policy(story, policy);
    story_adopt(story, "shop", "1.0");
    story_run(story, MINUTE_MS);
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    story_run(story, 5 * MINUTE_MS);
    story_skip(story);
    story_hurt(story, true);
}

struct story *consent_hurting(const char *policy)
{
    static const char *const shop[] = {"shop"};
    struct story *story = story_new(shop, 1);
    consent_begin(story, policy);
    return story;
}

struct rollback_view consent_newest(const struct story *story)
{
    struct rollback_view rollback = {0};
    uint64_t id = story_release(story, "shop", "1.1").rollback;
    assert_true(view_rollback(story->core, id, &rollback));
    return rollback;
}

enum outcome consent_say_of(struct story *story, enum command_kind kind,
                            uint64_t rollback)
{
    story_command(story, (struct command){.kind = kind,
                                          .reason = "the load test",
                                          .rollback = rollback});
    return story->answer.answer.outcome;
}

enum outcome consent_say(struct story *story, enum command_kind kind)
{
    return consent_say_of(story, kind, consent_newest(story).id);
}

enum outcome consent_mute(struct story *story, time_ms span)
{
    story_command(story, (struct command){
                             .kind = COMMAND_MUTE,
                             .release = story_release(story, "shop", "1.1").id,
                             .span = span,
                             .reason = "we look into it"});
    return story->answer.answer.outcome;
}

void consent_dark(struct story *story, bool dark)
{
    if (dark) {
        story_metric_unknown(story, "requests", "shop", UNKNOWN_NO_DATA);
    } else {
        story_metric(story, "requests", "shop", 100);
    }
}
