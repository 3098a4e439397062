/* What a case expects, and when. */
#include "controller/cases/cases_inside.h"

#include <assert.h>
#include <string.h>

#include "policies/explain/explain.h"

struct case_place case_place_of(const struct yaml_item *item)
{
    return (struct case_place){item->line, item->column, item->length};
}

struct case_place case_place_of_key(const struct yaml_item *item)
{
    return (struct case_place){item->key_line, item->key_column,
                               item->key_length};
}

/* --- Times ---------------------------------------------------------------- */

/* "1h30m": one duration after the other. */
static bool span_read(const char *text, time_ms *ret_span)
{
    time_ms sum = 0;

    while (*text != '\0') {
        char word[DURATION_TEXT_MAX] = "";
        size_t digits = strspn(text, "0123456789");
        size_t length = digits + strspn(text + digits, "mshd");
        time_ms span = 0;

        if (digits == 0 || length >= sizeof(word)) {
            return false;
        }
        memcpy(word, text, length);
        if (!duration_read(word, &span)) {
            return false;
        }
        sum += span;
        text += length;
        text += *text == ' ';
    }
    *ret_span = sum;
    return true;
}

bool case_time_read(const char *text, time_ms deployed_at, time_ms *ret_at)
{
    time_ms span = 0;

    if (span_read(text, &span) && text[0] != '\0') {
        *ret_at = deployed_at + span;
        return true;
    }
    return strchr(text, 'T') != NULL && moment_read(text, ret_at) &&
           *ret_at >= deployed_at;
}

/* "A" or "A .. B" in @text; false when it is neither. */
static bool range_read(const char *text, time_ms deployed_at, time_ms *ret_from,
                       time_ms *ret_to)
{
    const char *dots = strstr(text, "..");
    char from[64] = "", to[64] = "";
    size_t length = dots == NULL ? strlen(text) : (size_t)(dots - text);

    while (length > 0 && text[length - 1] == ' ') {
        length--;
    }
    if (length >= sizeof(from)) {
        return false;
    }
    memcpy(from, text, length);
    if (!case_time_read(from, deployed_at, ret_from)) {
        return false;
    }
    *ret_to = *ret_from;
    if (dots == NULL) {
        return true;
    }
    dots += 2;
    dots += strspn(dots, " ");
    (void)snprintf(to, sizeof(to), "%s", dots);
    return case_time_read(to, deployed_at, ret_to) && *ret_to > *ret_from;
}

#define TIMES "write one after the deploy, as 26m15s, or a range, as 5m .. 20m"

/* --- One expectation ------------------------------------------------------ */

static bool read_kind(struct case_reader *reader, const struct yaml_item *item,
                      struct case_expect *expect)
{
    const char *words[] = {"healthy", "wait", "rollback", "hold", "page"};
    size_t index = 0;

    if (!yaml_expect_word(item, words, 5, &index, reader->problems)) {
        return false;
    }
    expect->kind = (enum leaf_kind)index;
    return true;
}

static void read_mode(struct case_reader *reader, const struct yaml_item *item,
                      struct case_expect *expect)
{
    static const char *const words[] = {"observe", "suggest", "countdown",
                                        "auto"};
    static const char countdown[] = "countdown ";
    size_t index = MODE_COUNTDOWN;

    if (item->kind == YAML_TEXT &&
        strncmp(item->text, countdown, strlen(countdown)) == 0 &&
        duration_read(item->text + strlen(countdown), &expect->countdown)) {
        expect->has_mode = true;
    } else {
        expect->has_mode =
            yaml_expect_word(item, words, 4, &index, reader->problems);
    }
    expect->mode = (enum mode)index;
}

static void read_path(struct case_reader *reader, const struct yaml_item *item,
                      struct case_expect *expect)
{
    static const char *const words[] = {"no", "yes", "unknown"};

    if (!yaml_expect_list(item, reader->problems)) {
        return;
    }
    if (item->count > POLICY_DEPTH_MAX) {
        (void)yaml_error(reader->problems, item,
                         "a tree is at most %d questions deep",
                         POLICY_DEPTH_MAX);
        return;
    }
    expect->has_path = true;
    for (const struct yaml_item *entry = item->first; entry != NULL;
         entry = entry->next) {
        size_t index = 0;

        if (yaml_expect_word(entry, words, 3, &index, reader->problems)) {
            expect->path[expect->steps++] = (enum answer)index;
        }
    }
}

static void read_verdict(struct case_reader *reader,
                         const struct yaml_item *item,
                         struct case_expect *expect)
{
    static const char *const keys[] = {"verdict", "mode", "path"};
    const struct yaml_item *verdict = NULL, *mode = NULL, *path = NULL;

