/* Any bytes as a record: refused with a sentence, or read so that writing it
 * and reading that gives the same record and the same bytes. */
#include "state/record.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record record;
    char *body = NULL, error[512] = "";
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
