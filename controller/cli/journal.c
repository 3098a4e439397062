#include "controller/cli/journal.h"

#include <errno.h>
#include <stdlib.h>

struct store *journal_open(const struct cli_call *call, const char *path,
                           enum store_access access)
{
    char error[512];
    struct store *store = store_sqlite_open(path, access, error, sizeof(error));

    if (store == NULL) {
        (void)cli_fail(call, "%s", error);
    }
    return store;
}

bool journal_number(const struct cli_call *call, const char *what,
                    const char *text, uint64_t *ret_number)
{
    char *end = NULL;

    errno = 0;
    *ret_number = strtoull(text, &end, 10);
    if (text[0] < '1' || text[0] > '9' || *end != '\0' || errno != 0 ||
        *ret_number > INT64_MAX) {
        (void)cli_fail(call,
                       "%s is a whole number: 'lastgood status' and "
                       "'lastgood export' show them",
                       what);
        return false;
    }
    return true;
}

const char *journal_hash(const unsigned char hash[CHAIN_BYTES],
                         char ret_text[JOURNAL_HASH_TEXT])
{
    for (size_t i = 0; i < CHAIN_BYTES; i++) {
        (void)snprintf(ret_text + 2 * i, 3, "%02x", hash[i]);
    }
    return ret_text;
}
