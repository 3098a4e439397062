#include "policies/problem.h"

#include "policies/utf8.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

/* --- Rules ---------------------------------------------------------------- */

static const struct {
    const char *id, *text;
} rules[] = {
    [RULE_FILE] = {"file", "The file can be read, and is not too large."},
    [RULE_YAML] = {"yaml", "The file is YAML or JSON, without what reads "
                           "otherwise than it looks."},
    [RULE_FORM] = {"form", "What must be there is there, as a value of the "
                           "kind that is wanted."},
    [RULE_UNKNOWN_KEY] = {"unknown-key", "A key is one that is known there."},
    [RULE_SIGNAL] = {"signal", "A signal has a name, one origin and what "
                               "belongs to it."},
    [RULE_SYNTAX] = {"expression-syntax", "An expression follows the grammar, "
                                          "within its limits."},
    [RULE_UNKNOWN_NAME] = {"unknown-name", "An expression names signals and "
                                           "facts that there are."},
    [RULE_UNIT] = {"unit", "What is compared, added or held has units and "
                           "types that allow it."},
    [RULE_FUNCTION] = {"function", "A function is known, and its arguments "
                                   "and windows are what it wants."},
    [RULE_TREE] = {"tree", "The tree is made of questions and leaves, each "
                           "with what belongs to it."},
    [RULE_COST] = {"cost", "A policy stays within what a look and a release's "
                           "memory may cost."},
    [RULE_RIVALS] = {"rivals", "No two policies match a release equally."},
    [RULE_CONFIGURATION] = {"configuration", "The daemon's configuration can "
                                             "be put into force."},
    [RULE_REFERENCE] = {"reference", "A policy names sources, notices and "
                                     "actions that the configuration has."},
    [RULE_QUERY] = {"query", "A query is answered, with one series for what "
                             "is selected."},
    [RULE_ONLY_OBSERVES] = {"only-observes", "A policy says in which mode it "
                                             "acts."},
    [RULE_UNASKED_ROLLBACK] = {"unasked-rollback",
                               "A rollback asks before whether going back is "
                               "safe."},
    [RULE_UNSEEN_TRIGGER] = {"unseen-trigger", "A question that may excuse a "
                                               "release looks at what "
                                               "triggered."},
    [RULE_SHORT_SETTLE] =
        {"short-settle",
         "A release settles at least as long as the queries look back."},
};

const char *problem_rule_id(enum problem_rule rule)
{
    assert(rule < RULE_LAST);
    return rules[rule].id;
}

const char *problem_rule_text(enum problem_rule rule)
{
    assert(rule < RULE_LAST);
    return rules[rule].text;
}

/* --- Collecting ----------------------------------------------------------- */

void problems_init(struct problems *problems, const char *path)
{
    memset(problems, 0, sizeof(*problems));
    (void)snprintf(problems->path, sizeof(problems->path), "%s", path);
}

enum problem_rule problems_about(struct problems *problems,
                                 enum problem_rule rule)
{
    enum problem_rule before = problems->rule;

