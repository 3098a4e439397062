#include "controller/sources/metrics_page.h"

#include "controller/prometheus/prometheus_answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What is left of a line. */
struct line {
    const char *at, *end;
};

bool part_is(struct text_part part, const char *text)
{
    return part.length == strlen(text) &&
           memcmp(part.bytes, text, part.length) == 0;
}

static bool part_equal(struct text_part a, struct text_part b)
{
    return a.length == b.length && memcmp(a.bytes, b.bytes, a.length) == 0;
}

static bool ends_with(struct text_part part, const char *suffix)
{
    size_t length = strlen(suffix);
    return part.length >= length &&
           memcmp(part.bytes + part.length - length, suffix, length) == 0;
}

__attribute__((format(printf, 2, 3))) static bool
page_fail(struct metrics_page *page, const char *format, ...)
{
    if (page->error[0]) {
        return false;
    }
    char text[PAGE_ERROR_MAX], what[PAGE_ERROR_MAX - 32];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    (void)snprintf(text, sizeof(text), "line %zu: %s", page->line, what);
    text_escape(text, page->error, sizeof(page->error));
    return false;
}

void metrics_page_begin(struct metrics_page *page, const char *text,
                        size_t length)
{
    page->error[0] = '\0';
    page->text = text;
    page->length = length;
    page->at = 0;
    page->line = 0;
    page->series = 0;
    page->family = (struct text_part){"", 0};
    page->type = FAMILY_UNTYPED;
    page->ended = false;
    page->plain_used = 0;
    const char *nul = length > 0 ? memchr(text, '\0', length) : NULL;
    if (nul) {
        page->line = 1;
        for (const char *at = text; at < nul; at++) {
            page->line += *at == '\n';
        }
        (void)page_fail(page, "a NUL byte");
    }
}

/* --- Parts of a line ----------------------------------------------------- */

static void skip_blanks(struct line *line)
{
    while (line->at < line->end && (*line->at == ' ' || *line->at == '\t')) {
        line->at++;
    }
}

static bool take_byte(struct line *line, char byte)
{
    skip_blanks(line);
    if (line->at == line->end || *line->at != byte) {
        return false;
    }
    line->at++;
    return true;
}

static bool is_name_byte(char byte, bool first, bool colons)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           byte == '_' || (byte == ':' && colons) ||
           (byte >= '0' && byte <= '9' && !first);
}

static struct text_part take_name(struct line *line, bool colons)
{
    skip_blanks(line);
    const char *begin = line->at;
    while (line->at < line->end &&
           is_name_byte(*line->at, line->at == begin, colons)) {
        line->at++;
    }
    return (struct text_part){begin, (size_t)(line->at - begin)};
}

static struct text_part take_word(struct line *line)
{
    skip_blanks(line);
    const char *begin = line->at;
    while (line->at < line->end && *line->at != ' ' && *line->at != '\t') {
        line->at++;
    }
    return (struct text_part){begin, (size_t)(line->at - begin)};
}

/* How many bytes of the line's rest a message shows. */
static int line_shown(const struct line *line)
{
    return line->end - line->at < 40 ? (int)(line->end - line->at) : 40;
}

/* --- Comments ------------------------------------------------------------ */

static bool read_type(struct metrics_page *page, struct line *line)
{
    static const struct {
        const char *name;
        enum family_type type;
    } types[] = {
        {"counter", FAMILY_COUNTER},      {"gauge", FAMILY_GAUGE},
        {"histogram", FAMILY_HISTOGRAM},  {"summary", FAMILY_SUMMARY},
        {"untyped", FAMILY_UNTYPED},      {"unknown", FAMILY_UNTYPED},
        {"info", FAMILY_GAUGE},           {"stateset", FAMILY_GAUGE},
        {"gaugehistogram", FAMILY_GAUGE},
    };
    struct text_part name = take_name(line, true), type = take_word(line);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (name.length > 0 && part_is(type, types[i].name)) {
            page->family = name;
            page->type = types[i].type;
            return true;
        }
    }
    return page_fail(page, "a TYPE that is none: '%.*s'", (int)type.length,
                     type.bytes);
}

static bool read_comment(struct metrics_page *page, struct line *line)
{
    struct text_part word = take_word(line);
    if (!part_is(word, "#")) {
        return true;
    }
    word = take_word(line);
    if (part_is(word, "TYPE")) {
        return read_type(page, line);
    }
    page->ended = part_is(word, "EOF");
    return true;
}

/* --- Series -------------------------------------------------------------- */

/* "a\\b\"c\n" -> its bytes, in the page's own buffer when it has escapes. */
static bool take_value(struct metrics_page *page, struct line *line,
                       struct text_part *ret_value)
{
    if (!take_byte(line, '"')) {
        return page_fail(page, "a label's value is not quoted");
    }
    const char *begin = line->at;
    size_t kept = page->plain_used;
    bool escaped = false;
    for (; line->at < line->end && *line->at != '"'; line->at++) {
        char byte = *line->at;
        if (byte == '\\') {
            line->at++;
            byte = line->at < line->end ? *line->at : '\0';
            if (byte != '\\' && byte != '"' && byte != 'n') {
                return page_fail(page, "a backslash stands before no escape");
            }
            byte = byte == 'n' ? '\n' : byte;
            escaped = true;
        }
        if (page->plain_used < sizeof(page->plain)) {
            page->plain[page->plain_used] = byte;
        }
        page->plain_used++;
    }
    if (line->at == line->end) {
        return page_fail(page, "a label's value is not closed");
    }
    *ret_value = (struct text_part){begin, (size_t)(line->at - begin)};
    line->at++;
    if (!escaped) {
        page->plain_used = kept;
        return true;
    }
    if (page->plain_used > sizeof(page->plain)) {
        return page_fail(page, "values with escapes take over %d bytes",
                         PAGE_ESCAPES_MAX);
    }
    *ret_value =
        (struct text_part){page->plain + kept, page->plain_used - kept};
    return true;
}

