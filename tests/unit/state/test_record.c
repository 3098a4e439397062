/* Records come back from JSON as they went in; what cannot is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "policies/explain/explain.h"
#include "policies/read/policy_read.h"
#include "state/record_fields.h"

#define ERROR_MAX 512

static const char body[] = "policy: \"x\"\n\tmode: auto\n";
static const char explanation[] = "{\"verdict\":\"rollback\",\"share\":0.1}";

#define KIND_LAST RECORD_POLICY_BROKEN

static void fill_lists(struct record *record)
{
    record->labels_count = 2;
    (void)snprintf(record->labels[0].name, 64, "team");
    (void)snprintf(record->labels[0].value, NAME_MAX_BYTES, "payments");
    (void)snprintf(record->labels[1].name, 64, "team"); /* twice is twice */
    (void)snprintf(record->labels[1].value, NAME_MAX_BYTES, "b");
    record->steps = 2;
    record->path[0] = (struct step){0, ANSWER_YES};
    record->path[1] = (struct step){3, ANSWER_UNKNOWN};
    record->frozens = 4;
    record->frozen[0] = (struct value){.number = 0.1};
    record->frozen[1] = (struct value){.unknown = UNKNOWN_NO_BASELINE};
    record->frozen[2] = (struct value){.number = -0.0};
    record->frozen[3] = (struct value){.number = 1.0 / 3.0};
}

/* Put something that is not empty into @field. */
static void fill_field(struct record *record, size_t index)
{
    const struct field *field = &record_fields[index];
    void *at = (char *)record + field->offset;
    switch (field->form) {
    case FORM_ID:
        *(uint64_t *)at = 1000 + index;
        return;
    case FORM_SMALL:
        *(uint16_t *)at = (uint16_t)(UINT16_MAX - index);
        return;
    case FORM_NUMBER:
        *(double *)at = 12345.678 + (double)index;
        return;
    case FORM_SPAN:
        *(time_ms *)at = -1500 - (time_ms)index;
        return;
    case FORM_MOMENT:
        *(time_ms *)at = 1726669200250 + (time_ms)index * 1000;
        return;
    case FORM_FLAG:
        *(bool *)at = true;
        return;
    case FORM_TEXT:
        (void)snprintf(at, field->size, "%s \"\\/\x01\n\t\xc3\xa9",
                       field->name);
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
        fill_lists(record);
        return;
    case FORM_BODY:
        record->body = body;
        record->body_length = sizeof body - 1;
        return;
    case FORM_EXPLANATION:
        record->body = explanation;
        record->body_length = sizeof explanation - 1;
        return;
    }
}

/* A record of @kind in which every field that it has is filled. */
static void fill(struct record *record, enum record_kind kind)
{
    record_init(record, kind);
    record->sequence = 40 + kind;
    record->epoch = UINT32_MAX;
    record->at = 1726669200000;
    for (size_t i = 0; i < FIELD_LAST; i++) {
        if (record_kind_fields(kind) >> i & 1) {
            fill_field(record, i);
        }
    }
    uint64_t fields = record_kind_fields(kind);
    if (!(fields >> FIELD_LABELS & 1)) {
        memset(record->labels, 0, sizeof record->labels);
        record->labels_count = 0;
    }
    if (!(fields >> FIELD_PATH & 1)) {
        memset(record->path, 0, sizeof record->path);
        record->steps = 0;
    }
    if (!(fields >> FIELD_FROZEN & 1)) {
        memset(record->frozen, 0, sizeof record->frozen);
        record->frozens = 0;
    }
}

static char *written(const struct record *record)
{
    size_t length = 0;
    char *json = record_to_json(record, &length);
    assert_non_null(json);
    assert_int_equal(strlen(json), length);
    return json;
}

static void read_back(const char *json, struct record *record, char **ret_text)
{
    char error[ERROR_MAX] = "";
    bool success = record_from_json(json, strlen(json), record, ret_text, error,
                                    sizeof error);
    if (!success) {
        print_error("%s\n%s\n", error, json);
    }
    assert_true(success);
}

/* All but the body, whose place differs. */
static void check_same(const struct record *a, const struct record *b)
{
    struct record left = *a, right = *b;
    left.body = NULL;
    right.body = NULL;
    assert_memory_equal(&left, &right, sizeof left);
    assert_int_equal(a->body != NULL, b->body != NULL);
    if (a->body) {
        assert_memory_equal(a->body, b->body, a->body_length);
    }
}

