#include "help_transcript.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static void say(struct story *story, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct story *story, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    long seconds = (long)((story->now - STORY_START) / SECOND_MS);
    size_t length = strlen(story->transcript);
    int written =
        snprintf(story->transcript + length, sizeof story->transcript - length,
                 "%02ld:%02ld %s\n", seconds / 60, seconds % 60, line);
    assert_true(written > 0);
    assert_true(length + (size_t)written < sizeof story->transcript);
    if (story->crash_at && strstr(line, story->crash_at)) {
        story->crashed = true;
    }
}

/* "cart: " before what is not about the shop. */
static const char *whose(const char *service)
{
    static char text[160];
    text[0] = '\0';
    if (service[0] && strcmp(service, "shop") != 0) {
        snprintf(text, sizeof text, "%s: ", service);
    }
    return text;
}

static void say_rollback(struct story *story, const struct record *record)
{
    const char *who = whose(record->service);
    if (record->kind == RECORD_ROLLBACK_PROPOSED) {
        say(story, "%srollback proposed %s -> %s", who, record->version,
            record->target_version);
    } else {
        say(story, "%srollback %s (%s)", who,
            rollback_state_name(record->rollback_state), record->code);
    }
}

static void say_release(struct story *story, const struct record *record)
{
    const char *who = whose(record->service);
    if (record->kind == RECORD_REGISTERED) {
        say(story, "%s%s %s", who, origin_name(record->origin),
            record->version);
    } else if (record->kind == RECORD_OBSERVED) {
        say(story, "%slive %s%s", who, record->version,
            record->complete ? "" : " (incomplete)");
    } else if (record->kind == RECORD_VERDICT) {
        say(story, "%sverdict %s %s", who, record->version,
            record->verdict_kind);
    } else {
        say(story, "%srelease %s %s, %s (%s)", who, record->version,
            release_state_name(record->state), grade_name(record->grade),
            record->code);
    }
}

void transcript_record(struct story *story, const struct record *record)
{
    const char *who = whose(record->service);
    switch (record->kind) {
    case RECORD_REGISTERED:
    case RECORD_OBSERVED:
    case RECORD_VERDICT:
    case RECORD_RELEASE_MOVED:
        say_release(story, record);
        break;
    case RECORD_ROLLBACK_PROPOSED:
    case RECORD_ROLLBACK_MOVED:
        say_rollback(story, record);
        break;
    case RECORD_INCIDENT_OPENED:
        say(story, "%sincident opened", who);
        break;
    case RECORD_INCIDENT_CLOSED:
        say(story, "%sincident closed (%s)", who, record->code);
        break;
    case RECORD_NOTICE:
        say(story, "%snotice %s to %s", who, record->code, record->name);
        break;
    case RECORD_STARTED:
        say(story, "started %u", record->epoch);
        break;
    case RECORD_BLIND:
        say(story, "%sblind %s", who, record->on ? "yes" : "no");
        break;
    case RECORD_POLICY_BROKEN:
        say(story, "policies broken %s", record->on ? "yes" : "no");
        break;
    case RECORD_STOP_FILE:
        say(story, "stop file %s", record->on ? "yes" : "no");
        break;
    case RECORD_ACTION_DONE:
    case RECORD_NOTICE_DONE:
        if (!record->delivered) {
            say(story, "%s%s %s (%s)", who, record_kind_name(record->kind),
                record->name, record->code);
        }
        break;
    case RECORD_PROGRESS:
    case RECORD_NONE:
        break;
    case RECORD_POLICY_SET:
    case RECORD_POLICY_REMOVED:
    case RECORD_BASELINE:
    case RECORD_FROZEN:
    case RECORD_THAWED:
    case RECORD_TAINTED:
    case RECORD_COMMANDED:
    case RECORD_ACTION:
    case RECORD_SOURCE_LOST:
    case RECORD_SOURCE_BACK:
    case RECORD_CLOCK_SET:
    case RECORD_ANNOUNCED:
    case RECORD_MUTED:
        say(story, "%s%s%s%s", who, record_kind_name(record->kind),
            record->name[0] ? " " : "", record->name);
        break;
    }
}

void transcript_effect(struct story *story, const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_REVERT:
        say(story, "-> revert %s -> %s", effect->target.suspect,
            effect->target.target);
        break;
    case EFFECT_HAS:
        say(story, "-> has %s", effect->target.target);
        break;
    case EFFECT_RUN:
        say(story, "-> run %s", effect->run.name);
        break;
    case EFFECT_HISTORY:
        say(story, "-> history %ld..%ld s",
            (long)((effect->history.from - STORY_START) / SECOND_MS),
            (long)((effect->history.to - STORY_START) / SECOND_MS));
        break;
    case EFFECT_ANSWER:
    case EFFECT_QUERY:
    case EFFECT_OBSERVE:
    case EFFECT_NOTIFY:
    case EFFECT_POLICY_RELEASED:
        break;
    }
}