static bool read_label(struct metrics_page *page, struct line *line,
                       struct page_series *series)
{
    struct text_part name = take_name(line, false);
    if (name.length == 0) {
        return page_fail(page, "a label has no name");
    }
    if (!take_byte(line, '=')) {
        return page_fail(page, "no '=' behind label '%.*s'", (int)name.length,
                         name.bytes);
    }
    if (series->labels_count == PAGE_LABELS_MAX) {
        return page_fail(page, "more than %d labels", PAGE_LABELS_MAX);
    }
    for (size_t i = 0; i < series->labels_count; i++) {
        if (part_equal(series->labels[i].name, name)) {
            return page_fail(page, "label '%.*s' stands twice",
                             (int)name.length, name.bytes);
        }
    }
    series->labels[series->labels_count].name = name;
    return take_value(page, line,
                      &series->labels[series->labels_count++].value);
}

static bool read_labels(struct metrics_page *page, struct line *line,
                        struct page_series *series)
{
    while (!take_byte(line, '}')) {
        if (series->labels_count > 0 && !take_byte(line, ',')) {
            return page_fail(page, "no ',' or '}' behind a label");
        }
        if (series->labels_count > 0 && take_byte(line, '}')) {
            return true; /* a comma may end the list */
        }
        if (!read_label(page, line, series)) {
            return false;
        }
    }
    return true;
}

/* Does the family of the last TYPE have this series, and as what? */
static enum series_kind kind_of(const struct metrics_page *page,
                                struct text_part name)
{
    struct text_part family = page->family, suffix = {"", 0};
    bool member = name.length >= family.length &&
                  memcmp(name.bytes, family.bytes, family.length) == 0;
    if (member) {
        suffix.bytes = name.bytes + family.length;
        suffix.length = name.length - family.length;
    }
    bool parts =
        member && (part_is(suffix, "_bucket") || part_is(suffix, "_count") ||
                   part_is(suffix, "_sum"));
    switch (member ? page->type : FAMILY_UNTYPED) {
    case FAMILY_COUNTER:
        if (suffix.length == 0 || part_is(suffix, "_total")) {
            return SERIES_COUNTER;
        }
        break;
    case FAMILY_GAUGE:
        if (suffix.length == 0 || parts) {
            return SERIES_GAUGE;
        }
        break;
    case FAMILY_HISTOGRAM:
    case FAMILY_SUMMARY:
        if (parts) {
            return SERIES_COUNTER;
        }
        if (suffix.length == 0) {
            return SERIES_GAUGE; /* a summary's quantile */
        }
        break;
    case FAMILY_UNTYPED:
        break;
    }
    return ends_with(name, "_total") ? SERIES_COUNTER : SERIES_GAUGE;
}

static bool read_series(struct metrics_page *page, struct line *line,
                        struct page_series *series)
{
    struct sample unused;
    series->labels_count = 0;
    page->plain_used = 0;
    series->name = take_name(line, true);
    if (series->name.length == 0) {
        return page_fail(page, "not a line of metrics: '%.*s'",
                         line_shown(line), line->at);
    }
    if (take_byte(line, '{') && !read_labels(page, line, series)) {
        return false;
    }
    struct text_part value = take_word(line), time = take_word(line);
    if (!prometheus_number(value.bytes, value.length, &series->sample)) {
        return page_fail(page, "the value of '%.*s' is no number: '%.*s'",
                         (int)series->name.length, series->name.bytes,
                         (int)(value.length < 40 ? value.length : 40),
                         value.bytes);
    }
    /* A time stamp is read and not used; an exemplar begins with '#'. */
    if (time.length > 0 && !part_is(time, "#")) {
        if (!prometheus_number(time.bytes, time.length, &unused)) {
            return page_fail(page, "the time of '%.*s' is no number",
                             (int)series->name.length, series->name.bytes);
        }
        time = take_word(line);
        if (time.length > 0 && !part_is(time, "#")) {
            return page_fail(page, "something stands behind the time");
        }
    }
    series->kind = kind_of(page, series->name);
    if (++page->series > PAGE_SERIES_MAX) {
        return page_fail(page, "more than %d series on one page",
                         PAGE_SERIES_MAX);
    }
    return true;
}

bool metrics_page_next(struct metrics_page *page,
                       struct page_series *ret_series)
{
    while (!page->error[0] && page->at < page->length) {
        struct line line = {page->text + page->at, NULL};
        line.end = memchr(line.at, '\n', page->length - page->at);
        page->line++;
        if (!line.end) {
            return page_fail(page, "the page ends in the middle of a line");
        }
        page->at = (size_t)(line.end - page->text) + 1;
        if (page->ended) {
            return page_fail(page, "something stands behind # EOF");
        }
        skip_blanks(&line);
        if (line.at == line.end) {
            continue;
        }
        if (*line.at != '#') {
            return read_series(page, &line, ret_series);
        }
        (void)read_comment(page, &line);
    }
    return false;
}