static void every_kind_comes_back_with_every_field(void **state)
{
    (void)state;
    for (unsigned kind = 1; kind <= KIND_LAST; kind++) {
        struct record record, found;
        char *text = NULL;
        fill(&record, (enum record_kind)kind);
        char *json = written(&record);
        read_back(json, &found, &text);
        check_same(&record, &found);
        char *again = written(&found);
        assert_string_equal(json, again);
        free(again);
        free(text);
        free(json);
    }
}

static void every_kind_comes_back_empty(void **state)
{
    (void)state;
    for (unsigned kind = 1; kind <= KIND_LAST; kind++) {
        struct record record, found;
        char *text = NULL;
        record_init(&record, (enum record_kind)kind);
        char *json = written(&record);
        read_back(json, &found, &text);
        check_same(&record, &found);
        assert_null(text);
        free(json);
    }
}

/* Every word of every enumeration, and each comes back as itself. */
static void every_state_comes_back(void **state)
{
    (void)state;
    for (unsigned i = 0; form_word(FORM_ROLLBACK, i); i++) {
        struct record record, found;
        char *text = NULL;
        record_init(&record, RECORD_ROLLBACK_MOVED);
        record.rollback_state = (enum rollback_state)i;
        record.mode = (enum mode)(i % 4);
        char *json = written(&record);
        read_back(json, &found, &text);
        check_same(&record, &found);
        free(json);
    }
    for (unsigned i = 0; form_word(FORM_STATE, i); i++) {
        struct record record, found;
        char *text = NULL;
        record_init(&record, RECORD_RELEASE_MOVED);
        record.state = (enum release_state)i;
        record.grade = (enum grade)(i % 4);
        char *json = written(&record);
        read_back(json, &found, &text);
        check_same(&record, &found);
        free(json);
    }
}

static void names_are_the_words_of_the_tables(void **state)
{
    (void)state;
    assert_string_equal(record_kind_name(RECORD_STARTED), "started");
    assert_string_equal(record_kind_name(RECORD_ANNOUNCED), "announced");
    assert_string_equal(release_state_name(RELEASE_CANDIDATE), "candidate");
    assert_string_equal(release_state_name(RELEASE_UNWATCHED), "unwatched");
    assert_string_equal(grade_name(GRADE_TAINTED), "tainted");
    assert_string_equal(origin_name(ORIGIN_ADOPTED), "adopted");
    assert_string_equal(rollback_state_name(ROLLBACK_IN_PROGRESS),
                        "in progress");
    assert_string_equal(rollback_state_name(ROLLBACK_UNVERIFIED), "unverified");
}

static void check_json(const struct record *record, const char *wanted)
{
    char *json = written(record);
    assert_string_equal(json, wanted);
    free(json);
}

static void a_registration_reads_well_alone(void **state)
{
    struct record record;
    (void)state;
    record_init(&record, RECORD_REGISTERED);
    record.sequence = 12;
    record.epoch = 3;
    record.at = 1726669200000;
    record.release = 12;
    (void)snprintf(record.service, sizeof record.service, "user-service");
    (void)snprintf(record.environment, sizeof record.environment, "production");
    (void)snprintf(record.version, sizeof record.version, "2.4.0");
    (void)snprintf(record.previous, sizeof record.previous, "2.3.2");
    record.deployed_at = 1726669199500;
    record.labels_count = 1;
    (void)snprintf(record.labels[0].name, 64, "team");
    (void)snprintf(record.labels[0].value, 64, "users");
    (void)snprintf(record.by, sizeof record.by, "pipeline:ci");
    check_json(&record,
               "{\"sequence\":12,\"epoch\":3,\"at\":\"2024-09-18T14:20:00Z\","
               "\"kind\":\"registered\",\"release\":12,"
               "\"service\":\"user-service\",\"environment\":\"production\","
               "\"version\":\"2.4.0\",\"origin\":\"registered\","
               "\"deployed_at\":\"2024-09-18T14:19:59.500Z\","
               "\"previous\":\"2.3.2\",\"labels\":[[\"team\",\"users\"]],"
               "\"state\":\"candidate\",\"grade\":\"none\","
               "\"by\":\"pipeline:ci\"}");
}

