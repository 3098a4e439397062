#include "controller/cases/notation.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "policies/read/lexer.h"
#include "policies/utf8.h"

struct reader {
    const struct yaml_tree *tree;
    const struct yaml_item *item;
    const struct notation_kind *kind;
    struct problems *problems;
    size_t at;   /* in the item's text */
    bool failed; /* said once */
};

/* --- Complaining ---------------------------------------------------------- */

/* About the bytes [begin, end) of the text. */
__attribute__((format(printf, 4, 5))) static void
complain(struct reader *reader, size_t begin, size_t end, const char *format,
         ...)
{
    char message[PROBLEM_TEXT_MAX];
    struct problem *problem = NULL;
    int line = 0, column = 0;
    va_list arguments;

    if (reader->failed) {
        return;
    }
    reader->failed = true;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    yaml_place(reader->tree, reader->item, begin, &line, &column);
    problem = problems_error(reader->problems, line, column, "%s", message);
    if (end > begin) {
        problem->length =
            (int)utf8_count(reader->item->text + begin, end - begin);
    }
}

/* --- Words ---------------------------------------------------------------- */

static char peek(const struct reader *reader)
{
    return reader->item->text[reader->at];
}

static void skip_blanks(struct reader *reader)
{
    while (peek(reader) == ' ' || peek(reader) == '\n' ||
           peek(reader) == '\t') {
        reader->at++;
    }
}

static bool take(struct reader *reader, const char *word)
{
    size_t length = strlen(word);

    skip_blanks(reader);
    if (strncmp(reader->item->text + reader->at, word, length) != 0) {
        return false;
    }
    reader->at += length;
    return true;
}

/* Up to a blank, a sign of the notation, or "..". */
static size_t word_end(const struct reader *reader)
{
    const char *text = reader->item->text;
    size_t end = reader->at;

    while (text[end] != '\0' && strchr(" \t\n,|", text[end]) == NULL &&
           strncmp(text + end, "..", 2) != 0) {
        end++;
    }
    return end;
}

/* --- Values --------------------------------------------------------------- */

static const struct {
    const char *word;
    struct sample sample;
} words[] = {
    {"_", {0, UNKNOWN_NO_DATA}},    {"nan", {0, UNKNOWN_NAN}},
    {"inf", {0, UNKNOWN_INFINITE}}, {"error", {0, UNKNOWN_SOURCE_ERROR}},
    {"true", {1, KNOWN}},           {"false", {0, KNOWN}},
};
#define WORDS (sizeof(words) / sizeof(words[0]))

static bool unit_of_token(enum token_kind kind, struct unit *ret_unit)
{
    if (kind == TOKEN_PERCENT) {
        *ret_unit = (struct unit){0, 0, 0};
    } else if (kind == TOKEN_DURATION) {
        *ret_unit = (struct unit){0, 1, 0};
    } else if (kind == TOKEN_RATE) {
        *ret_unit = (struct unit){1, -1, 0};
    } else if (kind == TOKEN_BYTES) {
        *ret_unit = (struct unit){0, 0, 1};
    } else {
        return false;
    }
    return true;
}

/* A literal as it would have been fetched. */
static bool number_of(struct reader *reader, size_t begin, size_t end,
                      double *ret_number)
{
    const char *text = reader->item->text + begin;
    bool negative = text[0] == '-';
    struct lexer lexer = {.text = text + negative,
                          .length = end - begin - negative};
    struct token token = lexer_next(&lexer);
    char wanted[UNIT_TEXT_MAX], given[UNIT_TEXT_MAX];
    struct unit unit = reader->kind->unit;
    double scale = 1;

    if (token.kind != TOKEN_NUMBER && !unit_of_token(token.kind, &unit)) {
        complain(reader, begin, end,
                 "'%.*s' is no value; write a number with its unit, or _ nan "
                 "inf error true false",
                 (int)(end - begin > 40 ? 40 : end - begin), text);
        return false;
    }
    if (token.end != lexer.length) {
        complain(reader, begin, end,
                 "'%.*s' is no value: a blank, a comma or '|' ends one",
                 (int)(end - begin > 40 ? 40 : end - begin), text);
        return false;
    }
    if (!unit_equal(unit, reader->kind->unit)) {
        complain(reader, begin, end, "the signal is %s, this is %s",
                 unit_print(reader->kind->unit, wanted),
                 unit_print(unit, given));
        return false;
    }
    if (token.kind != TOKEN_NUMBER) {
        scale = reader->kind->scale;
    }
    *ret_number = (negative ? -1 : 1) * token.number / scale;
    return true;
}

