#include "policies/explain/explain.h"

#include "policies/problem.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

/* Texts longer than this are cut with an ellipsis. */
#define SHOWN_MAX 4096
/* A tree that a policy can have is POLICY_DEPTH_MAX deep. */
#define FRAMES_MAX    (3 * (POLICY_DEPTH_MAX + 1))
#define COLUMNS_LEAST 40

enum colour { PLAIN, BOLD, DIM, RED, YELLOW, GREEN };

struct page {
    FILE *out;
    bool coloured;
    int columns;
};

/* --- Words on the page ---------------------------------------------------- */

static void paint(const struct page *page, enum colour colour)
{
    static const char *const codes[] = {
        [PLAIN] = "\033[0m",  [BOLD] = "\033[1m",      [DIM] = "\033[2m",
        [RED] = "\033[1;31m", [YELLOW] = "\033[1;33m", [GREEN] = "\033[1;32m",
    };

    if (page->coloured) {
        (void)fputs(codes[colour], page->out);
    }
}

/* Characters, not bytes: what continues a UTF-8 sequence takes no column. */
static int width_of(const char *text, size_t length)
{
    int width = 0;

    for (size_t i = 0; i < length; i++) {
        width += ((unsigned char)text[i] & 0xc0) != 0x80;
    }
    return width;
}

/* Bytes up to the next blank at which a line may break: not before a unit, as
 * in `1.5 s`. */
static size_t unbroken(const char *text)
{
    size_t length = strcspn(text, " ");

    while (length > 0 && text[length] == ' ' &&
           isdigit((unsigned char)text[length - 1]) &&
           isalpha((unsigned char)text[length + 1])) {
        length += 1 + strcspn(text + length + 1, " ");
    }
    return length;
}

/* A blank, or a new line that begins at @hang when @width more characters do
 * not fit at column @at.  Returns the column then. */
static int print_blank(const struct page *page, int at, int hang, int width)
{
    if (at + 1 + width > page->columns && at > hang) {
        (void)fprintf(page->out, "\n%*s", hang, "");
        return hang;
    }
    (void)fputc(' ', page->out);
    return at + 1;
}

/* Print @text at column @at (the cursor is there), broken at blanks so that
 * it stays within the page; further lines begin at @hang.  Returns the column
 * after it. */
static int print_broken(const struct page *page, int at, int hang,
                        const char *text)
{
    bool first = true;

    while (*text != '\0') {
        size_t length = unbroken(text);
        int width = width_of(text, length);

        if (!first) {
            at = print_blank(page, at, hang, width);
        }
        (void)fprintf(page->out, "%.*s", (int)length, text);
        at += width;
        first = false;
        text += length;
        text += strspn(text, " ");
    }
    return at;
}

/* The text under @key, safe to print, line ends as blanks; "" if missing. */
static const char *text_under(const json_t *object, const char *key,
                              char shown[SHOWN_MAX])
{
    const char *text = json_string_value(json_object_get(object, key));
    char flat[SHOWN_MAX];
    size_t used = 0;

    for (; text != NULL && *text != '\0' && used < sizeof(flat) - 1; text++) {
        flat[used++] = strchr("\n\t", *text) != NULL ? ' ' : *text;
    }
    flat[used] = '\0';
    text_escape(flat, shown, SHOWN_MAX);
    return shown;
}

static bool is_under(const json_t *object, const char *key, const char *text)
{
    const char *value = json_string_value(json_object_get(object, key));

    return value != NULL && strcmp(value, text) == 0;
}

/* --- The verdict ---------------------------------------------------------- */

static enum colour colour_of_leaf(const json_t *object, const char *key)
{
    if (is_under(object, key, "rollback")) {
        return RED;
    }
    if (is_under(object, key, "hold") || is_under(object, key, "page")) {
        return YELLOW;
    }
    return is_under(object, key, "healthy") ? GREEN : BOLD;
}

/* `page: load, not the release`, or just `healthy`. */
static void print_leaf(const struct page *page, int at, const char *name,
                       const char *text)
{
    (void)fputs(name, page->out);
    if (text[0] != '\0' && strcmp(name, text) != 0) {
        (void)fputs(": ", page->out);
        (void)print_broken(page, at + width_of(name, strlen(name)) + 2, at + 2,
                           text);
    }
}

#define DIGEST_SHOWN 12

static void print_verdict(const struct page *page, const json_t *explanation)
{
    char name[SHOWN_MAX], text[SHOWN_MAX];
    int at = 0;

    paint(page, colour_of_leaf(explanation, "verdict"));
    print_leaf(page, 0, text_under(explanation, "verdict", name),
               text_under(explanation, "text", text));
    paint(page, PLAIN);
    (void)fputs("\n  judged at ", page->out);
    at = print_broken(page, 12, 4, text_under(explanation, "at", text));
    (void)fputs(" by policy", page->out);
    text_under(explanation, "policy", text);
    at = print_blank(page, at + 10, 4, width_of(text, strlen(text)));
    at = print_broken(page, at, 4, text);
    (void)print_blank(page, at, 4, DIGEST_SHOWN + 2);
    (void)fprintf(page->out, "(%.*s)\n", DIGEST_SHOWN,
                  text_under(explanation, "digest", text));
    if (json_is_true(json_object_get(explanation, "unsure"))) {
        (void)fputs("  not sure: an answer on the way is unknown\n", page->out);
    }
}