static void an_intent_reads_well_alone(void **state)
{
    struct record record, found;
    char *text = NULL;
    (void)state;
    record_init(&record, RECORD_ROLLBACK_MOVED);
    record.sequence = 90;
    record.epoch = 3;
    record.at = 1726669300000;
    record.release = 12;
    record.incident = 88;
    record.rollback = 89;
    record.freeze = 90;
    record.rollback_state = ROLLBACK_INTENDED;
    record.mode = MODE_AUTO;
    record.until = TIME_NEVER;
    record.on = true;
    (void)snprintf(record.target_version, sizeof record.target_version,
                   "2.3.2");
    check_json(&record,
               "{\"sequence\":90,\"epoch\":3,\"at\":\"2024-09-18T14:21:40Z\","
               "\"kind\":\"rollback_moved\",\"release\":12,\"incident\":88,"
               "\"rollback\":89,\"freeze\":90,\"target_version\":\"2.3.2\","
               "\"rollback_state\":\"intended\",\"mode\":\"auto\","
               "\"until\":\"never\",\"on\":true}");
    char *json = written(&record);
    read_back(json, &found, &text);
    check_same(&record, &found);
    free(json);
}

static void a_baseline_keeps_numbers_to_the_bit(void **state)
{
    struct record record;
    (void)state;
    record_init(&record, RECORD_BASELINE);
    record.sequence = 7;
    fill_lists(&record);
    check_json(&record,
               "{\"sequence\":7,\"epoch\":0,\"at\":\"1970-01-01T00:00:00Z\","
               "\"kind\":\"baseline\",\"frozen\":[0.1,\"no baseline\",-0.0,"
               "0.3333333333333333]}");
}

/* snprintf() cuts inside a character; a journal must stay readable. */
static void bytes_that_are_no_text_become_question_marks(void **state)
{
    struct record record, found;
    char *text = NULL;
    (void)state;
    record_init(&record, RECORD_NOTICE);
    (void)snprintf(
        record.text, sizeof record.text,
        "caf\xc3 \xff \xed\xa0\x80 \xf0\x9f\x92\xa9 \xc0\x80 \xe2\x82");
    char *json = written(&record);
    assert_non_null(
        strstr(json, "\"text\":\"caf? ? ??? \xf0\x9f\x92\xa9 ?? ??\""));
    read_back(json, &found, &text);
    free(json);

    record_init(&record, RECORD_POLICY_SET);
    record.body = "a\0b\xff";
    record.body_length = 4;
    json = written(&record);
    assert_non_null(strstr(json, "\"body\":\"a?b?\""));
    free(json);
    record_init(&record, RECORD_NOTICE);

    /* Full fields stay within their bounds. */
    memset(record.text, 0xff, sizeof record.text - 1);
    memset(record.by, 0x01, sizeof record.by - 1);
    json = written(&record);
    read_back(json, &found, &text);
    assert_int_equal(strlen(found.text), sizeof record.text - 1);
    assert_memory_equal(found.by, record.by, sizeof record.by);
    free(json);
}

static const char small_policy[] =
    "policy: small\n"
    "applies_to: {service: users, environment: production}\n"
    "mode: auto\n"
    "watch: {for: 1h, every: 15s, settle: 15s}\n"
    "signals:\n"
    "  share: {prometheus: up, unit: ratio}\n"
    "tree:\n"
    "  question: Are users hurt?\n"
    "  if: share > 5%\n"
    "  then: {rollback: last_good}\n"
    "  else: healthy\n";

