#include "controller/cli/commands.h"

#include <stdlib.h>
#include <string.h>

#include "controller/cli/client.h"
#include "controller/cli/journal.h"
#include "policies/memory.h"
#include "state/reserve.h"
#include "state/store.h"

/* What the walk over the records found. */
struct walk {
    struct record *record;
    uint64_t count, sequence, erased;
    time_ms first, last;
    bool broken;
    char error[512];
};

/* The columns by which entries are found are not in the chain: a journal with
 * others than its payloads say would hide some.  NULL, or the column. */
static const char *wrong_column(const struct entry *entry,
                                const struct record *record)
{
    const struct entry said = entry_of_record(record);

    if (said.sequence != entry->sequence) {
        return "sequence";
    }
    if (said.at != entry->at) {
        return "at";
    }
    if (said.kind != entry->kind) {
        return "kind";
    }
    if (said.release != entry->release) {
        return "release";
    }
    return said.incident != entry->incident ? "incident" : NULL;
}

/* False with a sentence in walk->error. */
static bool is_sound(struct walk *walk, const struct entry *entry)
{
    const char *column = NULL;
    char *body = NULL;
    char error[256];

    walk->erased += entry->payload == NULL;
    if (entry->payload == NULL) {
        return true; /* erased: its hash is all there is */
    }
    if (!record_from_json(entry->payload, entry->length, walk->record, &body,
                          error, sizeof(error))) {
        (void)snprintf(walk->error, sizeof(walk->error),
                       "record %llu cannot be read: %s; the last whole one "
                       "is %llu",
                       (unsigned long long)entry->sequence, error,
                       (unsigned long long)walk->sequence);
        return false;
    }
    free(body);
    column = wrong_column(entry, walk->record);
    if (column != NULL) {
        (void)snprintf(walk->error, sizeof(walk->error),
                       "the journal is damaged: the column '%s' of record "
                       "%llu is not what the record says, the last whole one "
                       "is %llu; restore a copy that is whole",
                       column, (unsigned long long)entry->sequence,
                       (unsigned long long)walk->sequence);
    }
    return column == NULL;
}

static bool visit(void *data, const struct entry *entry)
{
    struct walk *walk = data;

    if (!is_sound(walk, entry)) {
        walk->broken = true;
        return false;
    }
    walk->first = walk->count == 0 ? entry->at : walk->first;
    walk->last = entry->at;
    walk->sequence = entry->sequence;
    walk->count++;
    return true;
}

/* What a start will add: a rollback while the journal could not be written. */
static uint64_t count_reserved(const char *path, uint64_t newest)
{
    uint64_t after = 0, last = 0;

    return reserve_peek(path, &after, &last) && last > newest ? last - newest
                                                              : 0;
}

static int tell_whole(const struct cli_call *call, const struct walk *walk,
                      const unsigned char chain[CHAIN_BYTES], bool json)
{
    const uint64_t reserved =
        count_reserved(call->positional[0], walk->sequence);
    char head[JOURNAL_HASH_TEXT];
    char first[MOMENT_TEXT_MAX], last[MOMENT_TEXT_MAX];

    (void)journal_hash(chain, head);
    if (json) {
        json_t *said = json_pack("{s:b, s:I, s:I, s:I, s:s}", "whole", 1,
                                 "records", (json_int_t)walk->count, "erased",
                                 (json_int_t)walk->erased, "reserved",
                                 (json_int_t)reserved, "head", head);

        client_print_json(said);
        json_decref(said);
        return EXIT_CODE_DONE;
    }
    if (walk->count == 0) {
        (void)printf("%s: whole, and empty\n", call->positional[0]);
        return EXIT_CODE_DONE;
    }
    (void)printf("%s: whole\nrecords  %llu, %s to %s\nhead     %s\n",
                 call->positional[0], (unsigned long long)walk->count,
                 moment_print(walk->first, first),
                 moment_print(walk->last, last), head);
    if (reserved > 0) {
        (void)printf("reserve  %llu more, of a rollback while the journal "
                     "could not be written: the next start\n         takes "
                     "them in\n",
                     (unsigned long long)reserved);
    }
    if (walk->erased > 0) {
        (void)printf("erased   %llu: the chain holds over their hashes\n",
                     (unsigned long long)walk->erased);
    }
    return EXIT_CODE_DONE;
}

static int tell_broken(const struct cli_call *call, uint64_t last,
                       const char *error, bool json)
{
    if (json) {
        json_t *said = json_pack("{s:b, s:I, s:s}", "whole", 0, "last_whole",
                                 (json_int_t)last, "error", error);

        client_print_json(said);
        json_decref(said);
        return EXIT_CODE_ERROR;
    }
    return cli_fail(call, "%s: %s", call->positional[0], error);
}

static int walk_store(const struct cli_call *call, struct store *store,
                      bool json)
{
    static const struct store_query everything;
    unsigned char head[CHAIN_BYTES];
    struct walk walk = {.record = memory_resized(NULL, sizeof(struct record))};
    uint64_t last = 0;
    char error[512] = "";
    int code = EXIT_CODE_ERROR;

    if (store_verify(store, &last, head, error, sizeof(error)) != STORE_OK) {
        code = tell_broken(call, last, error, json);
    } else if (store->ops->read(store, &everything, visit, &walk, error,
                                sizeof(error)) != STORE_OK) {
        code = cli_fail(call, "%s: %s", call->positional[0], error);
    } else if (walk.broken) {
        code = tell_broken(call, walk.sequence, walk.error, json);
    } else {
        code = tell_whole(call, &walk, head, json);
    }
    free(walk.record);
    return code;
}

int verify_run(const struct cli_call *call)
{
    struct store *store = NULL;
    bool json = false;
    char error[512];
    int code = EXIT_CODE_ERROR;

    if (!client_format(call, &json)) {
        return EXIT_CODE_ERROR;
    }
    store = store_sqlite_open(call->positional[0], STORE_READ_ONLY, error,
                              sizeof(error));
    if (store == NULL) {
        return cli_fail(call, "%s", error);
    }
    code = walk_store(call, store, json);
    store->ops->close(store);
    return code;
}
