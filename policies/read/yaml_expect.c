/* What a reader of a tree expects, and what it says when that is not there. */
#include "policies/read/yaml_tree.h"
#include "policies/utf8.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* --- Complaining ---------------------------------------------------------- */

#define FORMAT_MESSAGE(message, format)                                        \
    do {                                                                       \
        va_list arguments;                                                     \
        va_start(arguments, format);                                           \
        (void)vsnprintf(message, sizeof(message), format, arguments);          \
        va_end(arguments);                                                     \
    } while (0)

struct problem *yaml_error(struct problems *problems,
                           const struct yaml_item *item, const char *format,
                           ...)
{
    char message[PROBLEM_TEXT_MAX];
    struct problem *problem = NULL;

    FORMAT_MESSAGE(message, format);
    problem = problems_error(problems, item->line, item->column, "%s", message);
    problem->length = item->length;
    return problem;
}

struct problem *yaml_warning(struct problems *problems,
                             const struct yaml_item *item, const char *format,
                             ...)
{
    char message[PROBLEM_TEXT_MAX];
    struct problem *problem = NULL;

    FORMAT_MESSAGE(message, format);
    problem =
        problems_warning(problems, item->line, item->column, "%s", message);
    problem->length = item->length;
    return problem;
}

struct problem *yaml_key_error(struct problems *problems,
                               const struct yaml_item *item, const char *format,
                               ...)
{
    char message[PROBLEM_TEXT_MAX];
    struct problem *problem = NULL;

    FORMAT_MESSAGE(message, format);
    problem = problems_error(problems, item->key_line, item->key_column, "%s",
                             message);
    problem->length = item->key_length;
    return problem;
}

void yaml_fix(struct problem *problem, const struct yaml_item *item,
              const char *text)
{
    const char *quote = item->style == YAML_PLAIN ? "" : "\"";

    problem_fix(problem, "%s%s%s", quote, text, quote);
    problem->fix_line = item->line;
    problem->fix_column = item->column;
    problem->fix_length = item->length;
}

void yaml_key_fix(struct problem *problem, const struct yaml_item *item,
                  const char *text)
{
    bool plain =
        (int)utf8_count(item->key, strlen(item->key)) == item->key_length;
    const char *quote = plain ? "" : "\"";

    problem_fix(problem, "%s%s%s", quote, text, quote);
    problem->fix_line = item->key_line;
    problem->fix_column = item->key_column;
    problem->fix_length = item->key_length;
}

bool yaml_is_rest_of_value(const struct yaml_item *item)
{
    return item->in_flow && yaml_is_empty(item);
}

static struct problem *unknown_key(const struct yaml_item *item,
                                   const char *const *keys, size_t count,
                                   struct problems *problems)
{
    const char *nearest = nearest_name(item->key, keys, count);
    char known[PROBLEM_TEXT_MAX] = "";
    size_t used = 0;
    struct problem *problem = NULL;

    if (yaml_is_rest_of_value(item)) {
        return yaml_key_error(problems, item,
                              "unknown key '%s'; a comma ends a value inside "
                              "{ }: quote this expression",
                              item->key);
    }
    if (nearest != NULL) {
        problem = yaml_key_error(problems, item,
                                 "unknown key '%s'; did you mean '%s'?",
                                 item->key, nearest);
        yaml_key_fix(problem, item, nearest);
        return problem;
    }
    for (size_t i = 0; i < count && used < sizeof(known); i++) {
        used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
                                 i == 0 ? "" : ", ", keys[i]);
    }
    problem = yaml_key_error(problems, item, "unknown key '%s'", item->key);
    problem_note(problem, 0, 0, "known here: %.300s", known);
    return problem;
}

struct problem *yaml_unknown_key(const struct yaml_item *item,
                                 const char *const *keys, size_t count,
                                 struct problems *problems)
{
    struct problem *problem = unknown_key(item, keys, count, problems);

    problem->rule = RULE_UNKNOWN_KEY;
    return problem;
}