/* The look that decides: lent when written, told whole when read back. */
static void a_verdict_takes_its_explanation_along(void **state)
{
    static struct problems problems;
    static struct verdict verdict;
    static struct record record, found;
    (void)state;
    problems_init(&problems, "small.yaml");
    struct policy *policy = policy_read("small.yaml", small_policy,
                                        sizeof small_policy - 1, &problems);
    assert_non_null(policy);
    struct judge *judge = calloc(1, policy->judge_bytes);
    const struct facts facts = {.service = "users",
                                .environment = "production",
                                .version = "2.4.0",
                                .deployed_at = 1726669200000,
                                .rollback_safe = ANSWER_UNKNOWN};
    const struct sample sample = {.number = 0.12};
    judge_start(policy, judge, facts.deployed_at);
    judge_look(policy, judge, 1726669260000, &sample, &facts, &verdict);

    record_init(&record, RECORD_VERDICT);
    record.sequence = 9;
    record.policy = policy;
    record.verdict = &verdict;
    record.facts = &facts;
    char *json = written(&record), *text = NULL;
    read_back(json, &found, &text);
    assert_non_null(found.body);
    json_t *told = json_loads(found.body, 0, NULL);
    json_t *wanted = explain_verdict(policy, &verdict, &facts);
    assert_string_equal(json_string_value(json_object_get(told, "verdict")),
                        "rollback");
    assert_true(json_equal(told, wanted));
    char *again = written(&found);
    assert_string_equal(json, again);
    json_decref(told);
    json_decref(wanted);
    free(again);
    free(text);
    free(json);
    free(judge);
    policy_free(policy);
}

#define HEAD "{\"sequence\":5,\"epoch\":1,\"at\":\"2024-09-18T14:20:00Z\","

static void check_refused(const char *json, size_t length, const char *why)
{
    struct record record, before;
    char error[ERROR_MAX] = "";
    char *text = NULL;
    memset(&record, 0x5a, sizeof record);
    before = record;
    bool success =
        record_from_json(json, length, &record, &text, error, sizeof error);
    if (success || !strstr(error, why)) {
        print_error("wanted '%s', got '%s'\n", why, error);
    }
    assert_false(success);
    assert_non_null(strstr(error, why));
    assert_null(text);
    assert_memory_equal(&record, &before, sizeof record);
}

