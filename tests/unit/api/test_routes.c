/* The table of routes and the API's document are one. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "controller/api/routes.h"
#include "help_openapi.h"

static const struct route *find(const char *method, const char *raw,
                                struct refusal *refusal)
{
    struct target target;
    char error[256];

    assert_true(target_read(raw, &target, error, sizeof(error)));
    return route_find(method, &target, refusal);
}

static void paths_lead_to_their_handlers(void **state)
{
    struct refusal refusal;

    (void)state;
    assert_ptr_equal(find("GET", "/v1/releases", &refusal)->handle,
                     releases_list);
    assert_ptr_equal(find("POST", "/v1/releases", &refusal)->handle,
                     releases_register);
    assert_ptr_equal(find("GET", "/v1/releases/7", &refusal)->handle,
                     releases_one);
    assert_ptr_equal(find("POST", "/v1/releases/7/hold", &refusal)->handle,
                     releases_hold);
    assert_ptr_equal(find("HEAD", "/healthz", &refusal)->handle, fleet_health);
    assert_ptr_equal(find("GET", "/v1/gate?service=a", &refusal)->handle,
                     gate_ask);
}

static void other_paths_are_404(void **state)
{
    static const char *const paths[] = {
        "/",
        "/v1",
        "/v2/releases",
        "/v1/releases/7/hold/x",
        "/v1/releasesx",
        "/healthz/x",
        "/v1/releases/7/fold",
    };
    struct refusal refusal;

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        assert_null(find("GET", paths[i], &refusal));
        assert_int_equal(refusal.status, 404);
    }
}

static void other_methods_are_405_with_allow(void **state)
{
    struct refusal refusal;

    (void)state;
    assert_null(find("DELETE", "/v1/releases", &refusal));
    assert_int_equal(refusal.status, 405);
    assert_string_equal(refusal.allow, "GET, HEAD, POST");
    assert_null(find("POST", "/healthz", &refusal));
    assert_int_equal(refusal.status, 405);
    assert_string_equal(refusal.allow, "GET, HEAD");
    assert_null(find("GET", "/v1/thaw", &refusal));
    assert_int_equal(refusal.status, 405);
    assert_string_equal(refusal.allow, "POST");
    assert_null(find("get", "/healthz", &refusal));
    assert_int_equal(refusal.status, 405);
}

static void unknown_parameters_are_named(void **state)
{
    struct refusal refusal;

    (void)state;
    assert_null(find("GET", "/v1/gate?servise=a", &refusal));
    assert_int_equal(refusal.status, 400);
    assert_string_equal(refusal.code, "unknown_parameter");
    assert_string_equal(refusal.field, "servise");
    assert_non_null(strstr(refusal.detail, "service environment version"));
    assert_null(find("GET", "/healthz?x=1", &refusal));
    assert_int_equal(refusal.status, 400);
}

/* --- Table and document --------------------------------------------------- */

static bool has_word(const char *words, const char *word)
{
    const char *found = strstr(words, word);
    size_t length = strlen(word);

    while (found != NULL && ((found != words && found[-1] != ' ') ||
                             (found[length] != ' ' && found[length] != '\0'))) {
        found = strstr(found + 1, word);
    }
    return found != NULL;
}

static size_t count_words(const char *words)
{
    size_t count = words[0] != '\0' ? 1 : 0;

    for (; *words != '\0'; words++) {
        count += *words == ' ' ? 1 : 0;
    }
    return count;
}

static void every_route_is_documented_with_its_parameters(void **state)
{
    json_t *document = openapi_load();

    (void)state;
    for (const struct route *route = routes(); route->method != NULL; route++) {
        const json_t *operation =
            openapi_operation(document, route->pattern, route->method);
        const json_t *parameters = NULL;
        size_t in_query = 0;

        if (operation == NULL) {
            fail_msg("%s %s is not documented", route->method, route->pattern);
        }
        parameters = json_object_get(operation, "parameters");
        for (size_t i = 0; i < json_array_size(parameters); i++) {
            const json_t *one =
                openapi_follow(document, json_array_get(parameters, i));
            const char *name = json_string_value(json_object_get(one, "name"));
            const char *in = json_string_value(json_object_get(one, "in"));

            if (strcmp(in, "query") == 0) {
                in_query++;
                assert_true(has_word(route->parameters, name));
            }
        }
        assert_int_equal(in_query, count_words(route->parameters));
    }
    json_decref(document);
}

static bool is_a_route(const char *pattern, const char *method)
{
    for (const struct route *route = routes(); route->method != NULL; route++) {
        if (strcmp(route->pattern, pattern) == 0 &&
            strcasecmp(route->method, method) == 0) {
            return true;
        }
    }
    return false;
}

static void every_documented_operation_is_a_route(void **state)
{
    json_t *document = openapi_load();
    const char *pattern = NULL, *method = NULL;
    json_t *path = NULL, *operation = NULL;

    (void)state;
    json_object_foreach(json_object_get(document, "paths"), pattern, path)
    {
        json_object_foreach(path, method, operation)
        {
            if (strcmp(method, "parameters") != 0 &&
                !is_a_route(pattern, method)) {
                fail_msg("%s %s is documented and not there", method, pattern);
            }
        }
    }
    json_decref(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_lead_to_their_handlers),
        cmocka_unit_test(other_paths_are_404),
        cmocka_unit_test(other_methods_are_405_with_allow),
        cmocka_unit_test(unknown_parameters_are_named),
        cmocka_unit_test(every_route_is_documented_with_its_parameters),
        cmocka_unit_test(every_documented_operation_is_a_route),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
