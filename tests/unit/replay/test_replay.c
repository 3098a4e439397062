/* What a replay decides, and when it would act: through its command, in data
 * time. */
#include "help_replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct ran ran;
static struct sheet sheet;

/* --- The incident --------------------------------------------------------- */

#define LIBRARY  "policies/library/user-service.yaml"
#define INCIDENT "tests/data/incident/"

/* Equal to the file, byte for byte. */
static void assert_golden(const char *path)
{
    static char golden[OUTPUT_MAX];
    FILE *file = fopen(path, "rb");
    size_t length = 0;

    assert_non_null(file);
    length = fread(golden, 1, sizeof(golden) - 1, file);
    golden[length] = '\0';
    assert_int_equal(fclose(file), 0);
    assert_string_equal(ran.out, golden);
}

static void the_bare_incident_counts_down(void **state)
{
    char text[512];
    json_t *json = NULL, *last = NULL, *path = NULL;
    const char *unknown[] = {"yes", "unknown", "unknown", "unknown"};

    (void)state;
    run_replay(&ran, LIBRARY, "--samples", INCIDENT "bare.csv", "--interpolate",
               "linear", "--format", "json", NULL);
    assert_string_equal(ran.err, "");
    json = json_of(&ran);
    /* 14:20:30 and a minute: 65.5 minutes after 13:15. */
    assert_string_equal(strstr(decisions_of(json, text, sizeof(text)), "roll"),
                        "rollback@3930");
    assert_int_equal(acts_at(json), 3990);
    assert_string_equal(final_of(json), "rollback");
    last =
        json_array_get(json_object_get(json, "decisions"),
                       json_array_size(json_object_get(json, "decisions")) - 1);
    assert_string_equal(json_string_value(json_object_get(last, "mode")),
                        "countdown 60s");
    path = json_object_get(last, "path");
    assert_int_equal(json_array_size(path), 4);
    for (size_t i = 0; i < 4; i++) {
        const json_t *step = json_array_get(path, i);

        assert_string_equal(json_string_value(json_object_get(step, "answer")),
                            unknown[i]);
    }
    json_decref(json);
    assert_golden("tests/unit/replay/bare.json");
}

static void with_a_baseline_it_acts_at_once(void **state)
{
    json_t *json = NULL;

    (void)state;
    run_replay(&ran, LIBRARY, "--samples", INCIDENT "with-baseline.csv",
               "--release", INCIDENT "release.json", "--interpolate", "linear",
               "--format", "json", NULL);
    assert_string_equal(ran.err, "");
    json = json_of(&ran);
    assert_int_equal(acts_at(json), 3930);
    assert_string_equal(final_of(json), "rollback");
    json_decref(json);
    assert_golden("tests/unit/replay/with-baseline.json");
}

static void the_story_of_the_incident(void **state)
{
    (void)state;
    run_replay(&ran, LIBRARY, "--samples", INCIDENT "bare.csv", "--interpolate",
               "linear", NULL);
    assert_int_equal(ran.code, 0);
    assert_golden("tests/unit/replay/bare.txt");
    run_replay(&ran, LIBRARY, "--samples", INCIDENT "with-baseline.csv",
               "--release", INCIDENT "release.json", "--interpolate", "linear",
               NULL);
    assert_int_equal(ran.code, 0);
    assert_golden("tests/unit/replay/with-baseline.txt");
}

static void the_same_bytes_twice(void **state)
{
    static char first[OUTPUT_MAX];

    (void)state;
    for (int i = 0; i < 2; i++) {
        run_replay(&ran, LIBRARY, "--samples", INCIDENT "with-baseline.csv",
                   "--interpolate", "linear", "--continue", "--format", "json",
                   NULL);
        assert_int_equal(ran.code, 0);
        if (i == 0) {
            memcpy(first, ran.out, sizeof(first));
        }
    }
    assert_string_equal(ran.out, first);
}

/* --- Small tables --------------------------------------------------------- */

/* `sure` unknown lowers the mode to `unsure`. */
#define TREE                                                                   \
    "signals:\n"                                                               \
    "  bad: {prometheus: bad, unit: ratio}\n"                                  \
    "  sure: {prometheus: sure, unit: ratio}\n"                                \
    "tree:\n"                                                                  \
    "  question: Bad?\n"                                                       \
    "  if: bad > 5%\n"                                                         \
    "  else: healthy\n"                                                        \
    "  then:\n"                                                                \
    "    question: Sure?\n"                                                    \
    "    if: sure > 50%\n"                                                     \
    "    then: {rollback: last_good}\n"                                        \
    "    else: {page: \"look at {{version}}\"}\n"                              \
    "    unknown: then\n"