static void what_is_no_record_is_refused(void **state)
{
    static const struct {
        const char *json, *why;
    } cases[] = {
        {"", "bad JSON at byte 0"},
        {"[]", "it must be a JSON object"},
        {"{}", "'sequence' is missing"},
        {"{\"sequence\":5}", "'epoch' is missing"},
        {HEAD "\"kind\":\"thawed\"", "bad JSON at byte"},
        {HEAD "\"kind\":\"thawed\"} x", "bad JSON at byte"},
        {HEAD "\"kind\":\"thawed\",\"kind\":\"frozen\"}", "duplicate"},
        {HEAD "\"kind\":\"melted\\u001b\"}", "unknown kind 'melted\\x1"},
        {HEAD "\"kind\":1}", "unknown kind 'no text'"},
        {HEAD "\"kind\":\"thawed\",\"colour\":1}",
         "record 5: a 'thawed' has no field 'colour'"},
        {HEAD "\"kind\":\"thawed\",\"leaf\":1}", "has no field 'leaf' here"},
        {HEAD "\"kind\":\"thawed\",\"until\":\"soon\"}", "'until' must be a t"},
        {HEAD "\"kind\":\"thawed\",\"until\":12}", "'until' must be a time"},
        {HEAD "\"kind\":\"thawed\",\"by\":null}", "'by' must be a text"},
        {HEAD "\"kind\":\"thawed\",\"freeze\":-1}", "'freeze' must be a whole"},
        {HEAD "\"kind\":\"thawed\",\"freeze\":1.0}", "'freeze' must be a who"},
        {HEAD "\"kind\":\"verdict\",\"leaf\":65536}", "from 0 to 65535"},
        {HEAD "\"kind\":\"verdict\",\"unsure\":1}", "must be true or false"},
        {HEAD "\"kind\":\"verdict\",\"root\":\"maybe\"}", "cannot be 'maybe'"},
        {HEAD "\"kind\":\"verdict\",\"root\":[]}", "cannot be 'no text'"},
        {HEAD "\"kind\":\"verdict\",\"requests\":\"1\"}", "must be a number"},
        {HEAD "\"kind\":\"verdict\",\"countdown\":1.5}", "whole milliseconds"},
        {HEAD "\"kind\":\"verdict\",\"path\":{}}", "a list of at most 16"},
        {HEAD "\"kind\":\"verdict\",\"path\":[1]}", "questions and answers"},
        {HEAD "\"kind\":\"verdict\",\"path\":[{\"question\":0,\"a\":1}]}",
         "'answer' cannot be"},
        {HEAD "\"kind\":\"verdict\",\"explanation\":\"x\"}",
         "'explanation' must be a JSON object"},
        {HEAD "\"kind\":\"policy_set\",\"body\":{}}", "'body' must be a text"},
        {HEAD "\"kind\":\"baseline\",\"frozen\":[true]}", "numbers or reasons"},
        {HEAD "\"kind\":\"baseline\",\"frozen\":[\"tired\"]}", "or reasons"},
        {HEAD "\"kind\":\"registered\",\"labels\":[[\"a\"]]}", "pairs of t"},
        {HEAD "\"kind\":\"registered\",\"labels\":[[\"a\",1]]}", "be a text"},
        {"{\"sequence\":-1,\"epoch\":1,\"at\":\"2024-09-18T14:20:00Z\","
         "\"kind\":\"thawed\"}",
         "'sequence' must be a whole number"},
        {"{\"sequence\":1,\"epoch\":4294967296,\"at\":\"never\","
         "\"kind\":\"thawed\"}",
         "'epoch' must be a whole number from 0 to 4294967295"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_refused(cases[i].json, strlen(cases[i].json), cases[i].why);
    }
}

static void what_is_too_long_is_refused(void **state)
{
    char json[512], key[RECORD_KEY_MAX + 1];
    char *large = malloc(RECORD_BYTES_MAX + 1);
    (void)state;
    memset(key, 'k', RECORD_KEY_MAX);
    key[RECORD_KEY_MAX] = '\0';
    (void)snprintf(json, sizeof json,
                   HEAD "\"kind\":\"frozen\",\"key\":\"%s\"}", key);
    check_refused(json, strlen(json), "'key' must be a text of at most 199");
    assert_non_null(large);
    memset(large, ' ', RECORD_BYTES_MAX + 1);
    check_refused(large, RECORD_BYTES_MAX + 1, "more than the limit of 524288");
    free(large);
    static const char nul[] = HEAD "\"kind\":\"frozen\",\"by\":\"a\\u0000b\"}";
    check_refused(nul, sizeof nul - 1, "bad JSON");
}

/* A journal as the first version wrote it.  Fields may be added, so each of
 * the old ones must come back as it is, and more may stand beside them. */
static void the_first_journal_still_replays(void **state)
{
    char *line = NULL;
    size_t room = 0;
    unsigned kinds = 0;
    FILE *file = fopen(TESTS_DIR "/unit/state/journal_1.jsonl", "r");
    (void)state;
    assert_non_null(file);
    while (getline(&line, &room, file) > 0) {
        struct record record;
        char *text = NULL;
        read_back(line, &record, &text);
        assert_int_equal(record.kind, ++kinds);
        char *again = written(&record);
        json_t *old = json_loads(line, 0, NULL),
               *new = json_loads(again, 0, NULL);
        const char *key;
        json_t *value;
        json_object_foreach(old, key, value)
        {
            assert_true(json_equal(value, json_object_get(new, key)));
        }
        json_decref(old);
        json_decref(new);
        free(again);
        free(text);
    }
    assert_int_equal(kinds, 27);
    free(line);
    assert_int_equal(fclose(file), 0);
}

/* `test_record write` prints the journal that the test above reads. */
static int write_journal(void)
{
    for (unsigned kind = 1; kind <= KIND_LAST; kind++) {
        struct record record;
        fill(&record, (enum record_kind)kind);
        char *json = written(&record);
        (void)puts(json);
        free(json);
    }
    return 0;
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_comes_back_with_every_field),
        cmocka_unit_test(every_kind_comes_back_empty),
        cmocka_unit_test(every_state_comes_back),
        cmocka_unit_test(names_are_the_words_of_the_tables),
        cmocka_unit_test(a_registration_reads_well_alone),
        cmocka_unit_test(an_intent_reads_well_alone),
        cmocka_unit_test(a_baseline_keeps_numbers_to_the_bit),
        cmocka_unit_test(bytes_that_are_no_text_become_question_marks),
        cmocka_unit_test(a_verdict_takes_its_explanation_along),
        cmocka_unit_test(what_is_no_record_is_refused),
        cmocka_unit_test(what_is_too_long_is_refused),
        cmocka_unit_test(the_first_journal_still_replays),
    };
    if (count == 2 && !strcmp(arguments[1], "write")) {
        return write_journal();
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
