#include "controller/cli/check_report.h"

#include <stdlib.h>
#include <string.h>

#include "controller/cli/client.h"
#include "policies/explain/json_make.h"

bool check_report_format(const char *word, enum check_format *ret_format)
{
    static const char *const words[] = {"text", "json", "sarif"};

    *ret_format = CHECK_TEXT;
    for (size_t i = 0; word != NULL && i < 3; i++) {
        if (strcmp(words[i], word) == 0) {
            *ret_format = (enum check_format)i;
            return true;
        }
    }
    return word == NULL;
}

static void put_place(json_t *object, const char *line, int line_number,
                      const char *column, int column_number)
{
    if (line_number > 0) {
        json_put(object, line, json_integer(line_number));
        json_put(object, column, json_integer(column_number));
    }
}

static const char *level_of(const struct problem *problem)
{
    return problem->kind == PROBLEM_ERROR ? "error" : "warning";
}

/* What a fix replaces. */
struct region {
    int line, column, length;
};

static struct region fix_region(const struct problem *problem)
{
    if (problem->fix_line > 0) {
        return (struct region){problem->fix_line, problem->fix_column,
                               problem->fix_length};
    }
    return (struct region){problem->line, problem->column, problem->length};
}

/* --- JSON ----------------------------------------------------------------- */

static json_t *problem_json(const struct problem *problem)
{
    json_t *json = json_made(json_object());
    struct region fix = fix_region(problem);

    json_put(json, "kind", json_string(level_of(problem)));
    put_place(json, "line", problem->line, "column", problem->column);
    if (problem->line > 0) {
        json_put(json, "length", json_integer(problem->length));
    }
    json_put(json, "text", json_string(problem->text));
    if (problem->note[0] != '\0') {
        json_put(json, "note", json_string(problem->note));
        put_place(json, "note_line", problem->note_line, "note_column",
                  problem->note_column);
    }
    if (problem->fix[0] != '\0' && fix.line > 0) {
        json_put(json, "fix", json_string(problem->fix));
        put_place(json, "fix_line", fix.line, "fix_column", fix.column);
        json_put(json, "fix_length", json_integer(fix.length));
    }
    return json;
}

static json_t *file_json(const struct problems *problems, const size_t *order,
                         json_t *queries)
{
    json_t *json = json_made(json_object());
    json_t *list = json_made(json_array());
    char path[PROBLEM_PATH_MAX];

    text_escape(problems->path, path, sizeof(path));
    for (size_t i = 0; i < problems->count; i++) {
        json_append(list, problem_json(&problems->list[order[i]]));
    }
    json_put(json, "path", json_string(path));
    json_put(json, "ok", json_boolean(problems->errors == 0));
    json_put(json, "problems", list);
    if (queries != NULL) {
        json_put(json, "queries", queries);
    }
    return json;
}

/* --- SARIF ---------------------------------------------------------------- */

/* A path as a URI reference: what is special in one is written %XX. */
static json_t *artifact(const char *path)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
                                "uvwxyz0123456789-._~/";
    char uri[3 * PROBLEM_PATH_MAX + 8] = "";
    size_t used = 0;

    if (path[0] == '/') {
        used = (size_t)snprintf(uri, sizeof(uri), "file://");
    }
    for (; *path != '\0'; path++) {
        bool is_plain = strchr(plain, *path) != NULL;

        used +=
            (size_t)snprintf(uri + used, sizeof(uri) - used,
                             is_plain ? "%c" : "%%%02X", (unsigned char)*path);
    }
    return json_made(json_pack("{s:s}", "uri", uri));
}

static json_t *region_json(struct region region)
{
    return json_made(json_pack("{s:i, s:i, s:i}", "startLine", region.line,
                               "startColumn", region.column, "endColumn",
                               region.column + region.length));
}

static json_t *location(const struct problem *problem, struct region region)
{
    json_t *physical = json_made(json_object());

    json_put(physical, "artifactLocation", artifact(problem->path));
    if (region.line > 0) {
        json_put(physical, "region", region_json(region));
    }
    return json_made(json_pack("{s:o}", "physicalLocation", physical));
}

static json_t *fix_json(const struct problem *problem)
{
    json_t *replacement = json_made(json_pack(
        "{s:o, s:{s:s}}", "deletedRegion", region_json(fix_region(problem)),
        "insertedContent", "text", problem->fix));

    return json_made(json_pack("{s:{s:s}, s:[{s:o, s:[o]}]}", "description",
                               "text", problem->fix, "artifactChanges",
                               "artifactLocation", artifact(problem->path),
                               "replacements", replacement));
}