static bool read_value(struct reader *reader, struct sample *ret_sample)
{
    size_t begin = 0, end = 0;

    skip_blanks(reader);
    begin = reader->at;
    end = word_end(reader);
    if (end == begin) {
        complain(reader, begin, begin + 1, "a value is missing here");
        return false;
    }
    reader->at = end;
    for (size_t i = 0; i < WORDS; i++) {
        if (strlen(words[i].word) == end - begin &&
            memcmp(words[i].word, reader->item->text + begin, end - begin) ==
                0) {
            *ret_sample = words[i].sample;
            return true;
        }
    }
    ret_sample->unknown = KNOWN;
    return number_of(reader, begin, end, &ret_sample->number);
}

/* --- How long ------------------------------------------------------------- */

static bool read_count(struct reader *reader, struct notation_item *item)
{
    size_t begin = 0, end = 0;
    char *stop = NULL;
    long long count = 0;

    skip_blanks(reader);
    begin = reader->at;
    end = word_end(reader);
    reader->at = end;
    if (end > begin && end - begin < 10 && peek(reader) != '.') {
        count = strtoll(reader->item->text + begin, &stop, 10);
    }
    if (stop != reader->item->text + end || count < 1 ||
        count > SERIES_ROWS_MAX) {
        complain(reader, begin, end,
                 "how many grid times?  'x20' is 20 of them, at most %d",
                 SERIES_ROWS_MAX);
        return false;
    }
    item->rows = count;
    return true;
}

static bool read_span(struct reader *reader, struct notation_item *item)
{
    time_ms every = reader->kind->every, span = 0;
    char word[DURATION_TEXT_MAX] = "", grid[DURATION_TEXT_MAX];
    size_t begin = 0, end = 0;

    skip_blanks(reader);
    begin = reader->at;
    end = word_end(reader);
    reader->at = end;
    if (end - begin < sizeof(word)) {
        memcpy(word, reader->item->text + begin, end - begin);
    }
    if (!duration_read(word, &span)) {
        complain(reader, begin, end, "'for' wants a duration: for 5m");
        return false;
    }
    if (span % every != 0 || span < every || span / every > SERIES_ROWS_MAX) {
        complain(reader, begin, end,
                 "a series has a value every %s; write a multiple of it, at "
                 "most %d times as long",
                 duration_print(every, grid), SERIES_ROWS_MAX);
        return false;
    }
    item->rows = span / every;
    return true;
}

/* --- Items ---------------------------------------------------------------- */

static bool read_item(struct reader *reader, struct notation_item *ret_item)
{
    size_t begin = 0;
    bool is_line = false;

    skip_blanks(reader);
    begin = reader->at;
    memset(ret_item, 0, sizeof(*ret_item));
    if (!read_value(reader, &ret_item->from)) {
        return false;
    }
    ret_item->to = ret_item->from;
    is_line = take(reader, "..");
    if (is_line && !read_value(reader, &ret_item->to)) {
        return false;
    }
    if (take(reader, "x")) {
        if (!read_count(reader, ret_item)) {
            return false;
        }
    } else if (take(reader, "for") && !read_span(reader, ret_item)) {
        return false;
    }
    if (is_line &&
        (ret_item->from.unknown != KNOWN || ret_item->to.unknown != KNOWN)) {
        complain(reader, begin, reader->at,
                 "a line goes from one number to another: 10 .. 20 x10");
        return false;
    }
    if (is_line && ret_item->rows < 2) {
        complain(reader, begin, reader->at,
                 "a line has at least two values; say how long it is: 10 .. "
                 "20 x10, or for 5m");
        return false;
    }
    return true;
}

