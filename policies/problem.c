#include "policies/problem.h"

#include "policies/utf8.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

/* --- Collecting ----------------------------------------------------------- */

void problems_init(struct problems *problems, const char *path)
{
    memset(problems, 0, sizeof(*problems));
    (void)snprintf(problems->path, sizeof(problems->path), "%s", path);
}

/* Where the next problem goes.  Errors are worth more than warnings: in a
 * full list an error takes the place of the last warning. */
static struct problem *next_slot(struct problems *problems,
                                 enum problem_kind kind)
{
    if (problems->count < PROBLEMS_MAX) {
        return &problems->list[problems->count++];
    }
    problems->cut = true;
    for (size_t i = PROBLEMS_MAX; kind == PROBLEM_ERROR && i > 0; i--) {
        if (problems->list[i - 1].kind == PROBLEM_WARNING) {
            return &problems->list[i - 1];
        }
    }
    return &problems->scratch;
}

__attribute__((format(printf, 5, 0))) static struct problem *
add_problem(struct problems *problems, enum problem_kind kind, int line,
            int column, const char *format, va_list arguments)
{
    struct problem *problem = next_slot(problems, kind);
    char text[PROBLEM_TEXT_MAX];

    memset(problem, 0, sizeof(*problem));
    if (kind == PROBLEM_ERROR) {
        problems->errors++;
    }
    problem->kind = kind;
    problem->line = line;
    problem->column = column;
    problem->length = 1;
    (void)snprintf(problem->path, sizeof(problem->path), "%s", problems->path);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    text_escape(text, problem->text, sizeof(problem->text));
    return problem;
}

struct problem *problems_error(struct problems *problems, int line, int column,
                               const char *format, ...)
{
    va_list arguments;
    struct problem *problem = NULL;

    va_start(arguments, format);
    problem =
        add_problem(problems, PROBLEM_ERROR, line, column, format, arguments);
    va_end(arguments);
    return problem;
}

struct problem *problems_warning(struct problems *problems, int line,
                                 int column, const char *format, ...)
{
    va_list arguments;
    struct problem *problem = NULL;

    va_start(arguments, format);
    problem =
        add_problem(problems, PROBLEM_WARNING, line, column, format, arguments);
    va_end(arguments);
    return problem;
}

/* --- Escaping --------------------------------------------------------------
 */

/* Append one character, escaped when need be.  False when there is no room
 * for it and for an ellipsis after it. */
static bool escape_character(const char *text, size_t length, bool plain,
                             char *escaped, size_t size, size_t *used)
{
    size_t needed = plain ? length : 4 * length;

    if (*used + needed + sizeof("...") > size) {
        return false;
    }
    if (plain) {
        memcpy(escaped + *used, text, length);
    } else {
        for (size_t i = 0; i < length; i++) {
            (void)snprintf(escaped + *used + 4 * i, size - *used - 4 * i,
                           "\\x%02x", (unsigned char)text[i]);
        }
    }
    *used += needed;
    escaped[*used] = '\0';
    return true;
}

/* Would the whole rest fit, without an ellipsis? */
static bool rest_fits(const char *text, size_t left, size_t room)
{
    size_t needed = 0;

    for (size_t at = 0; at < left && needed < room;) {
        uint32_t code = 0;
        size_t length = utf8_decode(text + at, left - at, &code);
        bool plain = length > 0 && utf8_is_printable(code);

        length = length == 0 ? 1 : length;
        needed += plain ? length : 4 * length;
        at += length;
    }
    return needed < room;
}

static void escape_bytes(const char *text, size_t total, char *ret_escaped,
                         size_t size)
{
    size_t used = 0;
    bool whole = false;

    assert(size > 0);
    ret_escaped[0] = '\0';
    whole = rest_fits(text, total, size);
    for (size_t at = 0; at < total;) {
        uint32_t code = 0;
        size_t length = utf8_decode(text + at, total - at, &code);
        bool plain = length > 0 && utf8_is_printable(code);

        length = length == 0 ? 1 : length;
        if (!escape_character(text + at, length, plain, ret_escaped,
                              whole ? size + sizeof("...") : size, &used)) {
            (void)snprintf(ret_escaped + used, size - used, "...");
            return;
        }
        at += length;
    }
}

void text_escape(const char *text, char *ret_escaped, size_t size)
{
    escape_bytes(text, strlen(text), ret_escaped, size);
}

/* --- Printing ------------------------------------------------------------- */

/* The most of a source line that is shown, in code points. */
#define SHOWN_MAX 120

struct style {
    const char *bold, *error, *warning, *caret, *plain;
};

static const struct style no_style = {"", "", "", "", ""};
static const struct style ansi_style = {"\033[1m", "\033[1;31m", "\033[1;35m",
                                        "\033[1;32m", "\033[0m"};

/* The bytes of line @line of @source, without its end.  False when there is
 * no such line. */
static bool find_line(const char *source, size_t length, int line,
                      const char **ret_start, size_t *ret_length)
{
    const char *start = source;
    const char *end = source + length;
    const char *stop = NULL;

    for (int i = 1; i < line; i++) {
        start = memchr(start, '\n', (size_t)(end - start));
        if (start == NULL) {
            return false;
        }
        start++;
    }
    stop = memchr(start, '\n', (size_t)(end - start));
    stop = stop == NULL ? end : stop;
    if (stop > start && stop[-1] == '\r') {
        stop--;
    }
    *ret_start = start;
    *ret_length = (size_t)(stop - start);
    return true;
}