/* The other place: as a location of its own, or in the sentence. */
static void put_note(json_t *result, const struct problem *problem)
{
    json_t *related = NULL;

    if (problem->note_line == 0) {
        return;
    }
    related = location(
        problem, (struct region){problem->note_line, problem->note_column, 1});
    json_put(related, "message", json_pack("{s:s}", "text", problem->note));
    json_put(result, "relatedLocations", json_pack("[o]", related));
}

static json_t *result_json(const struct problem *problem)
{
    json_t *result = json_made(json_object());
    char text[2 * PROBLEM_TEXT_MAX];
    bool in_sentence = problem->note[0] != '\0' && problem->note_line == 0;

    (void)snprintf(text, sizeof(text), "%s%s%s%s", problem->text,
                   in_sentence ? " (" : "", in_sentence ? problem->note : "",
                   in_sentence ? ")" : "");
    json_put(result, "ruleId", json_string(problem_rule_id(problem->rule)));
    json_put(result, "ruleIndex", json_integer(problem->rule));
    json_put(result, "level", json_string(level_of(problem)));
    json_put(result, "message", json_pack("{s:s}", "text", text));
    json_put(result, "locations",
             json_pack("[o]",
                       location(problem,
                                (struct region){problem->line, problem->column,
                                                problem->length})));
    put_note(result, problem);
    if (problem->fix[0] != '\0' && fix_region(problem).line > 0) {
        json_put(result, "fixes", json_pack("[o]", fix_json(problem)));
    }
    return result;
}

/* Every rule, so that an id means the same in every run. */
static json_t *rules_json(void)
{
    json_t *list = json_made(json_array());

    for (int i = 0; i < RULE_LAST; i++) {
        enum problem_rule rule = (enum problem_rule)i;
        bool warns = rule >= RULE_ONLY_OBSERVES;

        json_append(list,
                    json_pack("{s:s, s:{s:s}, s:{s:s}}", "id",
                              problem_rule_id(rule), "shortDescription", "text",
                              problem_rule_text(rule), "defaultConfiguration",
                              "level", warns ? "warning" : "error"));
    }
    return list;
}

static json_t *sarif_json(json_t *results)
{
    json_t *driver =
        json_made(json_pack("{s:s, s:s, s:o}", "name", "lastgood", "version",
                            LASTGOOD_VERSION, "rules", rules_json()));

    return json_made(json_pack("{s:s, s:s, s:[{s:{s:o}, s:s, s:O}]}", "$schema",
                               "https://json.schemastore.org/sarif-2.1.0.json",
                               "version", "2.1.0", "runs", "tool", "driver",
                               driver, "columnKind", "unicodeCodePoints",
                               "results", results));
}

/* --- The doors ------------------------------------------------------------ */

void check_report_begin(struct check_report *report, enum check_format format)
{
    report->format = format;
    report->errors = 0;
    report->warnings = 0;
    report->list = format == CHECK_TEXT ? NULL : json_made(json_array());
}

void check_report_file(struct check_report *report,
                       const struct problems *problems, const char *source,
                       size_t length, json_t *queries)
{
    size_t order[PROBLEMS_MAX];

    report->errors += problems->errors;
    for (size_t i = 0; i < problems->count; i++) {
        report->warnings += problems->list[i].kind == PROBLEM_WARNING;
    }
    problems_order(problems, order);
    switch (report->format) {
    case CHECK_TEXT:
        problems_print(problems, source, length, report->colour, stderr);
        break;
    case CHECK_JSON:
        json_append(report->list, file_json(problems, order, queries));
        return;
    case CHECK_SARIF:
        for (size_t i = 0; i < problems->count; i++) {
            json_append(report->list, result_json(&problems->list[order[i]]));
        }
        break;
    }
    json_decref(queries);
}

void check_report_end(struct check_report *report)
{
    json_t *document = NULL;

    if (report->format == CHECK_JSON) {
        document =
            json_made(json_pack("{s:O, s:I, s:I}", "files", report->list,
                                "errors", (json_int_t)report->errors,
                                "warnings", (json_int_t)report->warnings));
    } else if (report->format == CHECK_SARIF) {
        document = sarif_json(report->list);
    }
    if (document != NULL) {
        client_print_json(document);
        json_decref(document);
    }
    json_decref(report->list);
    report->list = NULL;
}