static const char counting[] =
    "policy: counting\n"
    "mode: auto\n"
    "unsure: countdown 50s\n"
    "watch: {every: 15s, settle: 0s, for: 5m}\n" TREE;

/* Replays the sheet with a policy; the words after it are more options. */
static json_t *judged(const char *policy, const char *option, const char *value)
{
    const char *policy_path = file_of("policy.yaml", policy);
    const char *samples = file_of("samples.csv", sheet.text);

    run_replay(&ran, policy_path, "--samples", samples, "--format", "json",
               option, value, NULL);
    return json_of(&ran);
}

static void assert_story(json_t *json, const char *decisions, int acts,
                         const char *final)
{
    char text[1024];

    assert_string_equal(decisions_of(json, text, sizeof(text)), decisions);
    assert_int_equal(acts_at(json), acts);
    assert_string_equal(final_of(json), final);
    json_decref(json);
}

static void a_countdown_runs_down_between_looks(void **state)
{
    (void)state;
    sheet_begin(&sheet, "bad,sure");
    sheet_add(&sheet, 4, "0.01,");
    sheet_add(&sheet, 8, "0.2,");
    assert_story(judged(counting, NULL, NULL), "healthy@15 rollback@60", 110,
                 "rollback");
}

static void the_table_ends_before_the_countdown(void **state)
{
    (void)state;
    sheet_begin(&sheet, "bad,sure");
    sheet_add(&sheet, 4, "0.01,");
    sheet_add(&sheet, 4, "0.2,"); /* the last one at 105 */
    assert_story(judged(counting, NULL, NULL), "healthy@15 rollback@60", -1,
                 "rollback (countdown)");
}

static void a_known_leaf_withdraws_a_countdown(void **state)
{
    (void)state;
    sheet_begin(&sheet, "bad,sure");
    sheet_add(&sheet, 4, "0.01,");
    sheet_add(&sheet, 3, "0.2,");
    sheet_add(&sheet, 2, "0.01,");
    sheet_add(&sheet, 8, "0.2,");
    assert_story(judged(counting, NULL, NULL),
                 "healthy@15 rollback@60 healthy@105 rollback@135", 185,
                 "rollback");
}

static void a_page_withdraws_it_too(void **state)
{
    (void)state;
    sheet_begin(&sheet, "bad,sure");
    sheet_add(&sheet, 4, "0.2,");
    sheet_add(&sheet, 8, "0.2,0.1");
    assert_story(judged(counting, NULL, NULL), "rollback@15 page@60", -1,
                 "page");
}

static void a_wait_does_not_withdraw_it(void **state)
{
    (void)state;
    sheet_begin(&sheet, "bad,sure");
    sheet_add(&sheet, 4, "0.2,");
    sheet_add(&sheet, 1, ",");
    sheet_add(&sheet, 8, "0.2,");
    assert_story(judged(counting, NULL, NULL),
                 "rollback@15 wait@60 rollback@75", 75, "rollback");
}

static void it_acts_when_the_leaf_is_back(void **state)
{
    (void)state;
    sheet_begin(&sheet, "bad,sure");
    sheet_add(&sheet, 4, "0.2,"); /* ends at 65: a wait stands */
    sheet_add(&sheet, 3, ",");
    sheet_add(&sheet, 8, "0.2,");
    assert_story(judged(counting, NULL, NULL),
                 "rollback@15 wait@60 rollback@105", 105, "rollback");
}

static void a_wait_to_the_end_is_no_rollback(void **state)
{
    (void)state;
    sheet_begin(&sheet, "bad,sure");
    sheet_add(&sheet, 3, "0.2,");
    sheet_add(&sheet, 8, ",");
    assert_story(judged(counting, NULL, NULL), "rollback@15 wait@45", -1,
                 "wait");
}

static void knowing_more_ends_the_countdown_at_once(void **state)
{
    (void)state;
    sheet_begin(&sheet, "bad,sure");
    sheet_add(&sheet, 3, "0.2,");
    sheet_add(&sheet, 8, "0.2,0.9");
    assert_story(judged(counting, NULL, NULL), "rollback@15 rollback@45", 45,
                 "rollback");
}

static void a_countdown_is_spelt_as_the_policy_spells_it(void **state)
{
    json_t *json = NULL;
    const json_t *decision = NULL;

    (void)state;
    sheet_begin(&sheet, "bad,sure");
    sheet_add(&sheet, 30, "0.2,0.9");
    json = judged("policy: spelt\nmode: countdown 2m  # not 120s\n"
                  "watch: {every: 15s, settle: 0s}\n" TREE,
                  NULL, NULL);
    decision = json_array_get(json_object_get(json, "decisions"), 0);
    assert_string_equal(json_string_value(json_object_get(decision, "mode")),
                        "countdown 2m");
    assert_story(json, "rollback@15", 135, "rollback");
}