/* --- The tree ------------------------------------------------------------- */

/* A node of the tree that waits to be printed, with what leads to it. */
struct frame {
    const json_t *node;
    int depth;
    const char *label; /* "yes", "yes, unknown", ...; "" at the root */
};

struct frames {
    size_t count;
    struct frame list[FRAMES_MAX];
};

static bool is_taken(const json_t *node)
{
    return json_is_true(json_object_get(node, "taken"));
}

static void push(struct frames *frames, const json_t *node, int depth,
                 const char *label)
{
    if (json_is_object(node) && frames->count < FRAMES_MAX) {
        frames->list[frames->count++] = (struct frame){node, depth, label};
    }
}

/* Printed in the order yes, no, unknown, but the one taken last, so that the
 * path ends where the page ends. */
static void push_branches(struct frames *frames, const json_t *question,
                          int depth)
{
    bool with_yes = is_under(question, "unknown", "then");
    bool with_no = is_under(question, "unknown", "else");
    const struct frame branches[] = {
        {json_object_get(question, "unknown"), depth, "unknown"},
        {json_object_get(question, "else"), depth,
         with_no ? "no or unknown" : "no"},
        {json_object_get(question, "then"), depth,
         with_yes ? "yes or unknown" : "yes"},
    };

    for (int taken = 1; taken >= 0; taken--) {
        for (size_t i = 0; i < 3; i++) {
            if (is_taken(branches[i].node) == (taken == 1)) {
                push(frames, branches[i].node, branches[i].depth,
                     branches[i].label);
            }
        }
    }
}

static enum colour colour_of_answer(const json_t *object)
{
    return is_under(object, "answer", "unknown") ? YELLOW : BOLD;
}

/* What follows an answer: ` (stale)`, ` (now yes)`.  At a question "unknown"
 * is a branch. */
static void answer_notes(const json_t *object, char notes[SHOWN_MAX])
{
    char text[SHOWN_MAX];

    notes[0] = '\0';
    if (json_object_get(object, "question") != NULL) {
        return;
    }
    if (text_under(object, "unknown", text)[0] != '\0') {
        (void)snprintf(notes, SHOWN_MAX, " (%.60s)", text);
    }
    if (text_under(object, "now", text)[0] != '\0') {
        size_t used = strlen(notes);

        (void)snprintf(notes + used, SHOWN_MAX - used, " (now %.60s)", text);
    }
}

/* After a text that ends at column @at. */
static void print_answer(const struct page *page, int at, int hang,
                         const json_t *object)
{
    char answer[SHOWN_MAX], notes[SHOWN_MAX];

    text_under(object, "answer", answer);
    answer_notes(object, notes);
    (void)print_blank(page, at, hang,
                      width_of(answer, strlen(answer)) +
                          width_of(notes, strlen(notes)));
    paint(page, colour_of_answer(object));
    (void)fputs(answer, page->out);
    paint(page, PLAIN);
    (void)fprintf(page->out, "%s\n", notes);
}

static void print_line(const struct page *page, int indent, const json_t *line)
{
    char text[SHOWN_MAX];
    json_int_t deeper = json_integer_value(json_object_get(line, "depth"));
    int at = indent + 2 * (int)(deeper < 0 || deeper > 16 ? 16 : deeper);

    if (at > page->columns / 2) {
        at = page->columns / 2;
    }
    text_under(line, "text", text);
    if (strlen(text) < sizeof(text) - 2) {
        memcpy(text + strlen(text), ":", 2);
    }
    (void)fprintf(page->out, "%*s", at, "");
    print_answer(page, print_broken(page, at, at + 4, text), at + 4, line);
}

static void print_lines(const struct page *page, int indent,
                        const json_t *lines)
{
    size_t i = 0;
    const json_t *line = NULL;

    json_array_foreach(lines, i, line)
    {
        print_line(page, indent, line);
    }
}

static void print_question(const struct page *page, int at, bool taken,
                           const json_t *node)
{
    char text[SHOWN_MAX];
    int after = 0;

    paint(page, taken ? BOLD : DIM);
    after = print_broken(page, at, at + 2, text_under(node, "question", text));
    paint(page, PLAIN);
    if (taken) {
        print_answer(page, after, at + 2, node);
    } else {
        (void)fputc('\n', page->out);
    }
}

/* A rollback's sentence stands on top already. */
static void print_branch_leaf(const struct page *page, int at, bool taken,
                              const json_t *node)
{
    char name[SHOWN_MAX], text[SHOWN_MAX];

    paint(page, taken ? colour_of_leaf(node, "leaf") : DIM);
    print_leaf(page, at, text_under(node, "leaf", name),
               is_under(node, "leaf", "rollback")
                   ? ""
                   : text_under(node, "text", text));
    paint(page, PLAIN);
    (void)fputc('\n', page->out);
}

