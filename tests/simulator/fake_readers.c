/* Two readers are pure functions of a text, and slow: the same text is read
 * once.  Policies are remembered for ever, there are few; records until the
 * next world begins. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policies/memory.h"
#include "policies/read/policy_read.h"
#include "tests/simulator/world.h"

/* ---- policy_read() ------------------------------------------------------ */

#define REMEMBERED_MAX 512

static struct {
    uint64_t hash;
    struct policy *policy;
} remembered[REMEMBERED_MAX];
static size_t remembered_count;

struct policy *__real_policy_read(const char *path, const char *source,
                                  size_t length, struct problems *problems);
struct policy *__wrap_policy_read(const char *path, const char *source,
                                  size_t length, struct problems *problems);

static uint64_t hash_of(const char *text, size_t length)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    }
    return hash;
}

static const struct policy *read_once(const char *path, const char *source,
                                      size_t length, struct problems *problems)
{
    const uint64_t hash = hash_of(source, length);
    for (size_t i = 0; i < remembered_count; i++) {
        if (remembered[i].hash == hash) {
            return remembered[i].policy;
        }
    }
    assert(remembered_count < REMEMBERED_MAX);
    struct policy *policy = __real_policy_read(path, source, length, problems);
    if (policy == NULL) {
        problems_print(problems, source, length, false, stderr);
    }
    assert(policy != NULL);
    remembered[remembered_count].hash = hash;
    remembered[remembered_count++].policy = policy;
    return policy;
}

struct policy *__wrap_policy_read(const char *path, const char *source,
                                  size_t length, struct problems *problems)
{
    const struct policy *policy = read_once(path, source, length, problems);
    return (struct policy *)memory_copy((const char *)policy, policy->bytes);
}

/* ---- record_from_json() ------------------------------------------------- */

#define RECORDS_MAX 8192

static struct read_record {
    char *json, *body;
    size_t length, body_length;
    struct record *record;
} records[RECORDS_MAX];
static size_t records_count;

bool __real_record_from_json(const char *json, size_t length,
                             struct record *record, char **ret_body,
                             char *ret_error, size_t error_size);
bool __wrap_record_from_json(const char *json, size_t length,
                             struct record *record, char **ret_body,
                             char *ret_error, size_t error_size);

void fake_readers_begin(void)
{
    for (size_t i = 0; i < records_count; i++) {
        free(records[i].json);
        free(records[i].body);
        records[i].json = records[i].body = NULL;
        records[i].length = 0; /* its record is kept for the next one */
    }
    records_count = 0;
}

/* {"sequence":17, ... */
static size_t place_of(const char *json)
{
    static const char begin[] = "{\"sequence\":";
    assert(strncmp(json, begin, sizeof begin - 1) == 0);
    const size_t place = (size_t)strtoul(json + sizeof begin - 1, NULL, 10);
    assert(place < RECORDS_MAX);
    return place;
}

static void give(const struct read_record *known, struct record *record,
                 char **ret_body)
{
    *record = *known->record;
    *ret_body = known->body == NULL
                    ? NULL
                    : memory_copy(known->body, known->body_length);
    record->body = *ret_body;
}

bool __wrap_record_from_json(const char *json, size_t length,
                             struct record *record, char **ret_body,
                             char *ret_error, size_t error_size)
{
    struct read_record *known = &records[place_of(json)];
    if (known->length == length && memcmp(known->json, json, length) == 0) {
        give(known, record, ret_body);
        return true;
    }
    if (!__real_record_from_json(json, length, record, ret_body, ret_error,
                                 error_size)) {
        return false;
    }
    free(known->json);
    free(known->body);
    known->json = memory_copy(json, length);
    known->length = length;
    known->body_length = record->body_length;
    known->body =
        *ret_body == NULL ? NULL : memory_copy(*ret_body, record->body_length);
    known->record = known->record != NULL
                        ? known->record
                        : memory_resized(NULL, sizeof *known->record);
    *known->record = *record;
    const size_t place = (size_t)(known - records);
    records_count = place >= records_count ? place + 1 : records_count;
    return true;
}
