#include "help_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static size_t place_of(struct story *story, const char *service)
{
    return (size_t)(story_world(story, service) - story->world);
}

static struct intent *intent_of(struct model *model, uint64_t rollback)
{
    for (size_t i = model->intents_count; i > 0; i--) {
        if (model->intents[i - 1].rollback == rollback) {
            return &model->intents[i - 1];
        }
    }
    fail_msg("no intent of rollback %llu", (unsigned long long)rollback);
    return NULL;
}

/* ---- what is remembered ------------------------------------------------ */

/* Of one suspect in one incident at most one, while the policy says so;
 * unattended never under the kill
 * switch, and never of what we put live ourselves. */
static void check_intent(struct story *story, const struct record *record)
{
    struct model *model = story->model;
    for (size_t i = 0; i < model->intents_count; i++) {
        const struct intent *other = &model->intents[i];
        bool same = other->incident == record->incident &&
                    other->release == record->release;
        assert_true(!same || record->by[0]);
    }
    assert_false(model->stopped);
    assert_string_not_equal(record->version, record->target_version);
    const char *put_live =
        model->services[place_of(story, record->service)].put_live;
    assert_true(record->by[0] || strcmp(record->version, put_live) != 0);
    struct release_view target, suspect;
    assert_true(view_release(story->core, record->release, &suspect));
    assert_true(record->by[0] || strcmp(suspect.verdict, "rollback") == 0);
    assert_true(view_release(story->core, record->target_release, &target));
    assert_true(target.grade == GRADE_GOOD ||
                target.grade == GRADE_PROVISIONAL);
}

static void keep_intent(struct model *model, const struct record *record)
{
    assert_true(model->intents_count < MODEL_INTENTS_MAX);
    struct intent *intent = &model->intents[model->intents_count++];
    memset(intent, 0, sizeof *intent);
    intent->sequence = record->sequence;
    intent->rollback = record->rollback;
    intent->incident = record->incident;
    intent->release = record->release;
    strcpy(intent->suspect, record->version);
    strcpy(intent->target, record->target_version);
}

static bool is_one_of(const char *code, const char *const *codes)
{
    while (*codes && strcmp(code, *codes) != 0) {
        codes++;
    }
    return *codes != NULL;
}

/* A grade rises while its version is live, for the reason of that name; it
 * falls never.  What is held waits for a person, or for its end. */
static void check_release(struct story *story, const struct record *record)
{
    static const char *const ends_hold[] = {"resumed",    "observed",  "older",
                                            "registered", "no_policy", NULL};
    struct model *model = story->model;
    assert_true(record->release < MODEL_RELEASES_MAX);
    enum grade before = model->releases[record->release].grade;
    enum release_state was = model->releases[record->release].state;
    bool rises = record->grade != before;
    struct service_view service;
    assert_true(view_find_service(story->core, record->service,
                                  record->environment, &service));
    if (rises) {
        assert_true(record->grade > before);
        assert_int_not_equal(record->grade, GRADE_TAINTED);
        assert_string_equal(record->code, grade_name(record->grade));
        assert_string_equal(service.live, record->version);
    }
    if (was == RELEASE_HELD && record->state != RELEASE_HELD) {
        assert_true(is_one_of(record->code, ends_hold) ||
                    model->undetermined[record->release]);
    }
    model->undetermined[record->release] =
        strcmp(record->code, "undetermined") == 0;
}

/* In the order of the records: a step may move one twice. */
static void keep_moved(struct model *model, const struct record *record)
{
    uint64_t id =
        record->kind == RECORD_REGISTERED ? record->sequence : record->release;
    bool is_release = record->kind == RECORD_REGISTERED ||
                      record->kind == RECORD_RELEASE_MOVED;
    bool is_rollback = record->kind == RECORD_ROLLBACK_MOVED;
    assert_true(id < MODEL_RELEASES_MAX);
    if (is_release) {
        model->releases[id].grade = record->grade;
        model->releases[id].state = record->state;
    } else if (is_rollback && record->rollback_state == ROLLBACK_INTENDED) {
        model->releases[id].grade = GRADE_TAINTED;
        model->releases[id].state = RELEASE_REVERTING;
    } else if (is_rollback && record->rollback_state == ROLLBACK_FAILED) {
        model->releases[id].state = RELEASE_SUSPECT;
    }
}

/* Recorded once for each reason; of a person's orders, each. */
static void check_refusal(struct model *model, const struct record *record)
{
    if (record->by[0]) {
        return;
    }
    for (size_t i = 0; i < model->refusals_count; i++) {
        assert_true(model->refusals[i].rollback != record->rollback ||
                    strcmp(model->refusals[i].code, record->code) != 0);
    }
    assert_true(model->refusals_count < MODEL_INTENTS_MAX);
    size_t at = model->refusals_count++;
    model->refusals[at].rollback = record->rollback;
    strcpy(model->refusals[at].code, record->code);
}

static void note_registered(struct story *story, const struct record *record)
{
    struct model *model = story->model;
    char *put_live = model->services[place_of(story, record->service)].put_live;
    if (record->origin != ORIGIN_DISCOVERED &&
        strcmp(put_live, record->version) == 0) {
        put_live[0] = '\0';
    }
}

