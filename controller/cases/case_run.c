#include "controller/cases/case_run.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "controller/cases/case_table.h"
#include "controller/replay/run.h"
#include "policies/explain/explain.h"
#include "policies/memory.h"

const char *case_span(const struct test_case *test_case, time_ms at,
                      char text[SPAN_TEXT_MAX])
{
    return span_print(at - test_case->release.deployed_at, 1, 5, "", text);
}

/* --- What was decided ----------------------------------------------------- */

struct decision_taken {
    time_ms at;
    enum leaf_kind kind;
    enum mode mode;
    time_ms countdown;
    uint8_t steps;
    enum answer path[POLICY_DEPTH_MAX];
};

struct judged {
    const struct test_case *test_case;
    struct decision_taken *taken;
    size_t count, room;
    struct case_result *result;
    struct case_picture *picture; /* NULL: nobody looks */
    time_ms look_at;
    struct verdict verdict; /* the newest at or before look_at */
    struct facts facts;
    uint16_t
        nodes[PICTURE_TRACES_MAX]; /* of the traces; NONE_INDEX: a column */
};

static void on_decision(void *data, const struct told *told)
{
    struct judged *judged = data;
    const struct verdict *verdict = told->verdict;
    struct decision_taken *taken = NULL;

    if (judged->count == judged->room) {
        judged->room = judged->room == 0 ? 64 : 2 * judged->room;
        judged->taken = memory_resized(judged->taken,
                                       judged->room * sizeof(*judged->taken));
    }
    taken = &judged->taken[judged->count++];
    *taken = (struct decision_taken){
        .at = verdict->at,
        .kind = policy_leaf(told->policy, verdict->leaf)->kind,
        .mode = told->mode,
        .countdown = told->countdown,
        .steps = verdict->steps,
    };
    for (uint8_t i = 0; i < verdict->steps; i++) {
        taken->path[i] = verdict->path[i].answer;
    }
}

/* The decision that stands at @at, NULL before the first. */
static const struct decision_taken *standing_at(const struct judged *judged,
                                                time_ms at)
{
    const struct decision_taken *standing = NULL;

    for (size_t i = 0; i < judged->count && judged->taken[i].at <= at; i++) {
        standing = &judged->taken[i];
    }
    return standing;
}

/* --- The picture ---------------------------------------------------------- */

static void on_look(void *data, const struct verdict *verdict,
                    const struct facts *facts)
{
    struct judged *judged = data;
    const struct policy *policy = judged->test_case->policy;
    struct picture *picture = NULL;
    size_t row = 0;

    if (judged->picture == NULL) {
        return;
    }
    if (verdict->at <= judged->look_at) {
        judged->verdict = *verdict;
        judged->facts = *facts;
    }
    picture = &judged->picture->picture;
    row = (size_t)((verdict->at - picture->start) / picture->every);
    if (verdict->at < picture->start || row >= picture->rows) {
        return;
    }
    picture_judge(picture, row, policy_leaf(policy, verdict->leaf)->kind);
    for (size_t i = 0; i < picture->count; i++) {
        if (judged->nodes[i] != NONE_INDEX) {
            picture->traces[i].values[row] = verdict->values[judged->nodes[i]];
        }
    }
}

/* Where the values came from is the case, whatever the daemon would ask. */
static void name_series(const struct test_case *test_case, json_t *signal)
{
    const char *name = json_string_value(json_object_get(signal, "name"));

    for (size_t i = 0; i < test_case->columns_count; i++) {
        const struct case_column *column = &test_case->columns[i];

        if (name != NULL && strcmp(column->name, name) == 0) {
            (void)json_object_del(signal, "select");
            if (json_object_set_new(signal, "from", json_string("series")) !=
                    0 ||
                json_object_set_new(signal, "query",
                                    json_string(column->text)) != 0) {
                abort();
            }
        }
    }
}

static void explain(struct judged *judged)
{
    json_t *explanation = explain_verdict(judged->test_case->policy,
                                          &judged->verdict, &judged->facts);
    json_t *signal = NULL;
    size_t i = 0;

    json_array_foreach(json_object_get(explanation, "signals"), i, signal)
    {
        name_series(judged->test_case, signal);
    }
    judged->picture->explanation = explanation;
}

static void on_end(void *data, const struct ending *ending)
{
    struct judged *judged = data;

    (void)snprintf(judged->result->final, sizeof(judged->result->final), "%s",
                   ending->final);
    judged->result->acts = ending->acts;
    judged->result->first_action_at = ending->first_action_at;
    if (judged->picture != NULL && judged->verdict.at > 0) {
        explain(judged); /* now: the facts' texts are the core's */
    }
}

/* --- Judging -------------------------------------------------------------- */

