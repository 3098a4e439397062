/* The fast way to read a record and the slow one agree, whatever byte of a
 * record is another; and what a journal is full of is read the fast way. */
#include "state/record_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "state/record_fields.h"

#define KIND_LAST RECORD_POLICY_BROKEN

static void fill_field(struct record *record, size_t index)
{
    const struct field *field = &record_fields[index];
    void *at = (char *)record + field->offset;
    switch (field->form) {
    case FORM_ID:
        *(uint64_t *)at = 999999999999999999u - index;
        return;
    case FORM_SMALL:
        *(uint16_t *)at = (uint16_t)(UINT16_MAX - index);
        return;
    case FORM_NUMBER:
        *(double *)at = 12345.678;
        return;
    case FORM_SPAN:
        *(time_ms *)at = -1500 - (time_ms)index;
        return;
    case FORM_MOMENT:
        *(time_ms *)at = index % 2 ? TIME_NEVER : 1726669200250;
        return;
    case FORM_FLAG:
        *(bool *)at = true;
        return;
    case FORM_TEXT:
        (void)snprintf(at, field->size, "%s: 1.2 > 5%%", field->name);
        return;
    case FORM_STATE:
    case FORM_GRADE:
    case FORM_ORIGIN:
    case FORM_ROLLBACK:
    case FORM_MODE:
    case FORM_ANSWER:
        *(unsigned *)at = 2;
        return;
    case FORM_LABELS:
    case FORM_PATH:
    case FORM_FROZEN:
    case FORM_BODY:
    case FORM_EXPLANATION:
        return; /* read slowly */
    }
}

static char *plain_record(enum record_kind kind, size_t *ret_length)
{
    struct record record;
    record_init(&record, kind);
    record.sequence = 40 + kind;
    record.epoch = UINT32_MAX;
    record.at = 1726669200000;
    for (size_t i = 0; i < FIELD_LAST; i++) {
        if (record_kind_fields(kind) >> i & 1) {
            fill_field(&record, i);
        }
    }
    return record_to_json(&record, ret_length);
}

/* True when the fast way reads it; then the slow one does, and alike. */
static bool agree(const char *json, size_t length)
{
    struct record fast, slow;
    char *body = NULL, error[512] = "";
    memset(&fast, 0x5a, sizeof fast);
    if (!record_scan(json, length, &fast)) {
        for (size_t i = 0; i < sizeof fast; i++) {
            assert_int_equal(((unsigned char *)&fast)[i], 0x5a);
        }
        return false;
    }
    if (!record_parse(json, length, &slow, &body, error, sizeof error)) {
        fail_msg("%.*s: only the fast way reads this: %s", (int)length, json,
                 error);
    }
    assert_null(body);
    assert_memory_equal(&fast, &slow, sizeof fast);
    return true;
}

static void every_kind_without_lists_is_read_fast(void **state)
{
    (void)state;
    for (unsigned kind = 1; kind <= KIND_LAST; kind++) {
        size_t length = 0;
        char *json = plain_record((enum record_kind)kind, &length);
        if (!agree(json, length)) {
            fail_msg("read slowly: %s", json);
        }
        free(json);
    }
}

static void another_byte_changes_nothing_between_them(void **state)
{
    static const char others[] = "0159-+.eE\"\\,:{}[] \n\x01\x7f\xc3tn";
    size_t fast = 0, slow = 0;
    (void)state;
    for (unsigned kind = 1; kind <= KIND_LAST; kind++) {
        size_t length = 0;
        char *json = plain_record((enum record_kind)kind, &length);
        for (size_t i = 0; i < length; i++) {
            char right = json[i];
            /* NUL too; each place tries a fifth of them, in turn */
            for (size_t j = i % 5; j < sizeof others; j += 5) {
                json[i] = others[j];
                agree(json, length) ? fast++ : slow++;
            }
            json[i] = right;
            assert_false(agree(json, i)); /* cut */
        }
        free(json);
    }
    assert_true(fast > 1000);
    assert_true(slow > 1000);
}

static bool agree_on_number(const char *number)
{
    char json[200];
    int length = snprintf(json, sizeof json,
                          "{\"sequence\":1,\"epoch\":1,"
                          "\"at\":\"2024-09-18T14:20:00Z\","
                          "\"kind\":\"progress\",\"requests\":%s}",
                          number);
    return agree(json, (size_t)length);
}

static void numbers_are_those_of_json(void **state)
{
    static const char *const good[] = {"0",
                                       "7",
                                       "-7",
                                       "0.5",
                                       "-0.5",
                                       "-0.0",
                                       "1e5",
                                       "1e+5",
                                       "1e-05",
                                       "1.5e300",
                                       "123456789012345678"};
    static const char *const bad[] = {
        "",     "-",    "01",   "-01",  "1.",    ".5",
        "1e",   "1e+",  "+1",   "0x1",  "1e999", "-0",
        "nan",  "inf",  "1.5.", "1e5e", "--1",   "1234567890123456789012",
        "true", "\"1\""};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!agree_on_number(good[i])) {
            fail_msg("read slowly: %s", good[i]);
        }
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (agree_on_number(bad[i])) {
            fail_msg("read fast: %s", bad[i]);
        }
    }
}

static void keys_in_another_order_are_read_slowly(void **state)
{
    static const char swapped[] =
        "{\"sequence\":1,\"epoch\":1,\"at\":\"never\",\"kind\":\"progress\","
        "\"looks\":2,\"healthy\":1}";
    static const char twice[] =
        "{\"sequence\":1,\"epoch\":1,\"at\":\"never\",\"kind\":\"progress\","
        "\"looks\":2,\"looks\":2}";
    struct record record;
    char *body = NULL, error[512] = "";
    (void)state;
    assert_false(agree(swapped, sizeof swapped - 1));
    assert_true(record_from_json(swapped, sizeof swapped - 1, &record, &body,
                                 error, sizeof error));
    assert_int_equal(record.looks, 2);
    assert_int_equal(record.healthy, 1);
    assert_false(agree(twice, sizeof twice - 1));
    assert_false(record_from_json(twice, sizeof twice - 1, &record, &body,
                                  error, sizeof error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_without_lists_is_read_fast),
        cmocka_unit_test(another_byte_changes_nothing_between_them),
        cmocka_unit_test(numbers_are_those_of_json),
        cmocka_unit_test(keys_in_another_order_are_read_slowly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
