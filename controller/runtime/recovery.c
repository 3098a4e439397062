#include "controller/runtime/driver_inside.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "policies/memory.h"
#include "policies/read/policy_read.h"

/* A policy in force whose text this program can no longer read. */
struct unreadable {
    char name[NAME_MAX_BYTES + 1];
    uint64_t record;
    char why[PROBLEM_TEXT_MAX];
};

struct recovery {
    struct driver *driver;
    struct problems *problems;
    uint64_t last;
    struct unreadable *unreadable;
    size_t unreadable_count;
    char error[640];
};

/* The journal keeps a policy's text, not its file's name: what begins like a
 * JSON object is read as one first. */
static struct policy *compile(struct recovery *recovery,
                              const struct record *record)
{
    struct policy *policy = NULL;
    size_t start = 0;

    while (start < record->body_length &&
           isspace((unsigned char)record->body[start])) {
        start++;
    }
    if (start < record->body_length && record->body[start] == '{') {
        policy = policy_read("policy.json", record->body, record->body_length,
                             recovery->problems);
    }
    if (policy == NULL) {
        policy = policy_read("policy.yaml", record->body, record->body_length,
                             recovery->problems);
    }
    return policy;
}

static bool fail(struct recovery *recovery, const struct entry *entry,
                 const char *why)
{
    (void)snprintf(recovery->error, sizeof(recovery->error),
                   "the journal cannot be used: record %" PRIu64 ": %s",
                   entry->sequence, why);
    return false;
}

static void forget_unreadable(struct recovery *recovery, const char *name)
{
    for (size_t i = 0; i < recovery->unreadable_count; i++) {
        if (strcmp(recovery->unreadable[i].name, name) == 0) {
            recovery->unreadable_count--;
            recovery->unreadable[i] =
                recovery->unreadable[recovery->unreadable_count];
            return;
        }
    }
}

static void note_unreadable(struct recovery *recovery,
                            const struct record *record)
{
    const struct problem *first = &recovery->problems->list[0];
    struct unreadable *list = memory_resized(
        recovery->unreadable, (recovery->unreadable_count + 1) * sizeof(*list));

    assert(recovery->problems->count > 0);
    recovery->unreadable = list;
    list += recovery->unreadable_count;
    recovery->unreadable_count++;
    (void)snprintf(list->name, sizeof(list->name), "%s", record->name);
    list->record = record->sequence;
    (void)snprintf(list->why, sizeof(list->why), "%d:%d: %.*s", first->line,
                   first->column, (int)sizeof(list->why) - 32, first->text);
}

/* What the shell itself must know of the past. */
static void note(struct recovery *recovery, const struct record *record)
{
    struct driver *driver = recovery->driver;

    if (record->kind == RECORD_POLICY_SET ||
        record->kind == RECORD_POLICY_REMOVED) {
        policy_folder_known(driver->folder, record->name,
                            record->kind == RECORD_POLICY_SET);
        forget_unreadable(recovery, record->name);
    }
    if (record->kind == RECORD_POLICY_SET && record->policy == NULL) {
        note_unreadable(recovery, record);
    }
    recovery->last = record->sequence;
}

static bool read_record(struct recovery *recovery, const struct entry *entry,
                        struct record *ret_record, char **ret_body)
{
    char why[400];

    if (entry->payload == NULL && record_may_be_erased(entry->kind)) {
        record_init(ret_record, RECORD_COMMANDED);
        ret_record->sequence = entry->sequence;
        ret_record->at = entry->at;
        return true;
    }
    if (entry->payload == NULL) {
        return fail(recovery, entry,
                    "its text was erased, and it is one that is needed; "
                    "restore a copy");
    }
    if (record_from_json(entry->payload, entry->length, ret_record, ret_body,
                         why, sizeof(why))) {
        return true;
    }
    (void)snprintf(recovery->error, sizeof(recovery->error),
                   "the journal cannot be used: %s", why);
    return false;
}

static bool lacks(struct recovery *recovery, const struct entry *entry)
{
    const char *limit = core_lacks(recovery->driver->core);
    char why[160];

    if (limit == NULL) {
        return false;
    }
    (void)snprintf(why, sizeof(why),
                   "`limits: %s` is lower than what the journal holds; "
                   "raise it",
                   limit);
    (void)fail(recovery, entry, why);
    return true;
}

/* A policy that was in force once and cannot be read by now (languages grow
 * stricter) keeps nobody from starting: it judges nobody any more. */
static bool visit(void *data, const struct entry *entry)
{
    struct recovery *recovery = data;
    struct record record = {0};
    char *body = NULL;

    if (!read_record(recovery, entry, &record, &body)) {
        return false;
    }
    if (record.sequence != recovery->last + 1) {
        free(body);
        return fail(recovery, entry, "it does not follow the one before");
    }
    if (record.kind == RECORD_POLICY_SET) {
        record.policy = compile(recovery, &record);
    }
    core_apply(recovery->driver->core, &record);
    note(recovery, &record);
    free(body);
    return !lacks(recovery, entry);
}

static void say_recovered(const struct recovery *recovery, time_ms took)
{
    struct log *log = recovery->driver->options.log;
    char records[24], span[DURATION_TEXT_MAX];

    (void)snprintf(records, sizeof(records), "%" PRIu64, recovery->last);
    log_event(log, LOG_INFO, "recovered", "records", records, "in",
              duration_print(took, span), NULL);
    for (size_t i = 0; i < recovery->unreadable_count; i++) {
        const struct unreadable *lost = &recovery->unreadable[i];

        (void)snprintf(records, sizeof(records), "%" PRIu64, lost->record);
        log_event(log, LOG_ERROR, "policy.unreadable", "name", lost->name,
                  "record", records, "text", lost->why, "effect",
                  "it judges nobody until its file is corrected", NULL);
    }
}

bool recovery_run(struct driver *driver, struct store *store, char *ret_error,
                  size_t size)
{
    struct recovery recovery = {.driver = driver};
    const time_ms began = clock_boot();
    unsigned char head[CHAIN_BYTES];
    char error[512] = "";
    uint64_t last = 0;
    enum store_result result = STORE_OK;

    recovery.problems = memory_zeroed(1, sizeof(*recovery.problems));
    result = store_verify_each(store, visit, &recovery, &last, head, error,
                               sizeof(error));
    if (recovery.error[0] != '\0' || result != STORE_OK) {
        const char *why = recovery.error[0] != '\0' ? recovery.error : error;
        const char *path = driver->options.config->sqlite;
        const bool is_named = strstr(why, path) != NULL;

        (void)snprintf(ret_error, size, "%s%s%s", is_named ? "" : path,
                       is_named ? "" : ": ", why);
    } else {
        driver->durable = recovery.last;
        say_recovered(&recovery, clock_boot() - began);
    }
    free(recovery.problems);
    free(recovery.unreadable);
    return recovery.error[0] == '\0' && result == STORE_OK;
}