/* False with one line in @ret_error when the core refuses the release. */
static bool judge(struct judged *judged, char *ret_error, size_t size)
{
    const struct test_case *test_case = judged->test_case;
    const struct report_listener listener = {judged, on_look, on_decision,
                                             on_end};
    struct csv *csv = case_table(test_case);
    struct report report = {
        .listener = &listener, .release = &test_case->release, .csv = csv};
    const struct run_options options = {
        .csv = csv,
        .fill = CSV_STEP,
        .policy = test_case->policy,
        .release = &test_case->release,
    };
    bool good = run_judge(&options, &report, ret_error, size);

    csv_free(csv);
    return good;
}

/* --- What differs --------------------------------------------------------- */

__attribute__((format(printf, 4, 5))) static void
fail(struct case_result *result, struct case_place place, time_ms at,
     const char *format, ...)
{
    struct case_failure *failure = &result->failures[result->count++];
    va_list arguments;

    failure->place = place;
    failure->at = at;
    va_start(arguments, format);
    (void)vsnprintf(failure->text, sizeof(failure->text), format, arguments);
    va_end(arguments);
}

#define PATH_TEXT_MAX (10 * POLICY_DEPTH_MAX)

static const char *path_print(const enum answer *path, uint8_t steps,
                              char text[PATH_TEXT_MAX])
{
    static const char *const words[] = {"no", "yes", "unknown"};
    size_t used = 0;

    text[0] = '\0';
    for (uint8_t i = 0; i < steps; i++) {
        used += (size_t)snprintf(text + used, PATH_TEXT_MAX - used, "%s%s",
                                 i == 0 ? "" : ", ", words[path[i]]);
    }
    return text;
}

static void mode_print(enum mode mode, time_ms countdown, char text[48])
{
    char span[DURATION_TEXT_MAX];

    if (mode == MODE_COUNTDOWN && countdown > 0) {
        (void)snprintf(text, 48, "countdown %s",
                       duration_print(countdown, span));
    } else {
        (void)snprintf(text, 48, "%s", mode_name(mode));
    }
}

/* What @expect says about a decision that stands at @at; false: not that. */
static bool compare(const struct judged *judged,
                    const struct case_expect *expect,
                    const struct decision_taken *taken, time_ms at)
{
    char when[SPAN_TEXT_MAX], first[PATH_TEXT_MAX], second[PATH_TEXT_MAX];
    char wanted[48], given[48];
    struct case_result *result = judged->result;

    (void)case_span(judged->test_case, at, when);
    if (taken == NULL) {
        fail(result, expect->place, at,
             "at %s: expected %s, and nothing was judged yet", when,
             leaf_kind_name(expect->kind));
        return false;
    }
    if (taken->kind != expect->kind) {
        fail(result, expect->place, at, "at %s: expected %s, it was %s", when,
             leaf_kind_name(expect->kind), leaf_kind_name(taken->kind));
        return false;
    }
    if (expect->has_mode &&
        (expect->mode != taken->mode ||
         (expect->countdown > 0 && expect->countdown != taken->countdown))) {
        mode_print(expect->mode, expect->countdown, wanted);
        mode_print(taken->mode, taken->countdown, given);
        fail(result, expect->place, at, "at %s: expected mode %s, it was %s",
             when, wanted, given);
        return false;
    }
    if (expect->has_path &&
        (expect->steps != taken->steps ||
         memcmp(expect->path, taken->path,
                taken->steps * sizeof(taken->path[0])) != 0)) {
        fail(result, expect->place, at,
             "at %s: expected the answers %s; they were %s", when,
             path_print(expect->path, expect->steps, first),
             path_print(taken->path, taken->steps, second));
        return false;
    }
    return true;
}

static void compare_expect(const struct judged *judged,
                           const struct case_expect *expect)
{
    bool good = compare(judged, expect, standing_at(judged, expect->from),
                        expect->from);

    for (size_t i = 0; good && i < judged->count; i++) {
        const struct decision_taken *taken = &judged->taken[i];

        if (taken->at > expect->from && taken->at <= expect->to) {
            good = compare(judged, expect, taken, taken->at);
        }
    }
}

static void compare_acts(const struct judged *judged)
{
    const struct test_case *test_case = judged->test_case;
    const struct case_acts *acts = &test_case->acts;
    struct case_result *result = judged->result;
    time_ms at = result->first_action_at;
    char when[SPAN_TEXT_MAX], from[SPAN_TEXT_MAX], to[SPAN_TEXT_MAX];

    if (acts->never && result->acts) {
        fail(result, acts->place, at,
             "expected that it never acts; the call left at %s",
             case_span(test_case, at, when));
    } else if (!acts->never && !result->acts) {
        fail(result, acts->place, acts->to,
             "expected the call by %s; it never left",
             case_span(test_case, acts->to, to));
    } else if (!acts->never && acts->from == acts->to && at != acts->from) {
        fail(result, acts->place, at, "expected the call at %s; it left at %s",
             case_span(test_case, acts->from, from),
             case_span(test_case, at, when));
    } else if (!acts->never && (at < acts->from || at > acts->to)) {
        fail(result, acts->place, at,
             "expected the call between %s and %s; it left at %s",
             case_span(test_case, acts->from, from),
             case_span(test_case, acts->to, to),
             case_span(test_case, at, when));
    }
}