void yaml_quote_fix(struct problem *problem, const struct yaml_item *before,
                    const struct yaml_item *item)
{
    char text[PROBLEM_TEXT_MAX];
    size_t used = 0;
    int end = 0;

    if (before == NULL || before->kind != YAML_TEXT ||
        before->style != YAML_PLAIN) {
        return;
    }
    used = (size_t)snprintf(text, sizeof(text), "%s", before->text);
    for (; item != NULL && yaml_is_rest_of_value(item); item = item->next) {
        if (item->key_line != before->line || used >= sizeof(text)) {
            return;
        }
        used += (size_t)snprintf(text + used, sizeof(text) - used, ", %s",
                                 item->key);
        end = item->key_column + item->key_length;
    }
    if (used >= sizeof(text) || strchr(text, '\'') != NULL) {
        return;
    }
    problem_fix(problem, "'%s'", text);
    problem->fix_line = before->line;
    problem->fix_column = before->column;
    problem->fix_length = end - before->column;
}

/* --- Kinds ---------------------------------------------------------------- */

static const char *what_it_is(const struct yaml_item *item)
{
    if (yaml_is_empty(item)) {
        return "nothing";
    }
    switch (item->kind) {
    case YAML_TEXT:
        return item->text_length == 0 ? "an empty text" : "a text";
    case YAML_LIST:
        return "a list";
    case YAML_MAP:
        return "a map";
    }
    return "something else";
}

/* "'every' must be a duration, not a list" */
static void complain_of_kind(const struct yaml_item *item, const char *wanted,
                             struct problems *problems)
{
    if (item->key == NULL) {
        (void)yaml_error(problems, item, "this must be %s, not %s", wanted,
                         what_it_is(item));
    } else if (yaml_is_empty(item)) {
        (void)yaml_key_error(problems, item, "'%s' must be %s, not nothing",
                             item->key, wanted);
    } else {
        (void)yaml_error(problems, item, "'%s' must be %s, not %s", item->key,
                         wanted, what_it_is(item));
    }
}

bool yaml_expect_map(const struct yaml_item *item, const char *const *keys,
                     size_t count, struct problems *problems)
{
    const struct yaml_item *before = NULL;
    bool torn = false; /* a comma tore a value apart: said once */

    if (item->kind != YAML_MAP) {
        complain_of_kind(item, "a map", problems);
        return false;
    }
    for (const struct yaml_item *entry = item->first;
         keys != NULL && entry != NULL; entry = entry->next) {
        bool known = false;

        for (size_t i = 0; i < count && !known; i++) {
            known = strcmp(entry->key, keys[i]) == 0;
        }
        if (!known && !(torn && yaml_is_rest_of_value(entry))) {
            struct problem *problem =
                yaml_unknown_key(entry, keys, count, problems);

            if (yaml_is_rest_of_value(entry)) {
                yaml_quote_fix(problem, before, entry);
                torn = true;
            }
        }
        before = entry;
    }
    return true;
}

bool yaml_expect_list(const struct yaml_item *item, struct problems *problems)
{
    if (item->kind != YAML_LIST) {
        complain_of_kind(item, "a list", problems);
        return false;
    }
    return true;
}

static const char *expect_some_text(const struct yaml_item *item,
                                    const char *wanted,
                                    struct problems *problems)
{
    if (item->kind != YAML_TEXT || item->text_length == 0) {
        complain_of_kind(item, wanted, problems);
        return NULL;
    }
    return item->text;
}

/* --- Texts ---------------------------------------------------------------- */

const char *yaml_expect_text(const struct yaml_item *item,
                             struct problems *problems)
{
    return expect_some_text(item, "a text", problems);
}

const char *yaml_expect_name(const struct yaml_item *item,
                             struct problems *problems)
{
    const char *name = expect_some_text(item, "a name", problems);

    if (name != NULL && !name_is_valid(name)) {
        (void)yaml_error(problems, item,
                         "'%.140s' is not a name; a name begins with a letter "
                         "or digit, has at most %d of A-Z a-z 0-9 . _ + : @ / "
                         "- and no '..'",
                         name, NAME_MAX_BYTES);
        return NULL;
    }
    return name;
}

bool yaml_expect_word(const struct yaml_item *item, const char *const *words,
                      size_t count, size_t *ret_index,
                      struct problems *problems)
{
    char known[PROBLEM_TEXT_MAX] = "";
    size_t used = 0;
    const char *text = NULL, *nearest = NULL;