    problems->rule = rule;
    return before;
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
    problem->rule = problems->rule;
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

__attribute__((format(printf, 3, 0))) static void
put_text(char *text, size_t size, const char *format, va_list arguments)
{
    char plain[PROBLEM_TEXT_MAX];

    (void)vsnprintf(plain, sizeof(plain), format, arguments);
    text_escape(plain, text, size);
}

void problem_note(struct problem *problem, int line, int column,
                  const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    put_text(problem->note, sizeof(problem->note), format, arguments);
    va_end(arguments);
    problem->note_line = line;
    problem->note_column = column;
}

void problem_fix(struct problem *problem, const char *format, ...)
{
    va_list arguments;
    int length = 0;

    va_start(arguments, format);
    length = vsnprintf(problem->fix, sizeof(problem->fix), format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof(problem->fix) ||
        strchr(problem->fix, '\n') != NULL) {
        problem->fix[0] = '\0';
    }
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

bool text_has_control(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            return true;
        }
    }
    return false;
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

/* The file that the problems are about. */
struct source {
    const char *text; /* NULL: there is none to show */
    size_t length;
};

/* The bytes of line @line of @source, without its end.  False when there is
 * no such line. */
static bool find_line(const struct source *source, int line,
                      const char **ret_start, size_t *ret_length)
{
    const char *start = source->text;
    const char *end = source->text + source->length;
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
}

/* A place in the source, @length code points long. */
struct spot {
    int line, column, length;
};

/* Its line, without a byte order mark, which columns do not count. */
static bool find_spot(const struct source *source, const struct spot *spot,
                      const char **ret_line, size_t *ret_length)
{
    if (source->text == NULL || spot->line < 1 || spot->column < 1 ||
        !find_line(source, spot->line, ret_line, ret_length)) {
        return false;
    }
    if (spot->line == 1 && *ret_length >= 3 &&
        memcmp(*ret_line, "\xef\xbb\xbf", 3) == 0) {
        *ret_line += 3;
        *ret_length -= 3;
    }
    return true;
}

/* The source line and the caret under the place. */
static void print_place(const struct spot *spot, const struct source *source,
                        const struct style *style, FILE *out)
{
    const char *line = NULL;
    size_t length = 0;
    int column = spot->column - 1;
    int from = 0;

    if (!find_spot(source, spot, &line, &length)) {
        return;
    }
    if (column >= SHOWN_MAX) {
        from = column - SHOWN_MAX / 2;
    }
    print_columns(line, length, from, from + SHOWN_MAX, out);
    (void)fputc('\n', out);
    (void)fprintf(out, "%*s%s^", column - from, "", style->caret);
    for (int i = 1; i < spot->length && column + i < from + SHOWN_MAX; i++) {
        (void)fputc('~', out);
    }
    (void)fprintf(out, "%s\n", style->plain);
}

void problem_place(const struct problem *problem, char *ret_text, size_t size)
{
    char path[PROBLEM_PATH_MAX];

    text_escape(problem->path, path, sizeof(path));
    if (problem->line > 0) {
        (void)snprintf(ret_text, size, "%s%s%d:%d", path,
                       path[0] != '\0' ? ":" : "", problem->line,
                       problem->column);
    } else {
        (void)snprintf(ret_text, size, "%s", path);
    }
}

/* "path:14:9:", as much of it as there is, and a blank. */
static void print_where(const struct problem *problem, const struct spot *spot,
                        const struct style *style, FILE *out)
{
    char path[PROBLEM_PATH_MAX];

    text_escape(problem->path, path, sizeof(path));
    (void)fputs(style->bold, out);
    if (path[0] != '\0') {
        (void)fprintf(out, "%s:", path);
    }
    if (spot->line > 0) {
        (void)fprintf(out, "%d:%d:", spot->line, spot->column);
    }
    (void)fprintf(out, "%s%s", style->plain,
                  path[0] != '\0' || spot->line > 0 ? " " : "");
}

static void print_note(const struct problem *problem,
                       const struct source *source, const struct style *style,
                       FILE *out)
{
    struct spot spot = {problem->note_line, problem->note_column, 1};

    if (spot.line == 0) {
        (void)fprintf(out, "  note: %s\n", problem->note);
        return;
    }
    print_where(problem, &spot, style, out);
    (void)fprintf(out, "%snote%s: %s\n", style->bold, style->plain,
                  problem->note);
    print_place(&spot, source, style, out);
}

/* Does the sentence itself say what to write, in quotes? */
static bool is_said(const struct problem *problem)
{
    char quoted[PROBLEM_TEXT_MAX + 4];
    size_t length = strlen(problem->fix);
    bool own = length > 2 && problem->fix[0] == '"';

    (void)snprintf(quoted, sizeof(quoted), "'%.*s'",
                   (int)(own ? length - 2 : length),
                   problem->fix + (own ? 1 : 0));
    return strstr(problem->text, quoted) != NULL;
}

static void print_fix(const struct problem *problem,
                      const struct source *source, const struct style *style,
                      FILE *out)
{
    struct spot spot = {problem->fix_line, problem->fix_column,
                        problem->fix_length};
    char fix[PROBLEM_TEXT_MAX];
    const char *line = NULL;
    size_t length = 0;

    if (spot.line == 0) {
        spot = (struct spot){problem->line, problem->column, problem->length};
    }
    text_escape(problem->fix, fix, sizeof(fix));
    (void)fprintf(out, "  %sfix%s: ", style->caret, style->plain);
    if (!find_spot(source, &spot, &line, &length)) {
        (void)fprintf(out, "%s\n", fix);
    } else if (spot.length == 0) {
        (void)fprintf(out, "put in %s\n", fix);
    } else {
        print_columns(line, length, spot.column - 1,
                      spot.column - 1 + spot.length, out);
        (void)fprintf(out, " -> %s\n", fix);
    }
}

static void print_problem(const struct problem *problem,
                          const struct source *source,
                          const struct style *style, FILE *out)
{
    bool error = problem->kind == PROBLEM_ERROR;
    struct spot spot = {problem->line, problem->column, problem->length};

    print_where(problem, &spot, style, out);
    (void)fprintf(out, "%s%s%s: %s%s%s\n",
                  error ? style->error : style->warning,
                  error ? "error" : "warning", style->plain, style->bold,
                  problem->text, style->plain);
    print_place(&spot, source, style, out);
    if (problem->note[0] != '\0') {
        print_note(problem, source, style, out);
    }
    if (problem->fix[0] != '\0' && !is_said(problem)) {
        print_fix(problem, source, style, out);
    }
}

static bool comes_before(const struct problem *a, const struct problem *b)
{
    if (a->line != b->line) {
        return a->line < b->line;
    }
    return a->column < b->column;
}

void problems_order(const struct problems *problems,
                    size_t ret_order[PROBLEMS_MAX])
{
    for (size_t i = 0; i < problems->count; i++) {
        size_t at = i;

        for (; at > 0 && comes_before(&problems->list[i],
                                      &problems->list[ret_order[at - 1]]);
             at--) {
            ret_order[at] = ret_order[at - 1];
        }
        ret_order[at] = i;
    }
}

void problems_print(const struct problems *problems, const char *source,
                    size_t length, bool colour, FILE *out)
{
    const struct style *style = colour ? &ansi_style : &no_style;
    const struct source text = {source, length};
    size_t order[PROBLEMS_MAX];

    problems_order(problems, order);
    for (size_t i = 0; i < problems->count; i++) {
        print_problem(&problems->list[order[i]], &text, style, out);
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
