/* Any bytes as a record: refused with a sentence, or read so that writing it
 * and reading that gives the same record and the same bytes. */
#include "state/record_scan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_comes_back(const struct record *record)
{
    struct record found;
    char *body = NULL, error[512] = "";
    size_t length = 0, again_length = 0;
    char *json = record_to_json(record, &length);
    bool success =
        record_from_json(json, length, &found, &body, error, sizeof error);
    assert(success);
    assert(found.sequence == record->sequence);
    assert(found.kind == record->kind);
    assert(found.body_length == record->body_length);
    char *again = record_to_json(&found, &again_length);
    assert(again_length == length);
    assert(memcmp(json, again, length) == 0);
    free(again);
    free(body);
    free(json);
}

/* What the fast way reads, the slow way reads too, and alike. */
static void check_both_ways(const char *json, size_t length)
{
    struct record fast, slow;
    char *body = NULL, error[512] = "";
    size_t fast_length = 0, slow_length = 0;
    if (!record_scan(json, length, &fast)) {
        return;
    }
    bool success =
        record_parse(json, length, &slow, &body, error, sizeof error);
    assert(success);
    assert(!body);
    char *fast_json = record_to_json(&fast, &fast_length);
    char *slow_json = record_to_json(&slow, &slow_length);
    assert(fast_length == slow_length);
    assert(memcmp(fast_json, slow_json, fast_length) == 0);
    free(slow_json);
    free(fast_json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record record;
    char *body = NULL, error[512] = "";
    check_both_ways((const char *)data, size);
    if (record_from_json((const char *)data, size, &record, &body, error,
                         sizeof error)) {
        assert(error[0] == '\0');
        check_comes_back(&record);
    } else {
        assert(!body);
        assert(error[0] != '\0');
        assert(!strchr(error, '\n'));
    }
    free(body);
    return 0;
}