    if (item->kind == YAML_TEXT) {
        (void)read_kind(reader, item, expect);
        return;
    }
    if (!yaml_expect_map(item, keys, 3, reader->problems)) {
        return;
    }
    verdict = yaml_get(item, "verdict");
    mode = yaml_get(item, "mode");
    path = yaml_get(item, "path");
    if (verdict == NULL) {
        (void)yaml_key_error(reader->problems, item,
                             "'verdict' is missing: healthy, wait, rollback, "
                             "hold or page");
    } else {
        (void)read_kind(reader, verdict, expect);
    }
    if (mode != NULL) {
        read_mode(reader, mode, expect);
    }
    if (path != NULL) {
        read_path(reader, path, expect);
    }
}

static void add_expect(struct case_reader *reader, const struct yaml_item *item,
                       struct test_case *test_case)
{
    struct case_expect *expect = NULL;

    if (test_case->expects_count == CASE_EXPECTS_MAX) {
        (void)yaml_key_error(reader->problems, item,
                             "more than %d expectations in one case; split it",
                             CASE_EXPECTS_MAX);
        return;
    }
    expect = &test_case->expects[test_case->expects_count++];
    *expect = (struct case_expect){.place = case_place_of_key(item)};
    if (!range_read(item->key, test_case->release.deployed_at, &expect->from,
                    &expect->to)) {
        (void)yaml_key_error(reader->problems, item,
                             "'%.60s' is no time; " TIMES, item->key);
    }
    expect->is_range = expect->from != expect->to;
    read_verdict(reader, item, expect);
}

/* --- The end -------------------------------------------------------------- */

static void read_acts(struct case_reader *reader, const struct yaml_item *item,
                      struct test_case *test_case)
{
    struct case_acts *acts = &test_case->acts;

    if (yaml_expect_text(item, reader->problems) == NULL) {
        return;
    }
    *acts = (struct case_acts){.given = true, .place = case_place_of(item)};
    acts->never = strcmp(item->text, "never") == 0;
    if (!acts->never && !range_read(item->text, test_case->release.deployed_at,
                                    &acts->from, &acts->to)) {
        (void)yaml_error(reader->problems, item,
                         "'%.60s' is no time; 'never', or " TIMES, item->text);
    }
}

static void read_final(struct case_reader *reader, const struct yaml_item *item,
                       struct test_case *test_case)
{
    static const char *const words[] = {
        "healthy",
        "wait",
        "page",
        "hold",
        "rollback",
        "rollback (observe)",
        "rollback (suggest)",
        "rollback (countdown)",
        "rollback (refused)",
    };
    size_t index = 0;

    if (yaml_expect_word(item, words, sizeof(words) / sizeof(words[0]), &index,
                         reader->problems)) {
        (void)snprintf(test_case->final, sizeof(test_case->final), "%s",
                       words[index]);
        test_case->final_place = case_place_of(item);
    }
}

/* As long as the last time that is spoken of. */
static void last_at_least(struct test_case *test_case, time_ms at)
{
    time_ms span = at - test_case->release.deployed_at;

    test_case->lasts = span > test_case->lasts ? span : test_case->lasts;
}

void case_read_expects(struct case_reader *reader, const struct yaml_item *item,
                       struct test_case *test_case)
{
    const struct yaml_item *expect = yaml_get(item, "expect");
    const struct yaml_item *final = yaml_get(item, "final");
    const struct yaml_item *acts = yaml_get(item, "acts");
    const struct yaml_item *lasts = yaml_get(item, "lasts");

    if (expect == NULL && final == NULL && acts == NULL) {
        (void)yaml_error(reader->problems, item,
                         "this case expects nothing; write 'expect', 'final' "
                         "or 'acts'");
    }
    if (lasts != NULL) {
        (void)yaml_expect_duration(lasts, SECOND_MS, 90 * DAY_MS,
                                   &test_case->lasts, reader->problems);
    }
    if (expect != NULL && yaml_expect_map(expect, NULL, 0, reader->problems)) {
        for (const struct yaml_item *entry = expect->first; entry != NULL;
             entry = entry->next) {
            add_expect(reader, entry, test_case);
        }
    }
    if (final != NULL) {
        read_final(reader, final, test_case);
    }
    if (acts != NULL) {
        read_acts(reader, acts, test_case);
    }
    for (size_t i = 0; i < test_case->expects_count; i++) {
        last_at_least(test_case, test_case->expects[i].to);
    }
    if (test_case->acts.given && !test_case->acts.never) {
        last_at_least(test_case, test_case->acts.to);
    }
}
