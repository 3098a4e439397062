/* What a deployment API's answer means, status by status and body by body. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "controller/targets/http_meaning.h"

static struct call_config make_live(void)
{
    struct call_config live = {.given = true, .method = "GET"};

    (void)strcpy(live.version_pointer, "/version");
    (void)strcpy(live.complete_pointer, "/ready");
    return live;
}

static struct http_answer answered(int status, const char *body)
{
    struct http_answer answer = {.end = HTTP_ANSWERED,
                                 .status = status,
                                 .content_type = "application/json",
                                 .body = body,
                                 .length = strlen(body)};

    (void)snprintf(answer.text, sizeof(answer.text), "GET http://d/v: %d",
                   status);
    return answer;
}

static void look(const char *body, struct http_meaning *ret_meaning)
{
    const struct call_config live = make_live();
    const struct http_answer answer = answered(200, body);

    http_meaning_of_live(&live, &answer, ret_meaning);
}

/* --- Live ----------------------------------------------------------------- */

static void a_version_is_observed(void **state)
{
    static const struct {
        const char *body, *version;
        bool complete;
    } good[] = {
        {"{\"version\": \"2.4.0\", \"ready\": true}", "2.4.0", true},
        {"{\"version\": \"2.4.0\", \"ready\": false}", "2.4.0", false},
        {" {\"ready\": true, \"version\": 42}\n", "42", true},
        {"{\"version\": \"sha256:ab/c@d+e\", \"ready\": true, \"x\": [1.5]}",
         "sha256:ab/c@d+e", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct http_meaning meaning;

        look(good[i].body, &meaning);
        assert_int_equal(meaning.result, TARGET_OBSERVED);
        assert_string_equal(meaning.version, good[i].version);
        assert_int_equal(meaning.complete, good[i].complete);
        assert_string_equal(meaning.text, "GET http://d/v: 200");
    }
}

static void without_a_pointer_live_is_complete(void **state)
{
    struct call_config live = make_live();
    const struct http_answer answer =
        answered(200, "{\"version\": \"1\", \"ready\": false}");
    struct http_meaning meaning;

    (void)state;
    live.complete_pointer[0] = '\0';
    http_meaning_of_live(&live, &answer, &meaning);
    assert_int_equal(meaning.result, TARGET_OBSERVED);
    assert_true(meaning.complete);
}

static void what_cannot_be_understood_is_unclear_with_a_sentence(void **state)
{
    static const struct {
        const char *body, *text;
    } bad[] = {
        {"", "this is not JSON: it is empty"},
        {"<html>\nhello\x1b</html>",
         "this is a page, not JSON; is the address right? It begins with "
         "<html> hello\\x1b</html>"},
        {" \n<!doctype html>", "this is a page, not JSON"},
        {"2.4.0", "this is not JSON; it begins with 2.4.0"},
        {"\"2.4.0\"", "this is not JSON"},
        {"{\"version\": NaN, \"ready\": true}", "this is not JSON"},
        {"{\"version\": \"1\", \"version\": \"2\"}", "this is not JSON"},
        {"{\"version\": \"1\"} x", "this is not JSON"},
        {"{}", "there is no version at /version"},
        {"[]", "there is no version at /version"},
        {"{\"version\": null}", "the version at /version is null"},
        {"{\"version\": 1.10}", "the version at /version is a number"},
        {"{\"version\": {}}", "the version at /version is an object"},
        {"{\"version\": []}", "the version at /version is an array"},
        {"{\"version\": true}", "the version at /version is true or false"},
        {"{\"version\": \"\"}", "no version's name"},
        {"{\"version\": \"a b\"}", "no version's name"},
        {"{\"version\": \"../x\"}", "no version's name"},
        {"{\"version\": -1}", "no version's name"},
        {"{\"version\": \"1\"}", "there is nothing at /ready"},
        {"{\"version\": \"1\", \"ready\": \"true\"}",
         "/ready is a string, not true or false"},
        {"{\"version\": \"1\", \"ready\": 1}",
         "/ready is a number, not true or false"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct http_meaning meaning;

        look(bad[i].body, &meaning);
        assert_int_equal(meaning.result, TARGET_UNCLEAR);
        if (strstr(meaning.text, bad[i].text) == NULL) {
            print_error("%s: %s\n", bad[i].body, meaning.text);
        }
        assert_non_null(strstr(meaning.text, bad[i].text));
        assert_int_equal(strncmp(meaning.text, "GET http://d/v: 200: ", 21), 0);
    }
}

static void a_name_of_129_bytes_is_no_version(void **state)
{
    char body[256];
    struct http_meaning meaning;

    (void)state;
    (void)snprintf(body, sizeof(body), "{\"version\": \"%0129d\"}", 1);
    look(body, &meaning);
    assert_int_equal(meaning.result, TARGET_UNCLEAR);
    (void)snprintf(body, sizeof(body),
                   "{\"version\": \"%0128d\", \"ready\": true}", 1);
    look(body, &meaning);
    assert_int_equal(meaning.result, TARGET_OBSERVED);
}

static void a_page_says_so_by_its_type_too(void **state)
{
    const struct call_config live = make_live();
    struct http_answer answer = answered(200, "Sign in");
    struct http_meaning meaning;

    (void)state;
    answer.content_type = "text/html; charset=utf-8";
    http_meaning_of_live(&live, &answer, &meaning);
    assert_int_equal(meaning.result, TARGET_UNCLEAR);
    assert_non_null(strstr(meaning.text, "this is a page, not JSON"));
}

static void a_nul_in_the_body_hides_nothing(void **state)
{
    static const char body[] = "{\"version\": \"1\", \"ready\": true}\0{";
    const struct call_config live = make_live();
    struct http_answer answer = answered(200, body);
    struct http_meaning meaning;

    (void)state;
    answer.length = sizeof(body) - 1;
    http_meaning_of_live(&live, &answer, &meaning);
    assert_int_equal(meaning.result, TARGET_UNCLEAR);
}

/* --- Statuses and ends ---------------------------------------------------- */

static enum target_result live_of(int status)
{
    const struct call_config live = make_live();
    const struct http_answer answer =
        answered(status, "{\"version\": \"1\", \"ready\": true}");
    struct http_meaning meaning;

    http_meaning_of_live(&live, &answer, &meaning);
    return meaning.result;
}

static enum target_result revert_of(const struct call_config *revert,
                                    int status)
{
    const struct http_answer answer = answered(status, "words");
    struct http_meaning meaning;

    http_meaning_of_revert(revert, &answer, &meaning);
    return meaning.result;
}

static void every_status_has_its_meaning(void **state)
{
    const struct call_config plain = {.given = true, .method = "POST"};

    (void)state;
    for (int status = 100; status < 600; status++) {
        enum target_result wanted = TARGET_UNCLEAR;

        if (status >= 300 && status < 500 && status != 408 && status != 425 &&
            status != 429) {
            wanted = TARGET_REJECTED;
        }
        if (status / 100 == 2) {
            assert_int_equal(live_of(status), TARGET_OBSERVED);
            assert_int_equal(revert_of(&plain, status), TARGET_ACCEPTED);
        } else {
            assert_int_equal(live_of(status), wanted);
            assert_int_equal(revert_of(&plain, status), wanted);
        }
    }
}

static void the_lists_of_a_revert_win(void **state)
{
    const struct call_config revert = {.given = true,
                                       .method = "POST",
                                       .ok = {200, 304},
                                       .ok_count = 2,
                                       .raced = {409, 429},
                                       .raced_count = 2};

    (void)state;
    assert_int_equal(revert_of(&revert, 200), TARGET_ACCEPTED);
    assert_int_equal(revert_of(&revert, 304), TARGET_ACCEPTED);
    assert_int_equal(revert_of(&revert, 202), TARGET_UNCLEAR);
    assert_int_equal(revert_of(&revert, 409), TARGET_RACED);
    assert_int_equal(revert_of(&revert, 429), TARGET_RACED);
    assert_int_equal(revert_of(&revert, 412), TARGET_REJECTED);
}

static void a_redirect_is_said_not_to_be_followed(void **state)
{
    const struct call_config revert = {.given = true, .method = "POST"};
    const struct http_answer answer = answered(302, "");
    struct http_meaning meaning;

    (void)state;
    http_meaning_of_revert(&revert, &answer, &meaning);
    assert_string_equal(meaning.text,
                        "GET http://d/v: 302: redirects are not followed; "
                        "give the final address in the configuration");
}

static void has_is_yes_no_or_unclear(void **state)
{
    (void)state;
    for (int status = 100; status < 600; status++) {
        const struct http_answer answer = answered(status, "<html>");
        struct http_meaning meaning;

        http_meaning_of_has(&answer, &meaning);
        assert_int_equal(meaning.has, status / 100 == 2);
        assert_int_equal(meaning.result, status / 100 == 2 || status == 404
                                             ? TARGET_OBSERVED
                                             : TARGET_UNCLEAR);
    }
}

static void without_a_whole_answer_all_is_unclear(void **state)
{
    const struct call_config live = make_live();

    (void)state;
    for (int end = HTTP_TIMED_OUT; end <= HTTP_CANCELLED; end++) {
        struct http_answer answer = answered(200, "{\"version\": \"1\"}");
        struct http_meaning meaning;

        answer.end = (enum http_end)end;
        http_meaning_of_live(&live, &answer, &meaning);
        assert_int_equal(meaning.result, TARGET_UNCLEAR);
        http_meaning_of_has(&answer, &meaning);
        assert_int_equal(meaning.result, TARGET_UNCLEAR);
        assert_false(meaning.has);
        http_meaning_of_revert(&live, &answer, &meaning);
        assert_int_equal(meaning.result, TARGET_UNCLEAR);
        assert_string_equal(meaning.text, "GET http://d/v: 200");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_version_is_observed),
        cmocka_unit_test(without_a_pointer_live_is_complete),
        cmocka_unit_test(what_cannot_be_understood_is_unclear_with_a_sentence),
        cmocka_unit_test(a_name_of_129_bytes_is_no_version),
        cmocka_unit_test(a_page_says_so_by_its_type_too),
        cmocka_unit_test(a_nul_in_the_body_hides_nothing),
        cmocka_unit_test(every_status_has_its_meaning),
        cmocka_unit_test(the_lists_of_a_revert_win),
        cmocka_unit_test(a_redirect_is_said_not_to_be_followed),
        cmocka_unit_test(has_is_yes_no_or_unclear),
        cmocka_unit_test(without_a_whole_answer_all_is_unclear),
    };

    return cmocka_run_group_tests_name("http_meaning", tests, NULL, NULL);
}