static void count_move(struct model *model, const char *code)
{
    size_t i = 0;
    while (i < model->moves_count && strcmp(model->moves[i].code, code) != 0) {
        i++;
    }
    if (i == model->moves_count) {
        assert_true(i < MODEL_MOVES_MAX);
        strcpy(model->moves[model->moves_count++].code, code);
    }
    model->moves[i].count++;
}

/* The power went and took the newest records along. */
static void forget_lost(struct model *model, uint64_t sequence)
{
    while (model->intents_count > 0 &&
           model->intents[model->intents_count - 1].sequence >= sequence) {
        model->intents_count--;
    }
    model->refusals_count = 0; /* some may have been lost; begin anew */
}

static void learn_releases(struct story *story)
{
    size_t cursor = 0;
    struct release_view release;
    while (view_next_release(story->core, &cursor, &release)) {
        story->model->releases[release.id].grade = release.grade;
        story->model->releases[release.id].state = release.state;
    }
}

static void on_record(struct story *story, const struct record *record)
{
    struct model *model = story->model;
    if (record->sequence <= model->sequence) {
        assert_int_equal(record->kind, RECORD_STARTED);
        forget_lost(model, record->sequence);
    } else {
        assert_int_equal(record->sequence, model->sequence + 1);
    }
    model->sequence = record->sequence;
    if (record->kind == RECORD_STARTED) {
        learn_releases(story);
    }
    if (record->kind == RECORD_ROLLBACK_MOVED) {
        count_move(model, record->code);
    }
    if (record->kind == RECORD_STOP_FILE) {
        model->stopped = record->on;
    } else if (record->kind == RECORD_REGISTERED) {
        note_registered(story, record);
    } else if (record->kind == RECORD_RELEASE_MOVED) {
        check_release(story, record);
    } else if (record->kind == RECORD_ROLLBACK_MOVED &&
               record->rollback_state == ROLLBACK_INTENDED) {
        check_intent(story, record);
        keep_intent(model, record);
    } else if (record->kind == RECORD_ROLLBACK_MOVED &&
               record->rollback_state == ROLLBACK_REFUSED) {
        check_refusal(model, record);
    }
    keep_moved(model, record);
}

/* ---- what leaves ------------------------------------------------------- */

/* A revert leaves for a durable intent, never under the kill switch, in the
 * moment in which the suspect was seen live. */
static void on_effect(struct story *story, const struct effect *effect)
{
    struct model *model = story->model;
    if (effect->kind != EFFECT_REVERT) {
        return;
    }
    const struct intent *intent = intent_of(model, effect->target.rollback);
    assert_true(effect->needs >= intent->sequence);
    assert_false(model->stopped);
    assert_string_equal(effect->target.suspect, intent->suspect);
    assert_string_equal(effect->target.target, intent->target);
    struct service_view service;
    assert_true(view_service(story->core, effect->service, &service));
    size_t place = place_of(story, service.service);
    assert_string_equal(model->services[place].seen, intent->suspect);
    assert_int_equal(model->services[place].seen_at, story->now);
}

static void on_answer(struct story *story, const struct effect *effect,
                      const struct input *input)
{
    struct model *model = story->model;
    struct service_view service;
    if (effect->kind != EFFECT_OBSERVE ||
        input->target.result != TARGET_OBSERVED ||
        !view_service(story->core, effect->service, &service)) {
        return;
    }
    size_t place = place_of(story, service.service);
    strcpy(model->services[place].seen, input->target.version);
    model->services[place].seen_at = story->now;
}

static void on_revert(struct story *story, const struct effect *effect)
{
    struct model *model = story->model;
    struct intent *intent = intent_of(model, effect->target.rollback);
    struct service_view service;
    assert_true(view_service(story->core, effect->service, &service));
    intent->effective++;
    assert_int_equal(intent->effective, 1);
    model->reverts++;
    strcpy(model->services[place_of(story, service.service)].put_live,
           intent->target);
}

/* ---- the doors --------------------------------------------------------- */

void model_watch(struct model *model, struct story *story)
{
    model->sequence = 0;
    model->stopped = false;
    memset(model->services, 0, sizeof model->services);
    model->intents_count = 0;
    model->refusals_count = 0;
    memset(model->releases, 0, sizeof model->releases);
    memset(model->undetermined, 0, sizeof model->undetermined);
    story->model = model;
    story->on_record = on_record;
    story->on_effect = on_effect;
    story->on_answer = on_answer;
    story->on_revert = on_revert;
}

void model_is_decided(const struct story *story)
{
    size_t cursor = 0;
    struct service_view service;
    while (view_next_service(story->core, &cursor, &service)) {
        struct release_view release;
        if (service.rollback || !service.incident ||
            !view_release(story->core, service.release, &release) ||
            release.state != RELEASE_SUSPECT ||
            strcmp(release.verdict, "rollback") != 0) {
            continue;
        }
        struct rollback_view rollback;
        assert_true(view_rollback(story->core, release.rollback, &rollback));
        assert_true(rollback.state != ROLLBACK_CANCELLED);
    }
}

void model_is_quiet(const struct model *model, const struct story *story)
{
    struct core_counts counts;
    view_counts(story->core, &counts);
    assert_int_equal(counts.rollbacks_under_way, 0);
    assert_int_equal(counts.notices_pending, 0);
    assert_false(model->stopped);
    size_t cursor = 0;
    struct service_view service;
    while (view_next_service(story->core, &cursor, &service)) {
        assert_string_equal(service.observe_error, "");
    }
}
