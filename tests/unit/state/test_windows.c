/* A verdict is judged again from what was recorded beside it: the same, byte
 * for byte, at every look. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "policies/explain/explain.h"
#include "policies/read/policy_read.h"
#include "state/windows.h"

#define LOOKS 400

struct scene {
    struct policy *policy;
    struct judge *judge;
    struct facts facts;
    struct label labels[1];
    struct sample row[POLICY_SIGNALS_MAX];
    struct verdict verdict;
    uint32_t chance;
};

static const char *const policies[] = {"user-service.yaml", "default.yaml",
                                       "../../tests/golden/cases/b.yaml"};

/* A small generator: the same rows in every run. */
static uint32_t next(struct scene *scene, uint32_t below)
{
    scene->chance = scene->chance * 1664525u + 1013904223u;
    return (scene->chance >> 8) % below;
}

static struct policy *read_policy(const char *name)
{
    struct problems *problems = calloc(1, sizeof *problems);
    char path[512], *text = calloc(1, 1 << 17);
    (void)snprintf(path, sizeof path, "%s/policies/library/%s", SOURCE_DIR,
                   name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t length = fread(text, 1, (1 << 17) - 1, file);
    (void)fclose(file);
    struct policy *policy = policy_read(name, text, length, problems);
    assert_non_null(policy);
    free(problems);
    free(text);
    return policy;
}

static struct scene *begin(const char *name)
{
    struct scene *scene = calloc(1, sizeof *scene);
    scene->policy = read_policy(name);
    scene->judge = calloc(1, scene->policy->judge_bytes);
    scene->facts =
        (struct facts){.service = "user-service",
                       .environment = "production",
                       .version = "2.4.0",
                       .control_version = "2.3.0",
                       .data_change = "none",
                       .labels = scene->labels,
                       .labels_count = 1,
                       .deployed_at = scene->policy->watch.every * 1000 + 7,
                       .rollback_safe = ANSWER_YES};
    (void)snprintf(scene->labels[0].name, sizeof scene->labels[0].name, "a");
    (void)snprintf(scene->labels[0].value, NAME_MAX_BYTES, "\"caf\xc3\xa9\"");
    judge_start(scene->policy, scene->judge, scene->facts.deployed_at);
    return scene;
}

static void end(struct scene *scene)
{
    policy_free(scene->policy);
    free(scene->judge);
    free(scene);
}

/* Numbers of every kind, reasons of every kind; the trouble grows. */
static void make_row(struct scene *scene, int look)
{
    static const double odd[] = {0.0, -0.0, 1.0 / 3.0, 1e-300, 1e300};
    for (uint16_t i = 0; i < scene->policy->signals; i++) {
        struct sample *sample = &scene->row[i];
        *sample =
            (struct sample){.number = (double)next(scene, 1000) / 7.0 * look};
        if (next(scene, 20) == 0) {
            sample->unknown = (enum unknown)(1 + next(scene, UNKNOWN_LAST - 1));
        } else if (next(scene, 20) == 0) {
            sample->number = odd[next(scene, 5)];
        }
    }
    scene->facts.stuck = next(scene, 2) == 0;
    scene->facts.rollback_safe = (enum answer)next(scene, 3);
    for (uint16_t i = 0; i < scene->policy->fleets; i++) {
        scene->facts.fleet[i] = next(scene, 5);
    }
}

static char *explained(const struct policy *policy,
                       const struct verdict *verdict, const struct facts *facts)
{
    json_t *json = explain_verdict(policy, verdict, facts);
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(json);
    return text;
}

static char *recorded(const struct scene *scene, size_t *ret_length)
{
    struct record *record = calloc(1, sizeof *record);
    record_init(record, RECORD_VERDICT);
    record->policy = scene->policy;
    record->verdict = &scene->verdict;
    record->facts = &scene->facts;
    record->judge = scene->judge;
    record->row = scene->row;
    char *json = windows_to_json(record, ret_length);
    free(record);
    return json;
}

static void check_again(const struct scene *scene)
{
    struct verdict verdict = {0};
    struct windows windows;
    char error[256];
    size_t length = 0;
    char *json = recorded(scene, &length);
    assert_true(windows_from_json(json, length, scene->policy, &windows, error,
                                  sizeof error));
    judge_look(scene->policy, windows.judge, windows.grid, windows.row,
               &windows.facts, &verdict);
    char *first = explained(scene->policy, &scene->verdict, &scene->facts);
    char *again = explained(scene->policy, &verdict, &windows.facts);
    assert_string_equal(first, again);
    assert_int_equal(verdict.leaf, scene->verdict.leaf);
    assert_int_equal(verdict.at, scene->verdict.at);
    assert_memory_equal(windows.judge, scene->judge,
                        scene->policy->judge_bytes);
    windows_release(&windows);
    free(first);
    free(again);
    free(json);
}

static void every_look_can_be_taken_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        struct scene *scene = begin(policies[i]);
        const time_ms every = scene->policy->watch.every;
        for (int look = 1; look <= LOOKS; look++) {
            if (next(scene, 10) == 0) {
                continue; /* a gap */
            }
            make_row(scene, look);
            judge_look(scene->policy, scene->judge, every * 1000 + look * every,
                       scene->row, &scene->facts, &scene->verdict);
            check_again(scene);
        }
        end(scene);
    }
}

static void check_refused(const struct policy *policy, const char *json,
                          size_t length)
{
    struct windows windows;
    char error[256] = "";
    assert_false(
        windows_from_json(json, length, policy, &windows, error, sizeof error));
    assert_non_null(strstr(error, "does not fit the policy"));
}

/* Cut anywhere, of another policy, or with another word in it. */
static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct scene *scene = begin(policies[0]);
    struct policy *other = read_policy(policies[1]);
    const time_ms every = scene->policy->watch.every;
    size_t length = 0;
    make_row(scene, 1);
    judge_look(scene->policy, scene->judge, every * 1001, scene->row,
               &scene->facts, &scene->verdict);
    char *json = recorded(scene, &length);
    for (size_t cut = 0; cut < length; cut += 7) {
        check_refused(scene->policy, json, cut);
    }
    check_refused(other, json, length);
    static const char *const words[] = {
        "\"grid\"",    "\"row\"",           "\"rings\"", "\"frozen\"",
        "\"service\"", "\"rollback_safe\"", "not asked"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char *at = strstr(json, words[i]);
        assert_non_null(at);
        at[1] ^= 1;
        check_refused(scene->policy, json, length);
        at[1] ^= 1;
    }
    free(json);
    policy_free(other);
    end(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_look_can_be_taken_again),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
