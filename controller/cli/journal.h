/* Commands that read a journal's file themselves: it may be in use, or lie in a
 * drawer. */
#ifndef CLI_JOURNAL_H
#define CLI_JOURNAL_H

#include "controller/cli/cli.h"
#include "state/store.h"

/* The journal that --database names, else the only file named; NULL with the
 * line printed. */
struct store *journal_open(const struct cli_call *call, const char *path,
                           enum store_access access);

/* A whole number above 0; false with the line printed. */
bool journal_number(const struct cli_call *call, const char *what,
                    const char *text, uint64_t *ret_number);

/* A hash in hex. */
#define JOURNAL_HASH_TEXT (2 * CHAIN_BYTES + 1)
const char *journal_hash(const unsigned char hash[CHAIN_BYTES],
                         char ret_text[JOURNAL_HASH_TEXT]);

#endif
