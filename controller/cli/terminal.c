#include "controller/cli/terminal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "policies/memory.h"
#include "policies/problem.h"

bool terminal_has_colour(FILE *out)
{
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");

    return isatty(fileno(out)) == 1 &&
           (no_color == NULL || no_color[0] == '\0') &&
           (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

int terminal_columns(FILE *out)
{
    struct winsize size;

    if (isatty(fileno(out)) == 1 &&
        ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col >= 40) {
        return size.ws_col;
    }
    return 100;
}

const char *terminal_paint(enum paint paint, bool colour)
{
    static const char *const codes[] = {
        [PAINT_PLAIN] = "",        [PAINT_GOOD] = "\033[32m",
        [PAINT_WARN] = "\033[33m", [PAINT_BAD] = "\033[31m",
        [PAINT_DIM] = "\033[2m",
    };

    return colour ? codes[paint] : "";
}

const char *terminal_unpaint(enum paint paint, bool colour)
{
    return colour && paint != PAINT_PLAIN ? "\033[0m" : "";
}

enum paint terminal_paint_of(const char *state)
{
    static const struct {
        const char *word;
        enum paint paint;
    } words[] = {
        {"good", PAINT_GOOD},        {"healthy", PAINT_GOOD},
        {"provisional", PAINT_GOOD}, {"recovered", PAINT_GOOD},
        {"go", PAINT_GOOD},          {"suspect", PAINT_BAD},
        {"reverting", PAINT_BAD},    {"reverted", PAINT_BAD},
        {"tainted", PAINT_BAD},      {"rollback", PAINT_BAD},
        {"failed", PAINT_BAD},       {"not recovered", PAINT_BAD},
        {"held", PAINT_WARN},        {"hold", PAINT_WARN},
        {"page", PAINT_WARN},        {"refused", PAINT_WARN},
        {"unverified", PAINT_WARN},  {"superseded", PAINT_DIM},
        {"unwatched", PAINT_DIM},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i].word, state) == 0) {
            return words[i].paint;
        }
    }
    return PAINT_PLAIN;
}

const char *terminal_span(time_ms span, char text[SPAN_TEXT_MAX])
{
    static const struct {
        time_ms length;
        char letter;
    } units[] = {
        {DAY_MS, 'd'}, {HOUR_MS, 'h'}, {MINUTE_MS, 'm'}, {SECOND_MS, 's'}};
    time_ms left = span < 0 ? -span : span;
    int length = snprintf(text, SPAN_TEXT_MAX, "%s", span < 0 ? "-" : "");
    int used = 0;

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && used < 2; i++) {
        time_ms count = left / units[i].length;

        if (count == 0) {
            used += used > 0 ? 1 : 0;
            continue;
        }
        length +=
            snprintf(text + length, SPAN_TEXT_MAX - (size_t)length, "%s%lld%c",
                     used > 0 ? " " : "", (long long)count, units[i].letter);
        left -= count * units[i].length;
        used++;
    }
    if (used == 0) {
        (void)snprintf(text, SPAN_TEXT_MAX, "0s");
    }
    return text;
}

/* How many characters a terminal shows for @length bytes of UTF-8. */
static int shown_width(const char *text, size_t length)
{
    int width = 0;

    for (size_t i = 0; i < length; i++) {
        width += ((unsigned char)text[i] & 0xC0) != 0x80 ? 1 : 0;
    }
    return width;
}

void terminal_wrap(const char *text, int indent, FILE *out)
{
    int columns = terminal_columns(out);
    int column = indent;

    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        int width = shown_width(text, length);

        if (column > indent && column + width > columns) {
            (void)fprintf(out, "\n%*s", indent, "");
            column = indent;
        }
        (void)fwrite(text, 1, length, out);
        column += width;
        text += length;
        if (*text == ' ') {
            column++;
            text++;
            if (*text != '\0' &&
                column + shown_width(text, strcspn(text, " ")) <= columns) {
                (void)fputc(' ', out);
            }
        }
    }
}

/* --- Tables --------------------------------------------------------------- */

struct cell {
    char text[TABLE_CELL_MAX];
    enum paint paint;
};

struct table {
    const char *const *titles;
    size_t columns, count, room;
    struct cell *cells;
};

static int cell_width(const char *text)
{
    return shown_width(text, strlen(text));
}

struct table *table_new(const char *const *titles, size_t columns)
{
    struct table *table = memory_zeroed(1, sizeof(*table));

    assert(columns <= TABLE_COLUMNS_MAX);
    table->titles = titles;
    table->columns = columns;
    return table;
}

void table_free(struct table *table)
{
    free(table->cells);
    free(table);
}

void table_add(struct table *table, const char *text, enum paint paint)
{
    if (table->count == table->room) {
        size_t room = table->room == 0 ? 64 : 2 * table->room;
        struct cell *grown =
            memory_resized(table->cells, room * sizeof(*grown));

        table->cells = grown;
        table->room = room;
    }
    text_escape(text, table->cells[table->count].text, TABLE_CELL_MAX);
    table->cells[table->count].paint = paint;
    table->count++;
}

static void print_cell(const char *text, enum paint paint, int width,
                       bool colour, FILE *out)
{
    (void)fprintf(out, "%s%s%s%*s", terminal_paint(paint, colour), text,
                  terminal_unpaint(paint, colour), width, "");
}

struct layout {
    int widths[TABLE_COLUMNS_MAX];
    bool left_out[TABLE_COLUMNS_MAX];
};

static void measure(const struct table *table, struct layout *ret_layout)
{
    memset(ret_layout, 0, sizeof(*ret_layout));
    for (size_t i = 0; i < table->columns; i++) {
        ret_layout->widths[i] = cell_width(table->titles[i]);
    }
    for (size_t i = 0; i < table->count; i++) {
        int width = cell_width(table->cells[i].text);
        int *widest = &ret_layout->widths[i % table->columns];

        *widest = width > *widest ? width : *widest;
    }
}

/* On a terminal that is too narrow, columns that can be spared go. */
static void fit(const struct table *table, const int *spare, int room,
                struct layout *layout)
{
    int width = 2 * ((int)table->columns - 1);

    for (size_t i = 0; i < table->columns; i++) {
        width += layout->widths[i];
    }
    for (; spare != NULL && *spare >= 0 && width > room; spare++) {
        layout->left_out[*spare] = true;
        width -= layout->widths[*spare] + 2;
    }
}

void table_print(const struct table *table, const int *spare, bool colour,
                 FILE *out)
{
    struct layout layout;

    measure(table, &layout);
    if (isatty(fileno(out)) == 1) {
        fit(table, spare, terminal_columns(out), &layout);
    }
    for (size_t i = 0; i < table->columns + table->count; i++) {
        size_t column = i % table->columns;
        bool title = i < table->columns;
        bool last = column == table->columns - 1;
        const struct cell *cell =
            title ? NULL : &table->cells[i - table->columns];
        const char *text = title ? table->titles[i] : cell->text;
        int fill = last ? 0 : layout.widths[column] - cell_width(text) + 2;

        if (!layout.left_out[column]) {
            print_cell(text, title ? PAINT_DIM : cell->paint, fill, colour,
                       out);
        }
        if (last) {
            (void)fputc('\n', out);
        }
    }
}
