#include "controller/cases/case_report.h"

#include <stdlib.h>
#include <string.h>

#include "policies/explain/explain.h"
#include "policies/explain/json_make.h"
#include "policies/memory.h"

static const char *paint(const struct case_report *report, const char *code)
{
    return report->colour ? code : "";
}

#define GREEN "\033[32m"
#define RED   "\033[1;31m"
#define PLAIN "\033[0m"

/* --- A case as text ------------------------------------------------------- */

/* "rollback, the call leaves at 26m15s" */
static void print_end(const struct case_report *report,
                      const struct test_case *test_case,
                      const struct case_result *result)
{
    char when[SPAN_TEXT_MAX];

    (void)fputs(result->final, report->out);
    if (result->acts) {
        (void)fprintf(report->out, ", the call leaves at %s",
                      case_span(test_case, result->first_action_at, when));
    }
    (void)fputc('\n', report->out);
}

static void show(const struct case_report *report,
                 const struct test_case *test_case, time_ms at)
{
    struct case_picture picture;

    case_look(test_case, at, &picture);
    (void)fputc('\n', report->out);
    if (picture.explanation != NULL) {
        explain_print(picture.explanation, report->colour, report->columns,
                      report->out);
        (void)fputc('\n', report->out);
    }
    picture_print(&picture.picture, report->columns, report->out);
    (void)fputc('\n', report->out);
    case_picture_release(&picture);
}

static void print_failures(const struct case_report *report,
                           const struct case_file *file,
                           const struct case_result *result)
{
    struct problems *problems = memory_resized(NULL, sizeof(*problems));

    problems_init(problems, file->path);
    for (size_t i = 0; i < result->count; i++) {
        const struct case_failure *failure = &result->failures[i];
        struct problem *problem =
            problems_error(problems, failure->place.line, failure->place.column,
                           "%s", failure->text);

        problem->length = failure->place.length;
    }
    problems_print(problems, file->source, file->length, report->colour,
                   report->out);
    free(problems);
}

/* The first thing that differs, or the end. */
static time_ms moment_to_show(const struct test_case *test_case,
                              const struct case_result *result)
{
    time_ms moment = TIME_NEVER;

    for (size_t i = 0; i < result->count; i++) {
        if (result->failures[i].at < moment) {
            moment = result->failures[i].at;
        }
    }
    if (moment == TIME_NEVER) {
        moment = result->acts
                     ? result->first_action_at
                     : test_case->release.deployed_at + test_case->lasts;
    }
    return moment;
}

static void print_case(const struct case_report *report,
                       const struct case_file *file,
                       const struct test_case *test_case,
                       const struct case_result *result)
{
    bool failed = result->count > 0;

    (void)fprintf(
        report->out, "  %s%-4s%s  %s: ", paint(report, failed ? RED : GREEN),
        failed ? "FAIL" : "ok", paint(report, PLAIN), test_case->name);
    print_end(report, test_case, result);
    if (failed) {
        print_failures(report, file, result);
    }
    if (failed || report->shows) {
        show(report, test_case, moment_to_show(test_case, result));
    }
}

/* --- A case as JSON ------------------------------------------------------- */

static json_t *failure_json(const struct case_failure *failure)
{
    char at[MOMENT_TEXT_MAX];

    return json_made(json_pack(
        "{s:i, s:i, s:i, s:s, s:s}", "line", failure->place.line, "column",
        failure->place.column, "length", failure->place.length, "text",
        failure->text, "at", moment_print(failure->at, at)));
}

static json_t *case_json(const struct test_case *test_case,
                         const struct case_result *result)
{
    json_t *failures = json_made(json_array());
    char at[MOMENT_TEXT_MAX];

    for (size_t i = 0; i < result->count; i++) {
        json_append(failures, failure_json(&result->failures[i]));
    }
    return json_made(json_pack(
        "{s:s, s:i, s:b, s:s, s:o, s:o}", "case", test_case->name, "line",
        test_case->place.line, "ok", result->count == 0, "final", result->final,
        "first_action_at",
        result->acts ? json_string(moment_print(result->first_action_at, at))
                     : json_null(),
        "failures", failures));
}