/* Items up to "|" or the end. */
static bool read_part(struct reader *reader, struct notation_part *part)
{
    do {
        if (part->count == SERIES_ITEMS_MAX) {
            complain(reader, reader->at, reader->at + 1,
                     "more than %d items in one series", SERIES_ITEMS_MAX);
            return false;
        }
        if (!read_item(reader, &part->items[part->count])) {
            return false;
        }
        part->count++;
    } while (take(reader, ","));
    return true;
}

/* Items without a count: one grid time, but for @open, which fills. */
static void count_single(struct notation_part *part, size_t open)
{
    for (size_t i = 0; i < part->count; i++) {
        if (part->items[i].rows == 0 && i != open) {
            part->items[i].rows = 1;
        }
    }
}

static bool check_rows(struct reader *reader, const struct notation_part *part)
{
    bool fills = false;

    if (notation_rows(part, &fills) <= SERIES_ROWS_MAX) {
        return true;
    }
    complain(reader, 0, reader->at, "a series has at most %d values",
             SERIES_ROWS_MAX);
    return false;
}

bool notation_read(const struct yaml_tree *tree, const struct yaml_item *item,
                   const struct notation_kind *kind,
                   struct notation *ret_notation, struct problems *problems)
{
    struct reader reader = {
        .tree = tree, .item = item, .kind = kind, .problems = problems};
    struct notation *notation = ret_notation;

    memset(notation, 0, sizeof(*notation));
    if (yaml_expect_text(item, problems) == NULL ||
        !read_part(&reader, &notation->after)) {
        return false;
    }
    if (take(&reader, "|")) {
        notation->before = notation->after;
        memset(&notation->after, 0, sizeof(notation->after));
        if (!read_part(&reader, &notation->after)) {
            return false;
        }
    } else {
        notation->before.count = 1;
        notation->before.items[0].from = notation->after.items[0].from;
        notation->before.items[0].to = notation->after.items[0].from;
    }
    skip_blanks(&reader);
    if (peek(&reader) != '\0') {
        complain(&reader, reader.at, word_end(&reader),
                 peek(&reader) == '|'
                     ? "one '|' is enough: it is the moment of the deploy"
                     : "a comma is missing here");
        return false;
    }
    count_single(&notation->before, 0);
    count_single(&notation->after, notation->after.count - 1);
    return check_rows(&reader, &notation->before) &&
           check_rows(&reader, &notation->after);
}

/* --- Asking --------------------------------------------------------------- */

int64_t notation_rows(const struct notation_part *part, bool *ret_fills)
{
    int64_t rows = 0;

    *ret_fills = false;
    for (size_t i = 0; i < part->count; i++) {
        rows += part->items[i].rows;
        *ret_fills = *ret_fills || part->items[i].rows == 0;
    }
    return rows;
}

static struct sample item_at(const struct notation_item *item, int64_t row)
{
    struct sample sample = item->from;

    if (item->rows > 1 && item->from.unknown == KNOWN) {
        sample.number += (item->to.number - item->from.number) *
                         ((double)row / (double)(item->rows - 1));
    }
    return sample;
}

/* @row from 0, counted from the part's beginning, which fills at its end. */
static struct sample after_at(const struct notation_part *part, int64_t row)
{
    for (size_t i = 0; i < part->count; i++) {
        const struct notation_item *item = &part->items[i];

        if (item->rows == 0 || row < item->rows) {
            return item_at(item, row);
        }
        row -= item->rows;
    }
    return (struct sample){0, UNKNOWN_SOURCE_ERROR};
}

/* @row from 0, counted back from the part's end, which fills at its beginning.
 */
static struct sample before_at(const struct notation_part *part, int64_t row)
{
    for (size_t i = part->count; i > 0; i--) {
        const struct notation_item *item = &part->items[i - 1];

        if (item->rows == 0 || row < item->rows) {
            return item_at(item, item->rows == 0 ? 0 : item->rows - 1 - row);
        }
        row -= item->rows;
    }
    return (struct sample){0, UNKNOWN_SOURCE_ERROR};
}

struct sample notation_at(const struct notation *notation, int64_t row)
{
    return row > 0 ? after_at(&notation->after, row - 1)
                   : before_at(&notation->before, -row);
}
