/* Cells of a CSV text (RFC 4180), one at a time, with their places.
 *
 * Commas separate, double quotes enclose and "" is one quote inside them;
 * lines end with LF or CRLF; blanks around a cell without quotes are not part
 * of it; lines with nothing on them are skipped; a byte order mark at the
 * beginning is skipped. */
#ifndef REPLAY_CSV_CELLS_H
#define REPLAY_CSV_CELLS_H

#include <stdbool.h>
#include <stddef.h>

#define CELL_BYTES_MAX 256

struct cell {
    char text[CELL_BYTES_MAX + 1];
    int line, column; /* where it begins; columns count code points */
    bool last;        /* of its line */
    bool end;         /* there is no cell: the text is at its end */
    const char *bad;  /* why it cannot be read: then nothing else is set */
};

struct cells {
    const char *text;
    size_t length;
    size_t at;         /* byte */
    size_t line_begin; /* byte */
    size_t counted;    /* byte up to which `column` has counted */
    int line, column;
    bool skips; /* the next cells may be of any length, and have no text */
};

void cells_begin(struct cells *cells, const char *text, size_t length);
void cells_next(struct cells *cells, struct cell *ret_cell);

/* At the beginning of a line: go on @bytes, to the beginning of the next. */
void cells_skip_line(struct cells *cells, size_t bytes);

#endif
