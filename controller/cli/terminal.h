/* What people see: colour on a terminal only, columns that line up, spans. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "policies/units.h"

/* Colour is for a terminal, never with NO_COLOR set to something. */
bool terminal_has_colour(FILE *out);

/* The width to print for: the terminal's, 100 when it is none. */
int terminal_columns(FILE *out);

enum paint { PAINT_PLAIN, PAINT_GOOD, PAINT_WARN, PAINT_BAD, PAINT_DIM };

/* Start and end of a colour; "" when @colour is false. */
const char *terminal_paint(enum paint paint, bool colour);
const char *terminal_unpaint(enum paint paint, bool colour);

/* How @state (of a release, a verdict, a rollback) should look. */
enum paint terminal_paint_of(const char *state);

/* "+2m 10s", "-40s", "3h 5m", "2d 4h": at most two units.  Returns @text. */
const char *terminal_span(time_ms span, char text[SPAN_TEXT_MAX]);

/* Print @text from column @indent on, broken between words before
 * terminal_columns(); it goes on below where it began. */
void terminal_wrap(const char *text, int indent, FILE *out);

/* A table of text cells; columns are as wide as their widest cell. */
#define TABLE_COLUMNS_MAX 8
#define TABLE_CELL_MAX    256
struct table;
struct table *table_new(const char *const *titles, size_t columns);
void table_free(struct table *table);
/* Add a cell; @text is escaped.  Rows fill from left to right. */
void table_add(struct table *table, const char *text, enum paint paint);
/* @spare: what may be left out on a narrow terminal, the least needed first,
 * ended by -1; never the last column.  NULL: nothing. */
void table_print(const struct table *table, const int *spare, bool colour,
                 FILE *out);

#endif
