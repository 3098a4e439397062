#include "policies/read/selector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/memory.h"

/* The text that is read, and where to say what is wrong. */
struct reader {
    const char *text, *at;
    char *error;
    size_t size;
};

static bool read_fail(struct reader *reader, const char *what)
{
    (void)snprintf(reader->error, reader->size, "%s", what);
    return false;
}

static void read_blanks(struct reader *reader)
{
    reader->at += strspn(reader->at, " \t\n");
}

static bool read_byte(struct reader *reader, char byte)
{
    read_blanks(reader);
    if (*reader->at != byte) {
        return false;
    }
    reader->at++;
    return true;
}

/* A name, NULL when there is none.  Owned by the caller. */
static char *read_name(struct reader *reader, const char *more)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    read_blanks(reader);
    size_t length = 0;
    char byte = *reader->at;
    while (byte && (strchr(letters, byte) || strchr(more, byte))) {
        byte = reader->at[++length];
    }
    if (length == 0 || (*reader->at >= '0' && *reader->at <= '9')) {
        return NULL;
    }
    char *name = memory_zeroed(1, length + 1);
    memcpy(name, reader->at, length);
    reader->at += length;
    return name;
}

/* "..." or '...' with \\ \" \' \n, or `...` as it is.  NULL with an error.
 * Owned by the caller. */
static char *read_string(struct reader *reader)
{
    read_blanks(reader);
    char quote = *reader->at;
    if (quote != '"' && quote != '\'' && quote != '`') {
        (void)read_fail(reader, "a quoted value is expected");
        return NULL;
    }
    const char *at = reader->at + 1;
    char *value = memory_zeroed(1, strlen(at) + 1), *end = value;
    for (; *at && *at != quote; at++) {
        char byte = *at;
        if (byte == '\\' && quote != '`') {
            byte = *++at;
            if (!byte || !strchr("\\\"'n", byte)) {
                reader->at = at - 1;
                (void)read_fail(reader, "only \\\\ \\\" \\' \\n are known "
                                        "behind a backslash; use `...`");
                free(value);
                return NULL;
            }
            byte = byte == 'n' ? '\n' : byte;
        }
        *end++ = byte;
    }
    if (!*at) {
        (void)read_fail(reader, "the quote is not closed");
        free(value);
        return NULL;
    }
    reader->at = at + 1;
    return value;
}

static bool read_match(struct reader *reader, enum match *ret_match)
{
    static const struct {
        const char *sign;
        enum match match;
    } signs[] = {{"=~", MATCH_LIKE},
                 {"!~", MATCH_NOT_LIKE},
                 {"!=", MATCH_NOT_EQUAL},
                 {"=", MATCH_EQUAL}};
    read_blanks(reader);
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        size_t length = strlen(signs[i].sign);
        if (strncmp(reader->at, signs[i].sign, length) == 0) {
            reader->at += length;
            *ret_match = signs[i].match;
            return true;
        }
    }
    return read_fail(reader, "one of = != =~ !~ is expected");
}

/* What RE2 and POSIX read alike, in bounded time.  NULL, or what is not. */
static const char *pattern_fault(const char *pattern)
{
    bool in_brackets = false;
    if (strlen(pattern) > SELECTOR_PATTERN_MAX) {
        return "the pattern is longer than 256 bytes";
    }
    for (const char *at = pattern; *at; at++) {
        if (*at == '\\') {
            char next = at[1];
            if (in_brackets || !next || !strchr(".*+?()[]{}|^$\\/-", next)) {
                return "a backslash may only stand before a sign, outside "
                       "brackets";
            }
            at++;
        } else if (in_brackets) {
            in_brackets = *at != ']';
        } else if (*at == '[') {
            in_brackets = true;
            at += at[1] == '^';
            at += at[1] == ']'; /* stands for itself there */
        } else if (*at == '{') {
            return "counts in braces are not supported";
        } else if (strchr("*+?", *at) && at[1] && strchr("*+?", at[1])) {
            return "one repetition behind another is not supported";
        } else if (*at == '(' && at[1] == '?') {
            return "groups with (? are not supported";
        }
    }
    return NULL;
}