/* --- What does not act ---------------------------------------------------- */

static void who_only_observes_or_suggests_never_acts(void **state)
{
    (void)state;
    sheet_begin(&sheet, "bad,sure");
    sheet_add(&sheet, 4, "0.2,0.9");
    assert_story(judged("policy: o\nmode: observe\n"
                        "watch: {every: 15s, settle: 0s}\n" TREE,
                        NULL, NULL),
                 "rollback@15", -1, "rollback (observe)");
    assert_story(judged("policy: s\nmode: suggest\n"
                        "watch: {every: 15s, settle: 0s}\n" TREE,
                        NULL, NULL),
                 "rollback@15", -1, "rollback (suggest)");
    sheet_add(&sheet, 4, "0.01,0.9");
    assert_story(judged("policy: o\nmode: observe\n"
                        "watch: {every: 15s, settle: 0s}\n" TREE,
                        NULL, NULL),
                 "rollback@15 healthy@60", -1, "healthy");
}

#define RELEASE                                                                \
    "{\"service\": \"shop\", \"environment\": \"prod\", "                      \
    "\"version\": \"2.0\", \"previous\": \"1.9\", "

static void data_that_cannot_go_back_is_refused(void **state)
{
    const char *release =
        file_of("release.json", RELEASE "\"data_change\": \"irreversible\"}");

    (void)state;
    sheet_begin(&sheet, "bad,sure");
    sheet_add(&sheet, 8, "0.2,0.9");
    assert_story(judged(counting, "--release", release), "rollback@15", -1,
                 "rollback (refused)");
    sheet_begin(&sheet, "bad,sure");
    sheet_add(&sheet, 20, "0.2,");
    assert_story(judged(counting, "--release", release), "rollback@15", -1,
                 "rollback (refused)");
}

static void a_root_that_is_not_known_true_is_refused(void **state)
{
    static const char blind[] = "policy: blind\nmode: auto\nunsure: auto\n"
                                "watch: {every: 15s, settle: 0s}\n"
                                "signals: {bad: {prometheus: b, unit: ratio}}\n"
                                "tree:\n"
                                "  question: Bad?\n"
                                "  if: bad > 5%\n"
                                "  else: healthy\n"
                                "  then: {rollback: last_good}\n"
                                "  unknown: then\n";

    (void)state;
    sheet_begin(&sheet, "bad");
    sheet_add(&sheet, 8, "");
    assert_story(judged(blind, NULL, NULL), "rollback@15", -1,
                 "rollback (refused)");
    sheet_add(&sheet, 8, "0.2");
    assert_story(judged(blind, NULL, NULL), "rollback@15 rollback@120", 120,
                 "rollback");
}

static void hold_and_page_are_the_last_word(void **state)
{
    static const char holding[] = "policy: holding\nmode: auto\n"
                                  "watch: {every: 15s, settle: 0s}\n"
                                  "signals: {b: {prometheus: b, unit: ratio}}\n"
                                  "tree:\n"
                                  "  question: Bad?\n"
                                  "  if: b > 5%\n"
                                  "  else: healthy\n"
                                  "  then: {hold: \"roll {{version}} on\"}\n";

    (void)state;
    sheet_begin(&sheet, "b");
    sheet_add(&sheet, 4, "0.01");
    sheet_add(&sheet, 4, "0.2");
    assert_story(judged(holding, NULL, NULL), "healthy@15 hold@60", -1, "hold");
}

/* --- The end -------------------------------------------------------------- */

static void the_end_of_the_watch_ends_it_unless_it_goes_on(void **state)
{
    (void)state;
    sheet_begin(&sheet, "bad,sure");
    sheet_add(&sheet, 40, "0.01,0.9"); /* the watch is 5 minutes */
    sheet_add(&sheet, 4, "0.2,0.9");
    sheet_add(&sheet, 4, "0.01,0.9");
    assert_story(judged(counting, NULL, NULL), "healthy@15", -1, "healthy");
    assert_story(judged(counting, "--continue", NULL),
                 "healthy@15 rollback@600 healthy@660", 600, "rollback");
}

