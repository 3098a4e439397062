#include "controller/targets/http_meaning.h"

#include <stdarg.h>
#include <string.h>

#include <jansson.h>

#include "controller/targets/json_pointer.h"

/* --- Saying --------------------------------------------------------------- */

/* "GET http://d/version: 200 OK" */
static void set_meaning(struct http_meaning *meaning, enum target_result result,
                        const struct http_answer *answer)
{
    meaning->result = result;
    (void)snprintf(meaning->text, sizeof(meaning->text), "%s", answer->text);
}

/* The same and ": why". */
__attribute__((format(printf, 4, 5))) static void
explain(struct http_meaning *meaning, enum target_result result,
        const struct http_answer *answer, const char *why, ...)
{
    size_t used = 0;
    va_list arguments;

    meaning->result = result;
    (void)snprintf(meaning->text, sizeof(meaning->text), "%s: ", answer->text);
    used = strlen(meaning->text);
    va_start(arguments, why);
    (void)vsnprintf(meaning->text + used, sizeof(meaning->text) - used, why,
                    arguments);
    va_end(arguments);
}

/* --- Statuses ------------------------------------------------------------- */

static bool is_yes(int status)
{
    return status >= 200 && status < 300;
}

/* It may have happened all the same, or may if asked again. */
static bool is_unclear(int status)
{
    return status < 200 || status >= 500 || status == 408 || status == 425 ||
           status == 429;
}

static void set_refusal(struct http_meaning *meaning,
                        const struct http_answer *answer)
{
    if (is_unclear(answer->status)) {
        set_meaning(meaning, TARGET_UNCLEAR, answer);
    } else if (answer->status < 400) {
        explain(meaning, TARGET_REJECTED, answer,
                "redirects are not followed; give the final address in "
                "the configuration");
    } else {
        set_meaning(meaning, TARGET_REJECTED, answer);
    }
}

/* --- Live ----------------------------------------------------------------- */

/* The body's first words, escaped. */
static const char *begin_of(const struct http_answer *answer,
                            char ret_text[HTTP_BEGIN_MAX])
{
    char start[HTTP_BEGIN_MAX];

    http_begin_of(answer, start);
    text_escape(start, ret_text, HTTP_BEGIN_MAX);
    return ret_text;
}

static bool looks_like_html(const struct http_answer *answer)
{
    const char *at = answer->body + strspn(answer->body, " \t\r\n");

    return at[0] == '<' || strstr(answer->content_type, "html") != NULL;
}

static json_t *read_document(const struct http_answer *answer,
                             struct http_meaning *meaning)
{
    char begin[HTTP_BEGIN_MAX];
    json_t *document = NULL;

    if (looks_like_html(answer)) {
        explain(meaning, TARGET_UNCLEAR, answer,
                "this is a page, not JSON; is the address right? It begins "
                "with %s",
                begin_of(answer, begin));
        return NULL;
    }
    document =
        json_loadb(answer->body, answer->length, JSON_REJECT_DUPLICATES, NULL);
    if (document == NULL) {
        explain(meaning, TARGET_UNCLEAR, answer, "this is not JSON%s%s",
                answer->length == 0 ? ": it is empty" : "; it begins with ",
                begin_of(answer, begin));
    }
    return document;
}

static const char *kind_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        return "null";
    }
    return "something else";
}

/* A version is a string, or a whole number (a build's); 1.10 as a number has
 * already lost its zero. */
static bool read_version(const json_t *value, const char *pointer,
                         const struct http_answer *answer,
                         struct http_meaning *meaning)
{
    char text[NAME_MAX_BYTES + 1] = "";

