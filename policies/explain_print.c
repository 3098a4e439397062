#include "policies/explain.h"

#include "policies/problem.h"

#include <assert.h>
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

/* Print @text at column @at (the cursor is there), broken at blanks so that
 * it stays within the page; further lines begin at @hang. */
static void print_broken(const struct page *page, int at, int hang,
                         const char *text)
{
    bool first = true;

    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        int width = width_of(text, length);

        if (!first && at + 1 + width > page->columns && at > hang) {
            (void)fprintf(page->out, "\n%*s", hang, "");
            at = hang;
        } else if (!first) {
            (void)fputc(' ', page->out);
            at++;
        }
        (void)fprintf(page->out, "%.*s", (int)length, text);
        at += width;
        first = false;
        text += length;
        text += strspn(text, " ");
    }
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

/* `rollback: roll user-service back ...`, or just `healthy`. */
static void print_leaf(const struct page *page, int at, const json_t *object,
                       const char *key)
{
    char name[SHOWN_MAX], text[SHOWN_MAX];

    text_under(object, key, name);
    text_under(object, "text", text);
    (void)fputs(name, page->out);
    if (text[0] != '\0' && strcmp(name, text) != 0) {
        (void)fputs(": ", page->out);
        print_broken(page, at + width_of(name, strlen(name)) + 2, at + 2, text);
    }
}

#define DIGEST_SHOWN 12

static void print_verdict(const struct page *page, const json_t *explanation)
{
    char text[SHOWN_MAX];

    paint(page, colour_of_leaf(explanation, "verdict"));
    print_leaf(page, 0, explanation, "verdict");
    paint(page, PLAIN);
    (void)fprintf(page->out, "\n  judged at %s",
                  text_under(explanation, "at", text));
    (void)fprintf(page->out, " by policy %s",
                  text_under(explanation, "policy", text));
    (void)fprintf(page->out, " (%.*s)\n", DIGEST_SHOWN,
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

static void push(struct frames *frames, const json_t *node, int depth,
                 const char *label)
{
    if (json_is_object(node) && frames->count < FRAMES_MAX) {
        frames->list[frames->count++] = (struct frame){node, depth, label};
    }
}

/* The branches of a question, so that `yes` is printed first. */
static void push_branches(struct frames *frames, const json_t *question,
                          int depth)
{
    bool with_yes = is_under(question, "unknown", "then");
    bool with_no = is_under(question, "unknown", "else");

    push(frames, json_object_get(question, "unknown"), depth, "unknown");
    push(frames, json_object_get(question, "else"), depth,
         with_no ? "no or unknown" : "no");
    push(frames, json_object_get(question, "then"), depth,
         with_yes ? "yes or unknown" : "yes");
}

static enum colour colour_of_answer(const json_t *object)
{
    return is_under(object, "answer", "unknown") ? YELLOW : BOLD;
}

/* `yes`, or `unknown (stale)`, or `no (now yes)`. */
static void print_answer(const struct page *page, const json_t *object)
{
    char text[SHOWN_MAX];

    paint(page, colour_of_answer(object));
    (void)fputs(text_under(object, "answer", text), page->out);
    paint(page, PLAIN);
    if (text_under(object, "unknown", text)[0] != '\0' &&
        json_object_get(object, "question") == NULL) {
        (void)fprintf(page->out, " (%s)", text);
    }
    if (text_under(object, "now", text)[0] != '\0') {
        (void)fprintf(page->out, " (now %s)", text);
    }
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
        strcat(text, ":");
    }
    (void)fprintf(page->out, "%*s", at, "");
    print_broken(page, at, at + 4, text);
    (void)fputc(' ', page->out);
    print_answer(page, line);
    (void)fputc('\n', page->out);
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

    text_under(node, "question", text);
    paint(page, taken ? BOLD : DIM);
    print_broken(page, at, at + 2, text);
    paint(page, PLAIN);
    if (taken) {
        (void)fputc(' ', page->out);
        print_answer(page, node);
    }
    (void)fputc('\n', page->out);
}

static void print_node(const struct page *page, const struct frame *frame)
{
    bool taken = json_is_true(json_object_get(frame->node, "taken"));
    int indent = 2 * frame->depth;
    int at = indent + 2;

    paint(page, taken ? GREEN : DIM);
    (void)fprintf(page->out, "%*s%s ", indent, "", taken ? ">" : " ");
    if (frame->label[0] != '\0') {
        (void)fprintf(page->out, "%s: ", frame->label);
        at += (int)strlen(frame->label) + 2;
    }
    paint(page, PLAIN);
    if (json_object_get(frame->node, "leaf") == NULL) {
        print_question(page, at, taken, frame->node);
        print_lines(page, indent + 6, json_object_get(frame->node, "lines"));
        return;
    }
    paint(page, taken ? colour_of_leaf(frame->node, "leaf") : DIM);
    print_leaf(page, at, frame->node, "leaf");
    paint(page, PLAIN);
    (void)fputc('\n', page->out);
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
        print_broken(page, 10, 10, text_under(signal, "is", text));
    } else {
        text_under(signal, "from", name);
        (void)fprintf(page->out, "      %s: ", name);
        print_broken(page, 8 + width_of(name, strlen(name)), 10,
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

void explain_print(const json_t *explanation, bool colour, int columns,
                   FILE *out)
{
    const struct page page = {
        out, colour, columns < COLUMNS_LEAST ? COLUMNS_LEAST : columns};
    const json_t *signals = json_object_get(explanation, "signals");

    assert(out != NULL);
    print_verdict(&page, explanation);
    (void)fputc('\n', out);
    print_tree(&page, json_object_get(explanation, "tree"));
    if (json_array_size(signals) > 0) {
        (void)fputs("\nsignals\n", out);
        print_signals(&page, signals);
    }
}
