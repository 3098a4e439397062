/* Spans, tables, colour and wrapping. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/cli/terminal.h"

static void spans_have_two_units_at_most(void **state)
{
    static const struct {
        time_ms span;
        const char *text;
    } rows[] = {
        {0, "0s"},
        {999, "0s"},
        {1000, "1s"},
        {-5000, "-5s"},
        {130000, "2m 10s"},
        {3600000, "1h"},
        {3605000, "1h"},
        {3900000, "1h 5m"},
        {86400000, "1d"},
        {90061000, "1d 1h"},
        {1000LL * 365 * 86400 * 1000, "365000d"},
    };
    char text[SPAN_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_string_equal(terminal_span(rows[i].span, text), rows[i].text);
    }
}

/* What @print writes to a file, or to a terminal of 60 columns. */
static void print_to(void (*print)(FILE *), bool terminal, char *ret_text,
                     size_t size)
{
    struct winsize window = {.ws_row = 24, .ws_col = 60};
    int first = posix_openpt(O_RDWR | O_NOCTTY);
    char name[64];
    FILE *out = NULL;
    size_t length = 0;
    ssize_t got = 0;

    assert_true(first >= 0);
    assert_int_equal(grantpt(first), 0);
    assert_int_equal(unlockpt(first), 0);
    assert_int_equal(ptsname_r(first, name, sizeof(name)), 0);
    assert_int_equal(ioctl(first, TIOCSWINSZ, &window), 0);
    out = terminal ? fopen(name, "r+") : tmpfile();
    assert_non_null(out);
    print(out);
    if (!terminal) {
        rewind(out);
        length = fread(ret_text, 1, size - 1, out);
    }
    (void)fclose(out);
    /* What was written comes in pieces; when nobody writes any more the end
     * is an error. */
    while (terminal &&
           (got = read(first, ret_text + length, size - 1 - length)) > 0) {
        length += (size_t)got;
    }
    ret_text[length] = '\0';
    (void)close(first);
}

static void print_painted(FILE *out)
{
    bool colour = terminal_has_colour(out);

    (void)fprintf(out, "%sx%s\n", terminal_paint(PAINT_BAD, colour),
                  terminal_unpaint(PAINT_BAD, colour));
}

static void colour_is_for_terminals_without_no_color(void **state)
{
    char text[256];

    (void)state;
    (void)setenv("TERM", "xterm", 1);
    (void)unsetenv("NO_COLOR");
    print_to(print_painted, true, text, sizeof(text));
    assert_string_equal(text, "\033[31mx\033[0m\r\n");
    print_to(print_painted, false, text, sizeof(text));
    assert_string_equal(text, "x\n");
    (void)setenv("NO_COLOR", "1", 1);
    print_to(print_painted, true, text, sizeof(text));
    assert_string_equal(text, "x\r\n");
    (void)setenv("NO_COLOR", "", 1);
    (void)setenv("TERM", "dumb", 1);
    print_to(print_painted, true, text, sizeof(text));
    assert_string_equal(text, "x\r\n");
}

#define LONG                                                                   \
    "one two three four five six seven eight nine ten eleven twelve thirteen"

static void print_long(FILE *out)
{
    (void)fprintf(out, "%10s", "");
    terminal_wrap(LONG, 10, out);
    (void)fputc('\n', out);
}

static void print_longer(FILE *out)
{
    (void)fprintf(out, "%10s", "");
    terminal_wrap(LONG " " LONG, 10, out);
    (void)fputc('\n', out);
}

static void text_is_wrapped_at_100_where_there_is_no_terminal(void **state)
{
    char text[512];

    (void)state;
    print_to(print_long, true, text, sizeof(text));
    assert_string_equal(
        text, "          one two three four five six seven eight nine ten\r\n"
              "          eleven twelve thirteen\r\n");
    print_to(print_long, false, text, sizeof(text));
    assert_string_equal(text, "          " LONG "\n");
    print_to(print_longer, false, text, sizeof(text));
    assert_string_equal(text,
                        "          " LONG " one two three four\n"
                        "          five six seven eight nine ten eleven twelve "
                        "thirteen\n");
}

static void print_some_table(FILE *out)
{
    static const char *const titles[] = {"A", "LONGER", "C"};
    struct table *table = table_new(titles, 3);

    table_add(table, "wide cell", PAINT_PLAIN);
    table_add(table, "\xc3\xa4", PAINT_PLAIN);
    table_add(table, "x\x1b[2J", PAINT_PLAIN);
    table_add(table, "b", PAINT_GOOD);
    table_add(table, "c", PAINT_PLAIN);
    table_add(table, "d", PAINT_PLAIN);
    table_print(table, NULL, false, out);
    table_free(table);
}

static void print_wide_table(FILE *out)
{
    static const char *const titles[] = {"A", "B", "C", "D"};
    static const int spare[] = {2, 1, -1};
    struct table *table = table_new(titles, 4);

    table_add(table, "a cell that takes its room", PAINT_PLAIN);
    table_add(table, "one more", PAINT_PLAIN);
    table_add(table, "what can be spared first", PAINT_PLAIN);
    table_add(table, "the end", PAINT_PLAIN);
    table_print(table, spare, false, out);
    table_free(table);
}

static void a_narrow_terminal_is_spared_some_columns(void **state)
{
    char text[512];

    (void)state;
    print_to(print_wide_table, true, text, sizeof(text));
    assert_string_equal(text,
                        "A                           B         D\r\n"
                        "a cell that takes its room  one more  the end\r\n");
    print_to(print_wide_table, false, text, sizeof(text));
    assert_non_null(strstr(text, "what can be spared first  the end\n"));
}

static void columns_line_up_and_cells_are_escaped(void **state)
{
    char text[512];

    (void)state;
    print_to(print_some_table, false, text, sizeof(text));
    assert_string_equal(text, "A          LONGER  C\n"
                              "wide cell  \xc3\xa4       x\\x1b[2J\n"
                              "b          c       d\n");
}

static void a_table_grows(void **state)
{
    static const char *const titles[] = {"N"};
    struct table *table = table_new(titles, 1);
    FILE *out = tmpfile();

    (void)state;
    assert_non_null(out);
    for (int i = 0; i < 1000; i++) {
        table_add(table, "row", PAINT_PLAIN);
    }
    table_print(table, NULL, false, out);
    assert_int_equal(ftell(out), 2 + 1000 * 4);
    table_free(table);
    (void)fclose(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_have_two_units_at_most),
        cmocka_unit_test(colour_is_for_terminals_without_no_color),
        cmocka_unit_test(text_is_wrapped_at_100_where_there_is_no_terminal),
        cmocka_unit_test(columns_line_up_and_cells_are_escaped),
        cmocka_unit_test(a_narrow_terminal_is_spared_some_columns),
        cmocka_unit_test(a_table_grows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