static void compare_all(const struct judged *judged)
{
    const struct test_case *test_case = judged->test_case;
    struct case_result *result = judged->result;

    for (size_t i = 0; i < test_case->expects_count; i++) {
        compare_expect(judged, &test_case->expects[i]);
    }
    if (test_case->final[0] != '\0' &&
        strcmp(test_case->final, result->final) != 0) {
        fail(result, test_case->final_place,
             result->acts ? result->first_action_at
                          : case_row_time(test_case, case_last_row(test_case)),
             "expected '%s' in the end, it was '%s'", test_case->final,
             result->final);
    }
    if (test_case->acts.given) {
        compare_acts(judged);
    }
}

void case_run(const struct test_case *test_case, struct case_result *ret_result)
{
    struct judged *judged = memory_zeroed(1, sizeof(*judged));
    char error[1200] = "";

    memset(ret_result, 0, sizeof(*ret_result));
    judged->test_case = test_case;
    judged->result = ret_result;
    if (judge(judged, error, sizeof(error))) {
        compare_all(judged);
    } else {
        fail(ret_result, test_case->place, test_case->release.deployed_at,
             "the release is refused: %.250s", error);
    }
    free(judged->taken);
    free(judged);
}

/* --- Looking -------------------------------------------------------------- */

static struct picture_trace *add_trace(struct judged *judged, const char *name,
                                       struct unit unit, uint16_t node)
{
    struct picture *picture = &judged->picture->picture;

    if (picture->count < PICTURE_TRACES_MAX) {
        judged->nodes[picture->count] = node;
    }
    return picture_add(picture, name, unit);
}

/* A series as it was made up, in base units. */
static void trace_column(struct judged *judged,
                         const struct case_column *column)
{
    const struct policy *policy = judged->test_case->policy;
    struct picture *picture = &judged->picture->picture;
    const struct signal *signal = NULL;
    struct picture_trace *trace = NULL;
    int64_t first =
        (picture->start - case_row_time(judged->test_case, 0)) / picture->every;

    for (uint16_t i = 0; i < policy->signals && signal == NULL; i++) {
        if (strcmp(policy_text(policy, policy_signal(policy, i)->name),
                   column->name) == 0) {
            signal = policy_signal(policy, i);
        }
    }
    assert(signal != NULL);
    trace = add_trace(judged, column->name, signal->unit, NONE_INDEX);
    for (size_t row = 0; trace != NULL && row < picture->rows; row++) {
        struct sample sample =
            notation_at(&column->notation, first + (int64_t)row);

        trace->values[row] =
            (struct value){sample.number * signal->scale, sample.unknown};
    }
}

static void add_traces(struct judged *judged)
{
    const struct test_case *test_case = judged->test_case;
    const struct policy *policy = test_case->policy;

    for (size_t i = 0; i < test_case->columns_count; i++) {
        trace_column(judged, &test_case->columns[i]);
    }
    for (uint16_t i = 0; i < policy->nodes; i++) {
        const struct node *node = policy_node(policy, i);

        if (node->op == OP_NAMED && node->type == TYPE_NUMBER) {
            (void)add_trace(judged, policy_text(policy, node->text), node->unit,
                            i);
        }
    }
}

static void point_at(const struct test_case *test_case, time_ms at,
                     struct picture *picture)
{
    char span[SPAN_TEXT_MAX];
    time_ms row = (at - picture->start) / picture->every;

    picture->mark = row < 0                         ? 0
                    : row >= (time_ms)picture->rows ? picture->rows - 1
                                                    : (size_t)row;
    (void)snprintf(
        picture->mark_text, sizeof(picture->mark_text), "%s",
        case_span(test_case,
                  picture->start + (time_ms)picture->mark * picture->every,
                  span));
}

void case_look(const struct test_case *test_case, time_ms at,
               struct case_picture *ret_picture)
{
    struct judged *judged = memory_zeroed(1, sizeof(*judged));
    struct case_result *result = memory_zeroed(1, sizeof(*result));
    time_ms every = test_case->policy->watch.every;
    int64_t last = case_last_row(test_case);
    int64_t first = case_first_row(test_case);
    char error[1200] = "";

    memset(ret_picture, 0, sizeof(*ret_picture));
    first = first < -last / 4 ? -last / 4 : first; /* a fifth of the picture */
    picture_init(&ret_picture->picture, case_row_time(test_case, first), every,
                 (size_t)(last - first) + 1, case_row_time(test_case, 0));
    point_at(test_case, at, &ret_picture->picture);
    *judged = (struct judged){.test_case = test_case,
                              .result = result,
                              .picture = ret_picture,
                              .look_at = at};
    add_traces(judged);
    (void)judge(judged, error, sizeof(error)); /* as it went before */
    free(judged->taken);
    free(judged);
    free(result);
}

void case_picture_release(struct case_picture *picture)
{
    picture_release(&picture->picture);
    json_decref(picture->explanation);
    picture->explanation = NULL;
}
