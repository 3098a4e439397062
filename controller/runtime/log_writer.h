/* Bytes for a stream whose reader may be slow, stuck or gone: nobody waits for
 * it.  What it does not take now is kept, up to a bound; beyond it whole lines
 * are turned away.
 *
 * A pipe or a terminal is written through a description of our own, so that
 * what shares it with us does not become non-blocking with us. */
#ifndef RUNTIME_LOG_WRITER_H
#define RUNTIME_LOG_WRITER_H

#include <stdbool.h>
#include <stdio.h>

struct log_writer;

/* @out is lent; one without a descriptor (in memory) is written as it is. */
struct log_writer *log_writer_new(FILE *out);

/* Gives the reader a last second for what is kept. */
void log_writer_free(struct log_writer *writer);

/* Is there room for @length more bytes? */
bool log_writer_has_room(const struct log_writer *writer, size_t length);

/* One line, with its end.  False when it was turned away. */
bool log_writer_put(struct log_writer *writer, const char *line, size_t length);

/* Write of what is kept as much as the reader takes now. */
void log_writer_flush(struct log_writer *writer);

#endif