static bool compile(struct reader *reader, struct matcher *matcher)
{
    char whole[SELECTOR_PATTERN_MAX + 8], what[160], words[64];
    const char *fault = pattern_fault(matcher->value);
    if (fault) {
        return read_fail(reader, fault);
    }
    (void)snprintf(whole, sizeof(whole), "^(%s)$", matcher->value);
    int code = regcomp(&matcher->pattern, whole, REG_EXTENDED | REG_NOSUB);
    if (code != 0) {
        (void)regerror(code, &matcher->pattern, words, sizeof(words));
        (void)snprintf(what, sizeof(what), "the pattern before: %s", words);
        return read_fail(reader, what);
    }
    return true;
}

static void matcher_free(struct matcher *matcher)
{
    free(matcher->label);
    free(matcher->value);
}

static bool read_matcher(struct reader *reader, struct selector *selector)
{
    if (selector->count == SELECTOR_MATCHERS_MAX) {
        return read_fail(reader, "more than 16 labels");
    }
    struct matcher matcher = {.label = read_name(reader, "")};
    if (!matcher.label) {
        return read_fail(reader, "a label's name is expected");
    }
    if (read_match(reader, &matcher.match)) {
        matcher.value = read_string(reader);
    }
    bool is_pattern =
        matcher.match == MATCH_LIKE || matcher.match == MATCH_NOT_LIKE;
    if (!matcher.value || (is_pattern && !compile(reader, &matcher))) {
        matcher_free(&matcher);
        return false;
    }
    selector->matchers[selector->count++] = matcher;
    return true;
}

static bool read_matchers(struct reader *reader, struct selector *selector)
{
    bool first = true;
    while (!read_byte(reader, '}')) {
        if (!first && !read_byte(reader, ',')) {
            return read_fail(reader, "',' or '}' is expected");
        }
        if (!first && read_byte(reader, '}')) {
            return true; /* a comma may end the list */
        }
        if (!read_matcher(reader, selector)) {
            return false;
        }
        first = false;
    }
    return true;
}

struct selector *selector_read(const char *text, size_t *ret_at,
                               char *ret_error, size_t size)
{
    struct reader reader = {text, text, ret_error, size};
    struct selector *selector = memory_zeroed(1, sizeof(*selector));
    bool good = true;
    selector->name = read_name(&reader, ":");
    if (!selector->name) {
        good = read_fail(&reader, "the name of a metric is expected");
    }
    if (good && read_byte(&reader, '{')) {
        good = read_matchers(&reader, selector);
    }
    read_blanks(&reader);
    if (good && *reader.at) {
        good = read_fail(&reader, "a selector is name{label=\"value\"} and "
                                  "nothing else");
    }
    if (!good) {
        *ret_at = (size_t)(reader.at - reader.text);
        selector_free(selector);
        return NULL;
    }
    return selector;
}

void selector_free(struct selector *selector)
{
    if (!selector) {
        return;
    }
    for (size_t i = 0; i < selector->count; i++) {
        struct matcher *matcher = &selector->matchers[i];
        if (matcher->match == MATCH_LIKE || matcher->match == MATCH_NOT_LIKE) {
            regfree(&matcher->pattern);
        }
        matcher_free(matcher);
    }
    free(selector->name);
    free(selector);
}

/* regexec() wants a NUL behind the value; most are short. */
static bool is_like(const regex_t *pattern, const char *value, size_t length)
{
    char copy[256];
    if (length < sizeof(copy)) {
        memcpy(copy, value, length);
        copy[length] = '\0';
        return regexec(pattern, copy, 0, NULL, 0) == 0;
    }
    char *longer = memory_zeroed(1, length + 1);
    memcpy(longer, value, length);
    bool like = regexec(pattern, longer, 0, NULL, 0) == 0;
    free(longer);
    return like;
}

static bool is_equal(const char *wanted, const char *value, size_t length)
{
    return strlen(wanted) == length && memcmp(wanted, value, length) == 0;
}

bool matcher_accepts(const struct matcher *matcher, const char *value,
                     size_t length)
{
    switch (matcher->match) {
    case MATCH_EQUAL:
        return is_equal(matcher->value, value, length);
    case MATCH_NOT_EQUAL:
        return !is_equal(matcher->value, value, length);
    case MATCH_LIKE:
    case MATCH_NOT_LIKE:
        break;
    }
    bool like = is_like(&matcher->pattern, value, length);
    return like == (matcher->match == MATCH_LIKE);
}
