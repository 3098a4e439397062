#include "controller/runtime/driver_inside.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "policies/read/policy_read.h"

struct recovery {
    struct driver *driver;
    struct problems *problems;
    uint64_t last;
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
                   "record %llu of the journal cannot be used: %s",
                   (unsigned long long)entry->sequence, why);
    return false;
}

/* What the shell itself must know of the past. */
static void note(struct recovery *recovery, const struct record *record)
{
    struct driver *driver = recovery->driver;

    if (record->kind == RECORD_POLICY_SET ||
        record->kind == RECORD_POLICY_REMOVED) {
        policy_folder_known(driver->folder, record->name,
                            record->kind == RECORD_POLICY_SET);
    }
    recovery->last = record->sequence;
}

static bool visit(void *data, const struct entry *entry)
{
    struct recovery *recovery = data;
    struct record record = {0};
    char *body = NULL;
    char why[400];

    if (!record_from_json(entry->payload, entry->length, &record, &body, why,
                          sizeof(why))) {
        return fail(recovery, entry, why);
    }
    if (record.sequence != recovery->last + 1) {
        free(body);
        return fail(recovery, entry,
                    "it does not follow the one before; run "
                    "`lastgood verify`");
    }
    if (record.kind == RECORD_POLICY_SET) {
        record.policy = compile(recovery, &record);
        if (record.policy == NULL) {
            const struct problem *first = &recovery->problems->list[0];

            (void)snprintf(why, sizeof(why),
                           "policy '%s' no longer compiles: %d:%d: %.200s",
                           record.name, first->line, first->column,
                           first->text);
            free(body);
            return fail(recovery, entry, why);
        }
    }
    core_apply(recovery->driver->core, &record);
    free(body);
    if (core_lacks(recovery->driver->core)) {
        (void)snprintf(why, sizeof(why),
                       "`limits: %s` is lower than what the journal holds; "
                       "raise it",
                       core_lacks(recovery->driver->core));
        return fail(recovery, entry, why);
    }
    note(recovery, &record);
    return true;
}

bool recovery_run(struct driver *driver, struct store *store, char *ret_error,
                  size_t size)
{
    const struct store_query everything = {0};
    struct recovery recovery = {.driver = driver};
    char error[512] = "";
    enum store_result result = STORE_OK;

    recovery.problems = calloc(1, sizeof(*recovery.problems));
    assert(recovery.problems != NULL);
    result = store->ops->read(store, &everything, visit, &recovery, error,
                              sizeof(error));
    free(recovery.problems);
    if (recovery.error[0] != '\0' || result != STORE_OK) {
        (void)snprintf(ret_error, size, "%s",
                       recovery.error[0] != '\0' ? recovery.error : error);
        return false;
    }
    driver->durable = recovery.last;
    return true;
}