static void print_node(const struct page *page, const struct frame *frame)
{
    bool taken = is_taken(frame->node);
    int indent = 2 * frame->depth;
    int at = indent + 2;

    paint(page, taken ? GREEN : DIM);
    (void)fprintf(page->out, "%*s%s ", indent, "", taken ? ">" : " ");
    if (frame->label[0] != '\0') {
        (void)fprintf(page->out, "%s: ", frame->label);
        at += (int)strlen(frame->label) + 2;
    }
    paint(page, PLAIN);
    if (json_object_get(frame->node, "leaf") != NULL) {
        print_branch_leaf(page, at, taken, frame->node);
        return;
    }
    print_question(page, at, taken, frame->node);
    print_lines(page, indent + 6, json_object_get(frame->node, "lines"));
}

static void print_tree(const struct page *page, const json_t *tree)
{
    struct frames frames = {0};

    push(&frames, tree, 0, "");
    while (frames.count > 0) {
        struct frame frame = frames.list[--frames.count];

        print_node(page, &frame);
        push_branches(&frames, frame.node, frame.depth + 1);
    }
}

/* --- Signals -------------------------------------------------------------- */

static void print_signal_value(const struct page *page, const json_t *signal)
{
    const json_t *value = json_object_get(signal, "value");
    char text[SHOWN_MAX], quantity[QUANTITY_TEXT_MAX];
    struct unit unit = {0, 0, 0};
    double scale = 0;

    if (json_is_boolean(value)) {
        (void)fputs(json_is_true(value) ? "yes" : "no", page->out);
    } else if (!json_is_number(value)) {
        (void)fprintf(page->out, "unknown (%s)",
                      text_under(signal, "unknown", text));
    } else if (unit_of_name(text_under(signal, "unit", text), &unit, &scale)) {
        (void)fputs(quantity_print(json_number_value(value), unit, quantity),
                    page->out);
    } else {
        (void)fprintf(page->out, "%.4g %s", json_number_value(value), text);
    }
}

static void print_source_of(const struct page *page, const json_t *signal)
{
    char name[SHOWN_MAX], text[SHOWN_MAX];

    if (json_object_get(signal, "is") != NULL) {
        (void)fputs("      is: ", page->out);
        (void)print_broken(page, 10, 10, text_under(signal, "is", text));
    } else {
        text_under(signal, "from", name);
        (void)fprintf(page->out, "      %s: ", name);
        (void)print_broken(page, 8 + width_of(name, strlen(name)), 10,
                           text_under(signal, "query", text));
    }
    (void)fputc('\n', page->out);
}

static void print_select(const struct page *page, const json_t *select)
{
    const char *label = NULL;
    json_t *value = NULL;
    const char *comma = "";
    char shown[SHOWN_MAX];

    if (json_object_size(select) == 0) {
        return;
    }
    (void)fputs("      where ", page->out);
    json_object_foreach((json_t *)(uintptr_t)select, label, value)
    {
        text_escape(label, shown, sizeof(shown));
        (void)fprintf(page->out, "%s%s = ", comma, shown);
        text_escape(json_is_string(value) ? json_string_value(value)
                                          : "(not said)",
                    shown, sizeof(shown));
        (void)fputs(shown, page->out);
        comma = ", ";
    }
    (void)fputc('\n', page->out);
}

static void print_signals(const struct page *page, const json_t *signals)
{
    size_t i = 0;
    const json_t *signal = NULL;
    char text[SHOWN_MAX];

    json_array_foreach(signals, i, signal)
    {
        paint(page, BOLD);
        (void)fprintf(page->out, "  %s", text_under(signal, "name", text));
        paint(page, PLAIN);
        (void)fputs(" = ", page->out);
        print_signal_value(page, signal);
        (void)fputc('\n', page->out);
        print_source_of(page, signal);
        print_select(page, json_object_get(signal, "select"));
    }
}

/* --- All of it ------------------------------------------------------------ */

static struct page page_of(bool colour, int columns, FILE *out)
{
    assert(out != NULL);
    return (struct page){out, colour,
                         columns < COLUMNS_LEAST ? COLUMNS_LEAST : columns};
}

void explain_print_verdict(const json_t *explanation, bool colour, int columns,
                           FILE *out)
{
    const struct page page = page_of(colour, columns, out);

    print_verdict(&page, explanation);
    (void)fputc('\n', out);
    print_tree(&page, json_object_get(explanation, "tree"));
}

void explain_print_signals(const json_t *explanation, bool colour, int columns,
                           FILE *out)
{
    const struct page page = page_of(colour, columns, out);
    const json_t *signals = json_object_get(explanation, "signals");

    if (json_array_size(signals) > 0) {
        (void)fputs("signals\n", out);
        print_signals(&page, signals);
    }
}

void explain_print(const json_t *explanation, bool colour, int columns,
                   FILE *out)
{
    explain_print_verdict(explanation, colour, columns, out);
    if (json_array_size(json_object_get(explanation, "signals")) > 0) {
        (void)fputc('\n', out);
        explain_print_signals(explanation, colour, columns, out);
    }
}