    if (value == NULL) {
        explain(meaning, TARGET_UNCLEAR, answer, "there is no version at %s",
                pointer);
        return false;
    }
    if (json_is_integer(value)) {
        (void)snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT,
                       json_integer_value(value));
    } else if (json_is_string(value) &&
               json_string_length(value) <= NAME_MAX_BYTES) {
        (void)snprintf(text, sizeof(text), "%s", json_string_value(value));
    } else if (!json_is_string(value)) {
        explain(meaning, TARGET_UNCLEAR, answer,
                "the version at %s is %s, not a string", pointer,
                kind_of(value));
        return false;
    }
    if (!name_is_valid(text)) {
        explain(meaning, TARGET_UNCLEAR, answer,
                "the version at %s is no version's name (letters, digits "
                "and . _ + : @ / -, at most %d)",
                pointer, NAME_MAX_BYTES);
        return false;
    }
    memcpy(meaning->version, text, sizeof(text));
    return true;
}

static bool read_complete(const json_t *document, const char *pointer,
                          const struct http_answer *answer,
                          struct http_meaning *meaning)
{
    const json_t *value = NULL;

    meaning->complete = true;
    if (pointer[0] == '\0') {
        return true;
    }
    value = json_pointer_get(document, pointer);
    if (value == NULL) {
        explain(meaning, TARGET_UNCLEAR, answer, "there is nothing at %s",
                pointer);
        return false;
    }
    if (!json_is_boolean(value)) {
        explain(meaning, TARGET_UNCLEAR, answer, "%s is %s, not true or false",
                pointer, kind_of(value));
        return false;
    }
    meaning->complete = json_is_true(value);
    return true;
}

void http_meaning_of_live(const struct call_config *live,
                          const struct http_answer *answer,
                          struct http_meaning *ret_meaning)
{
    json_t *document = NULL;

    memset(ret_meaning, 0, sizeof(*ret_meaning));
    if (answer->end != HTTP_ANSWERED) {
        set_meaning(ret_meaning, TARGET_UNCLEAR, answer);
        return;
    }
    if (!is_yes(answer->status)) {
        set_refusal(ret_meaning, answer);
        return;
    }
    document = read_document(answer, ret_meaning);
    if (document == NULL) {
        return;
    }
    if (read_version(json_pointer_get(document, live->version_pointer),
                     live->version_pointer, answer, ret_meaning) &&
        read_complete(document, live->complete_pointer, answer, ret_meaning)) {
        set_meaning(ret_meaning, TARGET_OBSERVED, answer);
    }
    json_decref(document);
}

/* --- Has and revert ------------------------------------------------------- */

void http_meaning_of_has(const struct http_answer *answer,
                         struct http_meaning *ret_meaning)
{
    bool answered = answer->end == HTTP_ANSWERED;

    memset(ret_meaning, 0, sizeof(*ret_meaning));
    ret_meaning->has = answered && is_yes(answer->status);
    if (ret_meaning->has || (answered && answer->status == 404)) {
        set_meaning(ret_meaning, TARGET_OBSERVED, answer);
    } else {
        explain(ret_meaning, TARGET_UNCLEAR, answer,
                "neither a yes (2xx) nor a no (404)");
    }
}

static bool lists(const int *statuses, size_t count, int status)
{
    for (size_t i = 0; i < count; i++) {
        if (statuses[i] == status) {
            return true;
        }
    }
    return false;
}

void http_meaning_of_revert(const struct call_config *revert,
                            const struct http_answer *answer,
                            struct http_meaning *ret_meaning)
{
    int status = answer->status;

    memset(ret_meaning, 0, sizeof(*ret_meaning));
    if (answer->end != HTTP_ANSWERED) {
        set_meaning(ret_meaning, TARGET_UNCLEAR, answer);
    } else if (lists(revert->ok, revert->ok_count, status) ||
               (revert->ok_count == 0 && is_yes(status))) {
        set_meaning(ret_meaning, TARGET_ACCEPTED, answer);
    } else if (lists(revert->raced, revert->raced_count, status)) {
        set_meaning(ret_meaning, TARGET_RACED, answer);
    } else if (is_yes(status)) {
        explain(ret_meaning, TARGET_UNCLEAR, answer,
                "this status is not among the configuration's 'ok'");
    } else {
        set_refusal(ret_meaning, answer);
    }
}
