#include <stdlib.h>
#include <string.h>

#include "controller/cli/commands.h"
#include "controller/cli/journal.h"
#include "controller/runtime/clock.h"
#include "policies/memory.h"

/* The newest record whose text is there: its epoch goes on. */
static bool note_epoch(void *data, const struct entry *entry)
{
    struct record *record = data;
    char error[256], *body = NULL;

    if (entry->payload == NULL ||
        !record_from_json(entry->payload, entry->length, record, &body, error,
                          sizeof(error))) {
        return true;
    }
    free(body);
    return false;
}

/* What is written down of it. */
static struct entry make_entry(struct record *record, uint64_t head,
                               uint64_t sequence, const char *reason)
{
    const uint32_t epoch = record->epoch;
    const time_ms at = record->at;
    struct entry entry = {.sequence = head + 1, .kind = RECORD_COMMANDED};

    record_init(record, RECORD_COMMANDED);
    record->sequence = entry.sequence;
    record->epoch = epoch;
    record->at = clock_wall() > at ? clock_wall() : at;
    (void)snprintf(record->name, sizeof(record->name), "erase");
    (void)snprintf(record->by, sizeof(record->by), "offline");
    (void)snprintf(record->text, sizeof(record->text),
                   "erased the text of record %llu: %.800s",
                   (unsigned long long)sequence, reason);
    entry.at = record->at;
    entry.payload = record_to_json(record, &entry.length);
    return entry;
}

static int erase(const struct cli_call *call, struct store *store,
                 uint64_t sequence, const char *reason)
{
    const struct store_query newest = {.newest_first = true};
    struct record *record = memory_zeroed(1, sizeof(*record));
    unsigned char chain[CHAIN_BYTES];
    struct entry entry = {0};
    uint64_t head = 0;
    char error[512];
    int code = EXIT_CODE_DONE;
    enum store_result result =
        store->ops->head(store, &head, chain, error, sizeof(error));

    if (result == STORE_OK) {
        result = store->ops->read(store, &newest, note_epoch, record, error,
                                  sizeof(error));
    }
    if (result == STORE_OK) {
        entry = make_entry(record, head, sequence, reason);
        result =
            store_sqlite_erase(store, sequence, &entry, error, sizeof(error));
    }
    if (result == STORE_OK) {
        (void)printf("erased: record %llu says so\n",
                     (unsigned long long)entry.sequence);
    } else {
        code = cli_fail(call, "%s", error);
    }
    free((void *)(uintptr_t)entry.payload);
    free(record);
    return code;
}

int erase_run(const struct cli_call *call)
{
    const char *path = cli_value(call, "database");
    const char *reason = cli_value(call, "reason");
    struct store *store = NULL;
    uint64_t sequence = 0;
    int code = EXIT_CODE_ERROR;

    if (!journal_number(call, "RECORD", call->positional[0], &sequence)) {
        return EXIT_CODE_ERROR;
    }
    if (path == NULL || reason == NULL || reason[0] == '\0') {
        return cli_fail(call, "--database FILE.db and --reason TEXT are "
                              "needed");
    }
    /* STORE_WRITE would make a new one. */
    store = journal_open(call, path, STORE_READ_ONLY);
    if (store == NULL) {
        return EXIT_CODE_ERROR;
    }
    store->ops->close(store);
    store = journal_open(call, path, STORE_WRITE);
    if (store != NULL) {
        code = erase(call, store, sequence, reason);
        store->ops->close(store);
    }
    return code;
}