static void going_on_judges_past_the_first_rollback(void **state)
{
    (void)state;
    sheet_begin(&sheet, "bad,sure");
    for (int i = 0; i < 3; i++) {
        sheet_add(&sheet, 4, "0.01,0.9");
        sheet_add(&sheet, 4, "0.2,0.9");
    }
    assert_story(judged(counting, NULL, NULL), "healthy@15 rollback@60", 60,
                 "rollback");
    assert_story(judged(counting, "--continue", NULL),
                 "healthy@15 rollback@60 healthy@120 rollback@180 healthy@240 "
                 "rollback@300",
                 60, "rollback");
}

/* Past a rollback the windows go on as if it had not been. */
static void going_on_forgets_nothing(void **state)
{
    static const char held[] = "policy: held\nmode: auto\nunsure: auto\n"
                               "watch: {every: 15s, settle: 0s}\n"
                               "signals: {b: {prometheus: b, unit: ratio}}\n"
                               "tree:\n"
                               "  question: Bad?\n"
                               "  if: b > 5%\n"
                               "  else: healthy\n"
                               "  then:\n"
                               "    question: Long?\n"
                               "    if: b > 5% for 2m\n"
                               "    then: {page: long}\n"
                               "    else: {page: short}\n"
                               "    unknown: {rollback: last_good}\n";

    (void)state;
    sheet_begin(&sheet, "b");
    sheet_add(&sheet, 2, "0.01");
    sheet_add(&sheet, 2, "");
    sheet_add(&sheet, 12, "0.2");
    assert_story(judged(held, "--continue", NULL),
                 "healthy@15 wait@30 page@60 rollback@135 page@165", 135,
                 "rollback");
}

static void nothing_between_the_deploy_and_the_end(void **state)
{
    (void)state;
    sheet_begin(&sheet, "bad,sure");
    sheet_add(&sheet, 1, "0.2,0.9");
    assert_story(judged(counting, NULL, NULL), "", -1, "wait");
    assert_string_equal(ran.out, "{\"decisions\":[],\"first_action_at\":null,"
                                 "\"final\":\"wait\"}\n");
}

/* Turbulence is recorded, never judged: not even by a bare comparison. */
static void nothing_is_decided_while_a_deploy_settles(void **state)
{
    (void)state;
    sheet_begin(&sheet, "bad,sure");
    sheet_add(&sheet, 4, "0.2,0.9"); /* until 45 */
    sheet_add(&sheet, 8, "0.01,0.9");
    assert_story(judged("policy: settles\nmode: auto\n"
                        "watch: {every: 15s, settle: 60s}\n" TREE,
                        NULL, NULL),
                 "wait@15 healthy@75", -1, "healthy");
    sheet_begin(&sheet, "bad,sure");
    sheet_add(&sheet, 12, "0.2,0.9");
    assert_story(judged("policy: settles\nmode: auto\n"
                        "watch: {every: 15s, settle: 60s}\n" TREE,
                        NULL, NULL),
                 "wait@15 rollback@75", 75, "rollback");
}

/* --- The grid and the columns --------------------------------------------- */

static void another_grid(void **state)
{
    (void)state;
    sheet_begin(&sheet, "bad,sure");
    sheet_add(&sheet, 4, "0.01,0.9");
    sheet_add(&sheet, 8, "0.2,0.9");
    assert_story(judged(counting, "--every", "1m"), "rollback@60", 60,
                 "rollback");
    assert_story(judged(counting, "--every", "5s"), "healthy@5 rollback@60", 60,
                 "rollback");
}

static void a_missing_column_is_unknown_and_told_once(void **state)
{
    json_t *json = NULL;

    (void)state;
    sheet_begin(&sheet, "bad,note,other");
    sheet_add(&sheet, 8, "0.2,\"text, free\",x");
    json = judged(counting, NULL, NULL);
    assert_non_null(strstr(ran.out, "\"unknown\":\"no column\""));
    assert_non_null(strstr(ran.err, "samples.csv: warning: columns are ignored,"
                                    " the policy names no such signal: note, "
                                    "other\n"));
    assert_non_null(strstr(ran.err, "samples.csv: warning: no column for sure: "
                                    "unknown at every look (no column)\n"));
    assert_story(json, "rollback@15", 65, "rollback");
}

static void a_written_max_age_outlives_the_gaps(void **state)
{
    static const char aged[] =
        "policy: aged\nmode: observe\n"
        "watch: {every: 15s, settle: 0s}\n"
        "signals: {b: {prometheus: b, unit: ratio, max_age: 2m}}\n"
        "tree: {question: Bad?, if: b > 5%, then: {page: p}, else: healthy}\n";

    (void)state;
    sheet_begin(&sheet, "b");
    sheet_add(&sheet, 5, "0.01");
    sheet.row = 40;
    sheet_add(&sheet, 2, "0.01");
    assert_story(judged(aged, NULL, NULL), "healthy@15 wait@195 healthy@600",
                 -1, "healthy");
}