    for (size_t i = 0; i < count && used < sizeof(known); i++) {
        used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
                                 i == 0           ? ""
                                 : i + 1 == count ? " or "
                                                  : ", ",
                                 words[i]);
    }
    text = expect_some_text(item, known, problems);
    if (text == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i], text) == 0) {
            *ret_index = i;
            return true;
        }
    }
    nearest = nearest_name(text, words, count);
    if (nearest != NULL) {
        yaml_fix(yaml_error(problems, item,
                            "unknown word '%.140s'; did you mean '%s'?", text,
                            nearest),
                 item, nearest);
    } else {
        (void)yaml_error(problems, item, "unknown word '%.100s'; write %.200s",
                         text, known);
    }
    return false;
}

/* --- Numbers -------------------------------------------------------------- */

bool yaml_expect_duration(const struct yaml_item *item, time_ms least,
                          time_ms most, time_ms *ret_span,
                          struct problems *problems)
{
    const char *text = expect_some_text(item, "a duration", problems);
    char low[DURATION_TEXT_MAX], high[DURATION_TEXT_MAX];
    time_ms span = 0;

    if (text == NULL) {
        return false;
    }
    if (!duration_read(text, &span)) {
        (void)yaml_error(problems, item,
                         "'%.80s' is not a duration; write a whole number and "
                         "ms, s, m, h or d, like 90s",
                         text);
        return false;
    }
    if (span < least || span > most) {
        (void)yaml_error(
            problems, item, "'%.80s' is out of range; write %s to %s", text,
            duration_print(least, low), duration_print(most, high));
        return false;
    }
    *ret_span = span;
    return true;
}

/* Digits with at most one point between them; no sign, exponent or blank. */
static bool is_decimal(const char *text, size_t length)
{
    size_t digits = strspn(text, "0123456789");
    size_t fraction = 0;

    if (digits == 0 || length > 18) {
        return false;
    }
    if (text[digits] != '.') {
        return digits == length;
    }
    fraction = strspn(text + digits + 1, "0123456789");
    return fraction > 0 && digits + 1 + fraction == length;
}

bool yaml_expect_number(const struct yaml_item *item, double least, double most,
                        double *ret_number, struct problems *problems)
{
    const char *text = expect_some_text(item, "a number", problems);
    char low[NUMBER_TEXT_MAX], high[NUMBER_TEXT_MAX];
    double number = 0;

    if (text == NULL) {
        return false;
    }
    if (!is_decimal(text, item->text_length)) {
        (void)yaml_error(problems, item,
                         "'%.80s' is not a number; write digits, like 500",
                         text);
        return false;
    }
    number = strtod(text, NULL);
    if (number < least || number > most) {
        (void)yaml_error(problems, item,
                         "'%.80s' is out of range; write %s to %s", text,
                         number_print(least, low), number_print(most, high));
        return false;
    }
    *ret_number = number;
    return true;
}

bool yaml_expect_whole(const struct yaml_item *item, int64_t least,
                       int64_t most, int64_t *ret_number,
                       struct problems *problems)
{
    const char *text = expect_some_text(item, "a whole number", problems);
    int64_t number = 0;

    if (text == NULL) {
        return false;
    }
    if (strspn(text, "0123456789") != item->text_length ||
        item->text_length > 18) {
        (void)yaml_error(
            problems, item,
            "'%.80s' is not a whole number; write digits, like 500", text);
        return false;
    }
    number = strtoll(text, NULL, 10);
    if (number < least || number > most) {
        (void)yaml_error(problems, item,
                         "'%.80s' is out of range; write %lld to %lld", text,
                         (long long)least, (long long)most);
        return false;
    }
    *ret_number = number;
    return true;
}

bool yaml_expect_percent(const struct yaml_item *item, double *ret_share,
                         struct problems *problems)
{
    const char *text = expect_some_text(item, "a percentage", problems);
    size_t length = item->text_length;
    char digits[32] = "";
    double share = 2;

    if (text == NULL) {
        return false;
    }
    if (length >= 2 && length < 20 && text[length - 1] == '%') {
        memcpy(digits, text, length - 1);
        if (is_decimal(digits, length - 1)) {
            /* dividing by 100 would round once more */
            memcpy(digits + length - 1, "e-2", sizeof("e-2"));
            share = strtod(digits, NULL);
        }
    }
    if (share > 1) {
        (void)yaml_error(problems, item,
                         "'%.80s' is not a percentage; write one from 0%% to "
                         "100%%, like 90%%",
                         text);
        return false;
    }
    *ret_share = share;
    return true;
}
