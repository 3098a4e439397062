#include "controller/cli/online_ask.h"

#include <stdlib.h>
#include <string.h>

#include "controller/cli/transfer.h"
#include "controller/config/template.h"
#include "policies/memory.h"

/* "http://h:9090/api/v1/query" */
static bool make_address(const struct source_config *source,
                         const struct service_config *service, char *ret_url,
                         size_t size, char ret_error[ONLINE_ERROR_MAX])
{
    struct variable variables[CONFIG_VARS_MAX + 2] = {
        {"service", service->service}, {"environment", service->environment}};
    size_t length = 0;

    for (size_t i = 0; i < service->vars_count; i++) {
        variables[i + 2] =
            (struct variable){service->vars[i].name, service->vars[i].value};
    }
    if (!template_expand(source->url, TEMPLATE_URL, variables,
                         service->vars_count + 2, ret_url, size, ret_error,
                         ONLINE_ERROR_MAX)) {
        return false;
    }
    length = strlen(ret_url);
    while (length > 0 && ret_url[length - 1] == '/') {
        length--;
    }
    return snprintf(ret_url + length, size - length, "/api/v1/query") > 0;
}

/* "query=..." for the body of a POST: a long query fits there. */
static char *make_form(CURL *easy, const char *query)
{
    char *escaped = curl_easy_escape(easy, query, 0);
    char *form = NULL;

    if (escaped == NULL || asprintf(&form, "query=%s", escaped) < 0) {
        abort();
    }
    curl_free(escaped);
    return form;
}

static void set_transfer(CURL *easy, const struct source_config *source,
                         const char *url, struct transfer_body *body)
{
    transfer_set(easy, url, 0, (long)source->timeout, body);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    if (source->bearer[0] != '\0') {
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, source->bearer);
    }
}

/* What Prometheus says in its own words, else only its status. */
static json_t *series_of(const struct transfer_body *body, long status,
                         char ret_error[ONLINE_ERROR_MAX])
{
    json_t *answer = body->bytes == NULL
                         ? NULL
                         : json_loadb(body->bytes, body->length, 0, NULL);
    const char *word = "", *error = NULL, *type = NULL;
    json_t *series = NULL;

    if (json_unpack(answer, "{s:s, s:s}", "errorType", &word, "error",
                    &error) == 0) {
        (void)snprintf(ret_error, ONLINE_ERROR_MAX, "%s: %s", word, error);
    } else if (status != 200 ||
               json_unpack(answer, "{s:{s:s, s:o}}", "data", "resultType",
                           &type, "result", &series) != 0) {
        (void)snprintf(ret_error, ONLINE_ERROR_MAX,
                       "answered %ld, not in Prometheus' words; is that "
                       "address a Prometheus?",
                       status);
        series = NULL;
    } else if (strcmp(type, "vector") != 0 || !json_is_array(series)) {
        (void)snprintf(ret_error, ONLINE_ERROR_MAX,
                       "the answer is a %s; an instant vector is wanted, "
                       "one number for each series",
                       type);
        series = NULL;
    }
    json_incref(series);
    json_decref(answer);
    return series;
}

json_t *online_ask(const struct source_config *source,
                   const struct service_config *service, const char *query,
                   char ret_error[ONLINE_ERROR_MAX])
{
    char url[CONFIG_URL_MAX * 2], words[CURL_ERROR_SIZE] = "";
    struct transfer_body body = {.most = ONLINE_ANSWER_MAX};
    json_t *series = NULL;
    char *form = NULL;
    CURL *easy = NULL;
    CURLcode code = CURLE_OK;
    long status = 0;

    ret_error[0] = '\0';
    if (!make_address(source, service, url, sizeof(url), ret_error)) {
        return NULL;
    }
    easy = curl_easy_init();
    if (easy == NULL) {
        abort();
    }
    form = make_form(easy, query);
    set_transfer(easy, source, url, &body);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, words);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, form);
    code = curl_easy_perform(easy);
    if (code == CURLE_OK) {
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        series = series_of(&body, status, ret_error);
    } else {
        (void)snprintf(ret_error, ONLINE_ERROR_MAX, "%s",
                       words[0] != '\0' ? words : curl_easy_strerror(code));
    }
    free(form);
    free(body.bytes);
    curl_easy_cleanup(easy);
    return series;
}
