#include <string.h>

#include "controller/cli/client.h"
#include "controller/cli/commands.h"
#include "controller/cli/journal.h"

/* One line an entry; the record stands in it as it was written. */
static bool print_entry(void *data, const struct entry *entry)
{
    char at[MOMENT_TEXT_MAX], hash[JOURNAL_HASH_TEXT], chain[JOURNAL_HASH_TEXT];

    (void)data;
    (void)printf("{\"sequence\":%llu,\"at\":\"%s\",\"hash\":\"%s\","
                 "\"chain\":\"%s\",\"record\":",
                 (unsigned long long)entry->sequence,
                 moment_print(entry->at, at), journal_hash(entry->hash, hash),
                 journal_hash(entry->chain, chain));
    if (entry->payload == NULL) {
        (void)fputs("null", stdout);
    } else {
        (void)fwrite(entry->payload, 1, entry->length, stdout);
    }
    return puts("}") >= 0;
}

static bool read_filter(const struct cli_call *call, const char *name,
                        uint64_t *ret_number)
{
    const char *text = cli_value(call, name);

    return text == NULL || journal_number(call, name, text, ret_number);
}

int export_run(const struct cli_call *call)
{
    struct store_query query = {0};
    struct store *store = NULL;
    char error[512];
    bool json = false;
    int code = EXIT_CODE_DONE;

    if (!client_format(call, &json) ||
        !read_filter(call, "release", &query.release) ||
        !read_filter(call, "incident", &query.incident)) {
        return EXIT_CODE_ERROR;
    }
    store = journal_open(call, call->positional[0], STORE_READ_ONLY);
    if (store == NULL) {
        return EXIT_CODE_ERROR;
    }
    if (store->ops->read(store, &query, print_entry, NULL, error,
                         sizeof(error)) != STORE_OK) {
        code = cli_fail(call, "%s: %s", call->positional[0], error);
    } else if (fflush(stdout) != 0) {
        code = cli_fail(call, "cannot write: the other side is gone or full");
    }
    store->ops->close(store);
    return code;
}