/* ---- the picture -------------------------------------------------------- */

#define WITH_BASELINE                                                          \
    LIBRARY, "--samples", INCIDENT "with-baseline.csv", "--release",           \
        INCIDENT "release.json", "--interpolate", "linear"

static size_t times(const char *text, const char *word)
{
    size_t count = 0;

    for (const char *at = strstr(text, word); at != NULL;
         at = strstr(at + 1, word)) {
        count++;
    }
    return count;
}

static void a_chart_shows_what_moved_and_what_was_said(void **state)
{
    const char *chart = NULL;

    (void)state;
    run_replay(&ran, WITH_BASELINE, "--chart", "--continue", NULL);
    assert_string_equal(ran.err, "");
    chart = strstr(ran.out, "\n    requests ");
    assert_non_null(chart);
    /* The pool is as large all the time, and that needs no line. */
    assert_null(strstr(chart, "\n    pool_size "));
    assert_non_null(strstr(chart, " 12.38%, limit 5%\n"));
    assert_non_null(strstr(chart, "99.97%, limit 70%\n"));
    assert_non_null(strstr(chart, "?------------------RRRRRRRRRRRRRR--\n"));
    assert_non_null(strstr(chart, "^ the call leaves, 2024-09-18T14:20:30Z\n"));
    /* Nobody judges after it when nobody goes on; the table does. */
    run_replay(&ran, WITH_BASELINE, "--chart", NULL);
    assert_non_null(strstr(ran.out, "?------------------R\n"));
    assert_non_null(strstr(ran.out, " 12.38%, limit 5%\n"));
}

static void a_drawing_has_a_curve_for_each_signal(void **state)
{
    static char drawing[OUTPUT_MAX];
    const char *path = file_of("incident.svg", "");
    json_t *json = NULL;
    FILE *file = NULL;
    size_t length = 0;

    (void)state;
    run_replay(&ran, WITH_BASELINE, "--format", "json", "--svg", path, NULL);
    assert_string_equal(ran.err, "");
    json = json_of(&ran);
    assert_int_equal(acts_at(json), 3930);
    json_decref(json);
    file = fopen(path, "rb");
    assert_non_null(file);
    length = fread(drawing, 1, sizeof(drawing) - 1, file);
    drawing[length] = '\0';
    assert_int_equal(fclose(file), 0);
    assert_int_equal(strncmp(drawing, "<svg ", 5), 0);
    assert_string_equal(drawing + length - 7, "</svg>\n");
    assert_int_equal(times(drawing, "class=\"curve\""), 6);
    assert_int_equal(times(drawing, "class=\"threshold\""), 3);
    assert_int_equal(times(drawing, ">deploy<"), 1);
    assert_int_equal(times(drawing, "the call leaves, 2024-09-18T14:20:30Z"),
                     1);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_teardown(name, forget_files)
    const struct CMUnitTest tests[] = {
        STORY(the_bare_incident_counts_down),
        STORY(a_chart_shows_what_moved_and_what_was_said),
        STORY(a_drawing_has_a_curve_for_each_signal),
        STORY(with_a_baseline_it_acts_at_once),
        STORY(the_story_of_the_incident),
        STORY(the_same_bytes_twice),
        STORY(a_countdown_runs_down_between_looks),
        STORY(the_table_ends_before_the_countdown),
        STORY(a_known_leaf_withdraws_a_countdown),
        STORY(a_page_withdraws_it_too),
        STORY(a_wait_does_not_withdraw_it),
        STORY(it_acts_when_the_leaf_is_back),
        STORY(a_wait_to_the_end_is_no_rollback),
        STORY(knowing_more_ends_the_countdown_at_once),
        STORY(a_countdown_is_spelt_as_the_policy_spells_it),
        STORY(who_only_observes_or_suggests_never_acts),
        STORY(data_that_cannot_go_back_is_refused),
        STORY(a_root_that_is_not_known_true_is_refused),
        STORY(hold_and_page_are_the_last_word),
        STORY(the_end_of_the_watch_ends_it_unless_it_goes_on),
        STORY(going_on_judges_past_the_first_rollback),
        STORY(going_on_forgets_nothing),
        STORY(nothing_between_the_deploy_and_the_end),
        STORY(nothing_is_decided_while_a_deploy_settles),
        STORY(another_grid),
        STORY(a_missing_column_is_unknown_and_told_once),
        STORY(a_written_max_age_outlives_the_gaps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
