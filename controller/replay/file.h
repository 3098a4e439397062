/* A whole file in memory. */
#ifndef REPLAY_FILE_H
#define REPLAY_FILE_H

#include <stddef.h>

#include "policies/problem.h"

/* The bytes of @path, a NUL behind them, owned by the caller (free).  NULL
 * with an error in @problems when it cannot be read or has more than @most
 * bytes. */
char *file_read(const char *path, size_t most, size_t *ret_length,
                struct problems *problems);

#endif