/* --- A file --------------------------------------------------------------- */

static json_t *problems_json(const struct problems *problems, json_t *list)
{
    size_t order[PROBLEMS_MAX];

    problems_order(problems, order);
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->list[order[i]];

        json_append(
            list,
            json_pack("{s:s, s:s, s:i, s:i, s:i, s:s}", "kind",
                      problem->kind == PROBLEM_ERROR ? "error" : "warning",
                      "path", problem->path, "line", problem->line, "column",
                      problem->column, "length", problem->length, "text",
                      problem->text));
    }
    return list;
}

static bool is_wanted(const struct case_report *report,
                      const struct test_case *test_case)
{
    return report->only == NULL ||
           strstr(test_case->name, report->only) != NULL;
}

static void run_cases(struct case_report *report, const struct case_file *file,
                      json_t *list)
{
    struct case_result *result = memory_resized(NULL, sizeof(*result));

    for (size_t i = 0; i < file->count; i++) {
        const struct test_case *test_case = &file->cases[i];

        if (!is_wanted(report, test_case)) {
            continue;
        }
        case_run(test_case, result);
        report->passed += result->count == 0;
        report->failed += result->count > 0;
        if (report->files != NULL) {
            json_append(list, case_json(test_case, result));
        } else {
            print_case(report, file, test_case, result);
        }
    }
    free(result);
}

static void tell_problems(const struct case_report *report,
                          const struct case_file *file,
                          const struct problems *of_file,
                          const struct problems *of_policy)
{
    problems_print(of_policy, file->policy_source, file->policy_length,
                   report->colour, report->out);
    problems_print(of_file, file->source, file->length, report->colour,
                   report->out);
}

void case_report_file(struct case_report *report, const char *path)
{
    struct problems *problems = memory_resized(NULL, 2 * sizeof(*problems));
    json_t *list = json_made(json_array()), *found = json_made(json_array());
    struct case_file file;
    bool good = false;
    char shown[CASE_PATH_MAX];

    good = case_file_read(path, &file, &problems[0], &problems[1]);
    text_escape(path, shown, sizeof(shown));
    if (report->files == NULL) {
        (void)fprintf(report->out, "%s\n", shown);
        tell_problems(report, &file, &problems[0], &problems[1]);
    } else {
        (void)problems_json(&problems[1], problems_json(&problems[0], found));
    }
    if (good) {
        run_cases(report, &file, list);
    }
    report->broken += !good;
    if (report->files != NULL) {
        json_t *json = json_made(json_object());

        json_put(json, "path", json_string(shown));
        json_put(json, "policy", json_string(file.policy_path));
        json_put(json, "problems", json_incref(found));
        json_put(json, "cases", json_incref(list));
        json_append(report->files, json);
    }
    json_decref(list);
    json_decref(found);
    case_file_release(&file);
    free(problems);
}

void case_report_end(struct case_report *report)
{
    json_t *document = NULL;

    if (report->files == NULL) {
        (void)fprintf(report->out, "%zu case%s passed, %zu failed",
                      report->passed, report->passed == 1 ? "" : "s",
                      report->failed);
        (void)fprintf(report->out,
                      report->broken > 0 ? "; %zu file%s could not be read\n"
                                         : "\n",
                      report->broken, report->broken == 1 ? "" : "s");
        return;
    }
    document = json_made(json_pack(
        "{s:O, s:I, s:I, s:I}", "files", report->files, "passed",
        (json_int_t)report->passed, "failed", (json_int_t)report->failed,
        "broken", (json_int_t)report->broken));
    (void)json_dumpf(document, report->out, JSON_INDENT(2));
    (void)fputc('\n', report->out);
    json_decref(document);
    json_decref(report->files);
    report->files = NULL;
}