/* Print the code points [from, to) of a line; one column each, so that the
 * caret stands under its place. */
static void print_columns(const char *line, size_t length, int from, int to,
                          FILE *out)
{
    size_t at = 0;

    for (int column = 0; at < length && column < to; column++) {
        uint32_t code = 0;
        size_t bytes = utf8_decode(line + at, length - at, &code);

        if (column >= from) {
            if (bytes == 0) {
                (void)fputc('?', out);
            } else if (code == '\t') {
                (void)fputc(' ', out);
            } else if (!utf8_is_printable(code)) {
                (void)fputc('?', out);
            } else {
                (void)fwrite(line + at, 1, bytes, out);
            }
        }
        at += bytes == 0 ? 1 : bytes;
    }
    (void)fputc('\n', out);
}

/* The source line and the caret under the place. */
static void print_place(const struct problem *problem, const char *source,
                        size_t source_length, const struct style *style,
                        FILE *out)
{
    const char *line = NULL;
    size_t length = 0;
    int column = problem->column - 1;
    int from = 0;

    if (source == NULL || problem->line < 1 || column < 0 ||
        !find_line(source, source_length, problem->line, &line, &length)) {
        return;
    }
    if (problem->line == 1 && length >= 3 &&
        memcmp(line, "\xef\xbb\xbf", 3) == 0) {
        line += 3; /* columns do not count a byte order mark */
        length -= 3;
    }
    if (column >= SHOWN_MAX) {
        from = column - SHOWN_MAX / 2;
    }
    print_columns(line, length, from, from + SHOWN_MAX, out);
    (void)fprintf(out, "%*s%s^", column - from, "", style->caret);
    for (int i = 1; i < problem->length && column + i < from + SHOWN_MAX; i++) {
        (void)fputc('~', out);
    }
    (void)fprintf(out, "%s\n", style->plain);
}

static void print_problem(const struct problem *problem, const char *source,
                          size_t length, const struct style *style, FILE *out)
{
    char path[PROBLEM_PATH_MAX];
    bool error = problem->kind == PROBLEM_ERROR;

    text_escape(problem->path, path, sizeof(path));
    (void)fputs(style->bold, out);
    if (path[0] != '\0') {
        (void)fprintf(out, "%s:", path);
    }
    if (problem->line > 0) {
        (void)fprintf(out, "%d:%d:", problem->line, problem->column);
    }
    (void)fprintf(out, "%s%s%s%s%s: %s", style->plain,
                  path[0] != '\0' || problem->line > 0 ? " " : "",
                  error ? style->error : style->warning,
                  error ? "error" : "warning", style->plain, style->bold);
    (void)fprintf(out, "%s%s\n", problem->text, style->plain);
    print_place(problem, source, length, style, out);
    if (problem->note[0] != '\0') {
        (void)fprintf(out, "  note: %s\n", problem->note);
    }
    if (problem->fix[0] != '\0') {
        (void)fprintf(out, "  write: %s\n", problem->fix);
    }
}

/* In order of place; problems without a place first, equals as they came. */
static bool comes_before(const struct problem *a, const struct problem *b)
{
    if (a->line != b->line) {
        return a->line < b->line;
    }
    return a->column < b->column;
}

void problems_print(const struct problems *problems, const char *source,
                    size_t length, bool colour, FILE *out)
{
    const struct style *style = colour ? &ansi_style : &no_style;
    size_t order[PROBLEMS_MAX];

    for (size_t i = 0; i < problems->count; i++) {
        size_t at = i;

        for (; at > 0 &&
               comes_before(&problems->list[i], &problems->list[order[at - 1]]);
             at--) {
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
    for (size_t i = 0; i < problems->count; i++) {
        print_problem(&problems->list[order[i]], source, length, style, out);
    }
    if (problems->cut) {
        char path[PROBLEM_PATH_MAX];

        text_escape(problems->path, path, sizeof(path));
        (void)fprintf(out, "%s: more problems follow; these are %d of them\n",
                      path, PROBLEMS_MAX);
    }
}

/* --- Did you mean --------------------------------------------------------- */

#define WORD_MAX 64

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edit distance where swapping two neighbours is one edit. */
static size_t edit_distance(const char *a, size_t a_length, const char *b,
                            size_t b_length)
{
    size_t rows[3][WORD_MAX + 1];

    for (size_t j = 0; j <= b_length; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3];
        const size_t *above_that = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t change = a[i - 1] == b[j - 1] ? 0 : 1;

            row[j] = least_of(above[j] + 1, row[j - 1] + 1);
            row[j] = least_of(row[j], above[j - 1] + change);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
                a[i - 2] == b[j - 1]) {
                row[j] = least_of(row[j], above_that[j - 2] + 1);
            }
        }
    }
    return rows[a_length % 3][b_length];
}

const char *nearest_name(const char *word, const char *const *names,
                         size_t count)
{
    size_t length = strlen(word);
    size_t best = (length + 1) / 3; /* a third of the letters may be wrong */
    const char *nearest = NULL;

    if (length > WORD_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        size_t name_length = strlen(names[i]);
        size_t distance = 0;

        if (name_length > WORD_MAX) {
            continue;
        }
        distance = edit_distance(word, length, names[i], name_length);
        if (distance < best || (distance == best && nearest == NULL)) {
            best = distance;
            nearest = names[i];
        }
    }
    return nearest;
}
