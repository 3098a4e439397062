/* Bodies: JSON, members, types, and the problem details of each refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "controller/api/body.h"

static const struct member members[] = {
    {"service", MEMBER_NAME, true},   {"deployed_at", MEMBER_MOMENT, false},
    {"for", MEMBER_SPAN, false},      {"data_change", MEMBER_CHANGE, false},
    {"labels", MEMBER_LABELS, false}, {"key", MEMBER_KEY, false},
    {"reason", MEMBER_REASON, false}, {"intent", MEMBER_FLAG, false},
    {NULL, MEMBER_NAME, false},
};

static json_t *read_good(const char *text)
{
    struct refusal refusal;
    json_t *body = body_read(text, strlen(text), members, &refusal);

    assert_non_null(body);
    return body;
}

static void refused(const char *text, const char *code, const char *field,
                    const char *says)
{
    struct refusal refusal;

    assert_null(body_read(text, strlen(text), members, &refusal));
    assert_int_equal(refusal.status, 400);
    assert_string_equal(refusal.code, code);
    assert_string_equal(refusal.field, field);
    if (strstr(refusal.detail, says) == NULL) {
        fail_msg("'%s' does not say '%s'", refusal.detail, says);
    }
}

static void a_good_body_gives_its_values(void **state)
{
    struct label labels[LABELS_MAX];
    json_t *body = read_good(
        "{\"service\":\"a/b\",\"deployed_at\":\"2024-09-18T14:20:00Z\","
        "\"for\":\"90s\",\"data_change\":\"expand\",\"labels\":{\"team\":\"x "
        "y\"},\"key\":\"k 1\",\"reason\":\"so\",\"intent\":true}");

    (void)state;
    assert_string_equal(body_text(body, "service"), "a/b");
    assert_int_equal(body_moment(body, "deployed_at"), 1726669200000);
    assert_int_equal(body_span(body, "for"), 90000);
    assert_int_equal(body_labels(body, labels), 1);
    assert_string_equal(labels[0].name, "team");
    assert_string_equal(labels[0].value, "x y");
    json_decref(body);
}

static void null_is_not_said(void **state)
{
    json_t *body = read_good("{\"service\":\"a\",\"deployed_at\":null}");

    (void)state;
    assert_int_equal(body_moment(body, "deployed_at"), 0);
    assert_null(body_text(body, "for"));
    json_decref(body);
    refused("{\"service\":null}", "missing_member", "service", "is needed");
}

static void moments_may_be_unix_seconds(void **state)
{
    json_t *body = read_good("{\"service\":\"a\",\"deployed_at\":1726669200}");

    (void)state;
    assert_int_equal(body_moment(body, "deployed_at"), 1726669200000);
    json_decref(body);
    refused("{\"service\":\"a\",\"deployed_at\":1e300}", "bad_value",
            "deployed_at", "a time like");
}

static void what_is_no_object_is_refused(void **state)
{
    (void)state;
    refused("", "bad_json", "", "empty");
    refused("{", "bad_json", "", "line 1");
    refused("[]", "bad_json", "", "object");
    refused("\"x\"", "bad_json", "", "JSON");
    refused("{\"service\":\"a\"} x", "bad_json", "", "line 1");
    refused("{\"service\":\"a\",\"service\":\"b\"}", "bad_json", "",
            "duplicate");
    refused("{\"service\":\"\xff\"}", "bad_json", "", "decode byte");
    refused("{\"service\":NaN}", "bad_json", "", "line 1");
}

static void a_deep_body_is_refused(void **state)
{
    static char deep[40000];

    (void)state;
    memset(deep, '[', sizeof(deep) - 1);
    refused(deep, "bad_json", "", "depth");
}

static void unknown_members_are_named(void **state)
{
    (void)state;
    refused("{\"service\":\"a\",\"servise\":\"b\"}", "unknown_member",
            "servise", "did you mean 'service'");
    refused("{\"service\":\"a\",\"zzzzzzzzz\":1}", "unknown_member",
            "zzzzzzzzz", "there is no member");
    refused("{\"a\\u001bb\":1}", "unknown_member", "a\\x1bb", "\\x1b");
}

static void wrong_types_are_named(void **state)
{
    (void)state;
    refused("{\"service\":1}", "bad_type", "service", "must be a text");
    refused("{\"service\":{}}", "bad_type", "service", "must be a text");
    refused("{\"service\":\"a\",\"labels\":[]}", "bad_value", "labels",
            "an object");
    refused("{\"service\":\"a\",\"labels\":{\"x\":1}}", "bad_value", "labels",
            "names");
    refused("{\"service\":\"a\",\"intent\":\"yes\"}", "bad_value", "intent",
            "true or false");
    refused("{\"service\":\"a\",\"deployed_at\":true}", "bad_type",
            "deployed_at", "must be a text");
}

static void wrong_values_are_named(void **state)
{
    (void)state;
    refused("{\"service\":\"a..b\"}", "bad_value", "service", "a name");
    refused("{\"service\":\"\"}", "bad_value", "service", "a name");
    refused("{\"service\":\"a\",\"deployed_at\":\"yesterday\"}", "bad_value",
            "deployed_at", "a time like");
    refused("{\"service\":\"a\",\"for\":\"2 hours\"}", "bad_value", "for",
            "a span above zero like");
    refused("{\"service\":\"a\",\"for\":\"0s\"}", "bad_value", "for",
            "a span above zero like");
    refused("{\"service\":\"a\",\"data_change\":\"expnd\"}", "bad_value",
            "data_change", "did you mean 'expand'");
    refused("{\"service\":\"a\",\"reason\":\"\"}", "bad_value", "reason",
            "a sentence");
    refused("{\"service\":\"a\",\"reason\":\"two\\nlines\"}", "bad_value",
            "reason", "one line");
    refused("{\"service\":\"a\",\"key\":\"\"}", "bad_value", "key", "bytes");
    refused("{\"deployed_at\":\"2024-09-18T14:20:00Z\"}", "missing_member",
            "service", "service is needed");
}

static void labels_are_bounded(void **state)
{
    char text[2048];
    int length =
        snprintf(text, sizeof(text), "{\"service\":\"a\",\"labels\":{");

    (void)state;
    for (int i = 0; i <= LABELS_MAX; i++) {
        length += snprintf(text + length, sizeof(text) - (size_t)length,
                           "%s\"l%d\":\"v\"", i > 0 ? "," : "", i);
    }
    (void)snprintf(text + length, sizeof(text) - (size_t)length, "}}");
    refused(text, "bad_value", "labels", "at most 16");
}

static void the_digest_is_of_the_meaning(void **state)
{
    json_t *a = read_good("{\"service\":\"a\",\"reason\":\"r\",\"key\":\"1\"}");
    json_t *b = read_good("{ \"reason\":\"r\",\n\"service\":\"\\u0061\" }");
    json_t *c = read_good("{\"service\":\"a\",\"reason\":\"other\"}");
    char digests[3][RECORD_DIGEST_MAX];

    (void)state;
    body_digest(a, "key", digests[0]);
    body_digest(b, "key", digests[1]);
    body_digest(c, "key", digests[2]);
    assert_string_equal(digests[0], digests[1]);
    assert_string_not_equal(digests[0], digests[2]);
    assert_int_equal(strlen(digests[0]), 64);
    json_decref(a);
    json_decref(b);
    json_decref(c);
}

static void a_refusal_is_problem_details(void **state)
{
    struct refusal refusal;
    json_t *json = NULL;

    (void)state;
    assert_false(refuse(&refusal, 409, "key_used", "key", "the key %s", "k"));
    json = refusal_json(&refusal);
    assert_string_equal(json_string_value(json_object_get(json, "type")),
                        "urn:lastgood:problem:key_used");
    assert_string_equal(json_string_value(json_object_get(json, "detail")),
                        "the key k");
    assert_string_equal(json_string_value(json_object_get(json, "code")),
                        "key_used");
    assert_string_equal(json_string_value(json_object_get(json, "field")),
                        "key");
    assert_int_equal(json_integer_value(json_object_get(json, "status")), 409);
    assert_true(json_is_string(json_object_get(json, "title")));
    json_decref(json);
    (void)refuse(&refusal, 503, "full", NULL, "%s", "x\x1by");
    json = refusal_json(&refusal);
    assert_null(json_object_get(json, "field"));
    assert_string_equal(json_string_value(json_object_get(json, "detail")),
                        "x\\x1by");
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_body_gives_its_values),
        cmocka_unit_test(null_is_not_said),
        cmocka_unit_test(moments_may_be_unix_seconds),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(a_deep_body_is_refused),
        cmocka_unit_test(unknown_members_are_named),
        cmocka_unit_test(wrong_types_are_named),
        cmocka_unit_test(wrong_values_are_named),
        cmocka_unit_test(labels_are_bounded),
        cmocka_unit_test(the_digest_is_of_the_meaning),
        cmocka_unit_test(a_refusal_is_problem_details),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
