#include "controller/replay/csv_cells.h"

#include "policies/utf8.h"

#include <string.h>

void cells_begin(struct cells *cells, const char *text, size_t length)
{
    static const char mark[] = "\xef\xbb\xbf";
    bool marked = length >= 3 && memcmp(text, mark, 3) == 0;

    cells->text = text;
    cells->length = length;
    cells->at = marked ? 3 : 0;
    cells->line_begin = cells->at;
    cells->counted = cells->at;
    cells->column = 1;
    cells->line = 1;
    cells->skips = false;
}

static bool is_blank(char character)
{
    return character == ' ' || character == '\t';
}

static bool at_end(const struct cells *cells)
{
    return cells->at >= cells->length;
}

/* Bytes of the line end at the cursor: 0 when there is none. */
static size_t line_end_here(const struct cells *cells)
{
    const char *here = cells->text + cells->at;

    if (at_end(cells)) {
        return 0;
    }
    if (here[0] == '\n') {
        return 1;
    }
    return here[0] == '\r' && cells->length - cells->at > 1 && here[1] == '\n'
               ? 2
               : 0;
}

void cells_skip_line(struct cells *cells, size_t bytes)
{
    cells->at += bytes;
    cells->line_begin = cells->at;
    cells->counted = cells->at;
    cells->column = 1;
    cells->line++;
}

static void skip_blanks(struct cells *cells)
{
    while (!at_end(cells) && is_blank(cells->text[cells->at])) {
        cells->at++;
    }
}

static void skip_empty_lines(struct cells *cells)
{
    size_t bytes = 1;

    while (bytes > 0) {
        skip_blanks(cells);
        bytes = line_end_here(cells);
        if (bytes > 0) {
            cells_skip_line(cells, bytes);
        } else if (at_end(cells)) {
            cells->line_begin = cells->at;
        } else {
            cells->at = cells->line_begin;
        }
    }
}

/* Add a byte of the text; false when the cell is full or the byte is NUL. */
static bool take(struct cells *cells, struct cell *cell, size_t *used)
{
    if (cells->skips && cells->text[cells->at] != '\0') {
        cells->at++;
        return true;
    }
    if (*used >= CELL_BYTES_MAX || cells->text[cells->at] == '\0') {
        return false;
    }
    cell->text[(*used)++] = cells->text[cells->at++];
    return true;
}

static const char bad_cell[] = "a cell is longer than 256 bytes or holds a NUL";

static const char *read_quoted(struct cells *cells, struct cell *cell,
                               size_t *used)
{
    cells->at++;
    for (;;) {
        if (at_end(cells) || line_end_here(cells) > 0) {
            return "a quote is not closed on its line";
        }
        if (cells->text[cells->at] == '"') {
            cells->at++;
            if (at_end(cells) || cells->text[cells->at] != '"') {
                break;
            }
        }
        if (!take(cells, cell, used)) {
            return bad_cell;
        }
    }
    skip_blanks(cells);
    if (!at_end(cells) && line_end_here(cells) == 0 &&
        cells->text[cells->at] != ',') {
        return "a comma or the end of the line is missing after a quote";
    }
    return NULL;
}

static const char *read_plain(struct cells *cells, struct cell *cell,
                              size_t *used)
{
    while (!at_end(cells) && line_end_here(cells) == 0 &&
           cells->text[cells->at] != ',') {
        if (!take(cells, cell, used)) {
            return bad_cell;
        }
    }
    while (*used > 0 && is_blank(cell->text[*used - 1])) {
        (*used)--;
    }
    return NULL;
}

/* Goes on counting where it last stopped, so that a long line costs its
 * length once. */
static int column_here(struct cells *cells)
{
    cells->column += (int)utf8_count(cells->text + cells->counted,
                                     cells->at - cells->counted);
    cells->counted = cells->at;
    return cells->column;
}

void cells_next(struct cells *cells, struct cell *ret_cell)
{
    size_t used = 0;

    if (cells->at == cells->line_begin) {
        skip_empty_lines(cells);
    }
    ret_cell->end = at_end(cells) && cells->at == cells->line_begin;
    ret_cell->bad = NULL;
    ret_cell->text[0] = '\0';
    if (ret_cell->end) {
        return;
    }
    skip_blanks(cells);
    ret_cell->line = cells->line;
    ret_cell->column = column_here(cells);
    ret_cell->bad = !at_end(cells) && cells->text[cells->at] == '"'
                        ? read_quoted(cells, ret_cell, &used)
                        : read_plain(cells, ret_cell, &used);
    ret_cell->text[used] = '\0';
    if (ret_cell->bad != NULL) {
        return;
    }
    ret_cell->last = at_end(cells) || line_end_here(cells) > 0;
    if (!at_end(cells) && !ret_cell->last) {
        cells->at++; /* the comma */
    } else {
        cells_skip_line(cells, line_end_here(cells));
    }
}