static void compare_releases(const struct core *a, const struct core *b)
{
    size_t at = 0, other = 0;
    struct release_view x, y;
    while (view_next_release(a, &at, &x)) {
        assert_true(view_next_release(b, &other, &y));
        assert_int_equal(x.id, y.id);
        assert_string_equal(x.version, y.version);
        assert_int_equal(x.state, y.state);
        assert_int_equal(x.grade, y.grade);
        assert_int_equal(x.origin, y.origin);
        assert_int_equal(x.deployed_at, y.deployed_at);
        assert_string_equal(x.policy, y.policy);
        assert_string_equal(x.policy_digest, y.policy_digest);
        assert_string_equal(x.verdict, y.verdict);
        assert_string_equal(x.verdict_text, y.verdict_text);
        assert_int_equal(x.verdict_sequence, y.verdict_sequence);
        assert_int_equal(x.incident, y.incident);
        assert_int_equal(x.rollback, y.rollback);
        assert_int_equal(x.last_good, y.last_good);
        assert_int_equal(x.rollback_safe, y.rollback_safe);
        assert_int_equal(x.blind, y.blind);
        assert_int_equal(x.muted_until, y.muted_until);
        assert_string_equal(x.muted_by, y.muted_by);
        assert_int_equal(x.labels_count, y.labels_count);
        struct rollback_view r = {0}, s = {0};
        assert_int_equal(view_rollback(a, x.rollback, &r),
                         view_rollback(b, x.rollback, &s));
        assert_int_equal(r.state, s.state);
        assert_int_equal(r.intended_at, s.intended_at);
        assert_int_equal(r.applied_at, s.applied_at);
        assert_int_equal(r.acts_at, s.acts_at);
        assert_string_equal(r.approved_by ? r.approved_by : "",
                            s.approved_by ? s.approved_by : "");
        assert_int_equal(r.target_release, s.target_release);
        assert_string_equal(r.code ? r.code : "", s.code ? s.code : "");
        assert_string_equal(r.text ? r.text : "", s.text ? s.text : "");
    }
    assert_false(view_next_release(b, &other, &y));
}

static void compare_incidents(const struct core *a, const struct core *b)
{
    size_t at = 0, other = 0;
    struct incident_view x, y;
    while (view_next_incident(a, &at, &x)) {
        assert_true(view_next_incident(b, &other, &y));
        assert_int_equal(x.id, y.id);
        assert_int_equal(x.release, y.release);
        assert_int_equal(x.opened_at, y.opened_at);
        assert_int_equal(x.closed_at, y.closed_at);
        assert_string_equal(x.text, y.text);
    }
    assert_false(view_next_incident(b, &other, &y));
}

static void compare_freezes(const struct core *a, const struct core *b)
{
    size_t at = 0, other = 0;
    struct freeze_view x, y;
    while (view_next_freeze(a, &at, &x)) {
        assert_true(view_next_freeze(b, &other, &y));
        assert_int_equal(x.id, y.id);
        assert_int_equal(x.until, y.until);
        assert_string_equal(x.service, y.service);
        assert_string_equal(x.reason, y.reason);
    }
    assert_false(view_next_freeze(b, &other, &y));
}

static void compare_gates(const struct core *a, const struct core *b,
                          const struct service_view *service)
{
    struct gate_view x, y;
    view_gate(a, service->service, service->environment, "1.1", STORY_START,
              &x);
    view_gate(b, service->service, service->environment, "1.1", STORY_START,
              &y);
    assert_int_equal(x.gate, y.gate);
    assert_string_equal(x.text, y.text);
}

static void compare_rest(const struct core *a, const struct core *b)
{
    size_t at = 0, other = 0;
    struct service_view x, y;
    while (view_next_service(a, &at, &x)) {
        assert_true(view_next_service(b, &other, &y));
        assert_string_equal(x.service, y.service);
        assert_string_equal(x.live, y.live);
        assert_int_equal(x.complete, y.complete);
        assert_int_equal(x.release, y.release);
        assert_int_equal(x.incident, y.incident);
        assert_int_equal(x.rollback, y.rollback);
        compare_gates(a, b, &x);
    }
    struct core_counts c, d;
    view_counts(a, &c);
    view_counts(b, &d);
    assert_int_equal(c.services, d.services);
    assert_int_equal(c.freezes, d.freezes);
    assert_int_equal(c.policies, d.policies);
    assert_int_equal(c.notices_pending, d.notices_pending);
    assert_int_equal(c.notices_undelivered, d.notices_undelivered);
    assert_int_equal(c.incidents_open, d.incidents_open);
    assert_int_equal(c.stopped, d.stopped);
}

void compare_cores(const struct core *a, const struct core *b)
{
    compare_releases(a, b);
    compare_incidents(a, b);
    compare_freezes(a, b);
    compare_rest(a, b);
}
