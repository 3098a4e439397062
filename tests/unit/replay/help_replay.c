#include "help_replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/replay/replay.h"
#include "tests/unit/help_files.h"

#define WORDS_MAX 16
#define FILES_MAX 16

/* --- Running -------------------------------------------------------------- */

/* Let @stream write into a file without a name; returns its old descriptor. */
static int divert(FILE *stream, FILE *into)
{
    int kept = -1;

    (void)fflush(stream);
    kept = dup(fileno(stream));
    assert_true(kept >= 0);
    assert_true(dup2(fileno(into), fileno(stream)) >= 0);
    return kept;
}

static void restore(FILE *stream, int kept, FILE *from, char *ret_text)
{
    size_t length = 0;

    (void)fflush(stream);
    assert_true(dup2(kept, fileno(stream)) >= 0);
    (void)close(kept);
    rewind(from);
    length = fread(ret_text, 1, OUTPUT_MAX - 1, from);
    assert_true(length < OUTPUT_MAX - 1);
    ret_text[length] = '\0';
    (void)fclose(from);
}

void run_replay(struct ran *ret_ran, ...)
{
    char *words[WORDS_MAX + 1];
    int count = 0;
    va_list list;
    FILE *out = tmpfile(), *err = tmpfile();
    int kept_out = -1, kept_err = -1;

    assert_non_null(out);
    assert_non_null(err);
    words[count++] = strdup("replay");
    va_start(list, ret_ran);
    for (const char *word = va_arg(list, const char *);
         word != NULL && count < WORDS_MAX; word = va_arg(list, const char *)) {
        words[count++] = strdup(word);
    }
    va_end(list);
    words[count] = NULL;
    kept_out = divert(stdout, out);
    kept_err = divert(stderr, err);
    ret_ran->code = replay_main(count, words);
    restore(stdout, kept_out, out, ret_ran->out);
    restore(stderr, kept_err, err, ret_ran->err);
    for (int i = 0; i < count; i++) {
        free(words[i]);
    }
}

/* --- Files ---------------------------------------------------------------- */

static char folder[FILES_PATH_MAX];
static char paths[FILES_MAX][FILES_PATH_MAX];
static size_t paths_count;

const char *file_of(const char *name, const char *text)
{
    char *path = paths[paths_count];

    assert_true(paths_count < FILES_MAX);
    if (paths_count == 0) {
        files_begin(folder);
    }
    (void)snprintf(path, FILES_PATH_MAX, "%s", files_write(folder, name, text));
    paths_count++;
    return path;
}

int forget_files(void **state)
{
    (void)state;
    if (paths_count > 0) {
        files_end(folder);
        paths_count = 0;
    }
    return 0;
}

/* --- Tables --------------------------------------------------------------- */

void sheet_begin(struct sheet *sheet, const char *columns)
{
    sheet->row = 0;
    sheet->used = (size_t)snprintf(sheet->text, sizeof(sheet->text),
                                   "time,%s\n", columns);
}

void sheet_add(struct sheet *sheet, int count, const char *cells)
{
    for (int i = 0; i < count; i++) {
        size_t room = sizeof(sheet->text) - sheet->used;

        sheet->used +=
            (size_t)snprintf(sheet->text + sheet->used, room, "%lld,%s\n",
                             T0 + EVERY * sheet->row, cells);
        assert_true(sheet->used < sizeof(sheet->text));
        sheet->row++;
    }
}

/* --- JSON ----------------------------------------------------------------- */

static int since_deploy(const char *moment)
{
    time_ms at = 0;

    assert_non_null(moment);
    assert_true(moment_read(moment, &at));
    return (int)(at / SECOND_MS - T0);
}

static void check_step(const json_t *step)
{
    const char *answer = json_string_value(json_object_get(step, "answer"));

    assert_int_equal(json_object_size(step), 2);
    assert_true(json_is_string(json_object_get(step, "question")));
    assert_non_null(answer);
    assert_true(strcmp(answer, "yes") == 0 || strcmp(answer, "no") == 0 ||
                strcmp(answer, "unknown") == 0);
}

static void check_reason(const json_t *reason)
{
    const json_t *value = json_object_get(reason, "value");

    assert_true(json_is_string(json_object_get(reason, "expr")));
    assert_true(json_is_number(value) || json_is_boolean(value) ||
                json_is_null(value));
    assert_int_equal(json_is_null(value),
                     json_is_string(json_object_get(reason, "unknown")));
}

static void check_decision(const json_t *decision)
{
    size_t i = 0;
    json_t *entry = NULL;

    assert_int_equal(json_object_size(decision), 5);
    assert_true(json_is_string(json_object_get(decision, "at")));
    assert_true(json_is_string(json_object_get(decision, "verdict")));
    assert_true(json_is_string(json_object_get(decision, "mode")));
    assert_true(json_is_array(json_object_get(decision, "path")));
    assert_true(json_is_array(json_object_get(decision, "because")));
    json_array_foreach(json_object_get(decision, "path"), i, entry)
    {
        check_step(entry);
    }
    json_array_foreach(json_object_get(decision, "because"), i, entry)
    {
        check_reason(entry);
    }
}

json_t *json_of(const struct ran *ran)
{
    json_error_t error;
    json_t *json = json_loads(ran->out, JSON_REJECT_DUPLICATES, &error);
    json_t *action = NULL, *decision = NULL;
    size_t i = 0;

    if (json == NULL) {
        fail_msg("%d: %s\n%s%s", error.line, error.text, ran->out, ran->err);
    }
    assert_int_equal(ran->code, REPLAY_EXIT_DONE);
    assert_int_equal(json_object_size(json), 3);
    action = json_object_get(json, "first_action_at");
    assert_true(json_is_string(action) || json_is_null(action));
    assert_true(json_is_string(json_object_get(json, "final")));
    json_array_foreach(json_object_get(json, "decisions"), i, decision)
    {
        check_decision(decision);
    }
    return json;
}

int acts_at(const json_t *json)
{
    const json_t *action = json_object_get(json, "first_action_at");

    return json_is_null(action) ? -1 : since_deploy(json_string_value(action));
}

const char *decisions_of(const json_t *json, char *ret_text, size_t size)
{
    size_t i = 0, used = 0;
    json_t *decision = NULL;

    ret_text[0] = '\0';
    json_array_foreach(json_object_get(json, "decisions"), i, decision)
    {
        used += (size_t)snprintf(
            ret_text + used, size - used, "%s%s@%d", i > 0 ? " " : "",
            json_string_value(json_object_get(decision, "verdict")),
            since_deploy(json_string_value(json_object_get(decision, "at"))));
        assert_true(used < size);
    }
    return ret_text;
}

const char *final_of(const json_t *json)
{
    return json_string_value(json_object_get(json, "final"));
}
