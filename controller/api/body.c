#include "controller/api/body.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "policies/problem.h"

#define MEMBERS_MAX 24

/* --- The forms of texts --------------------------------------------------- */

static bool wrong(const struct member *member, struct refusal *ret_refusal,
                  const char *needed)
{
    return refuse(ret_refusal, 400, "bad_value", member->name, "%s must be %s",
                  member->name, needed);
}

static bool check_change(const char *text, const struct member *member,
                         struct refusal *ret_refusal)
{
    static const char *const words[] = {"none", "expand", "contract",
                                        "irreversible"};
    const char *nearest = NULL;

    for (size_t i = 0; i < 4; i++) {
        if (strcmp(text, words[i]) == 0) {
            return true;
        }
    }
    nearest = nearest_name(text, words, 4);
    return refuse(
        ret_refusal, 400, "bad_value", member->name,
        "%s is none, expand, contract or irreversible, not '%s'%s%s%s",
        member->name, text, nearest != NULL ? "; did you mean '" : "",
        nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
}

bool body_check_text(const char *text, const struct member *member,
                     struct refusal *ret_refusal)
{
    time_ms moment = 0;

    switch (member->form) {
    case MEMBER_NAME:
        return name_is_valid(text) ||
               wrong(member, ret_refusal,
                     "a name: letters, digits and ._+:@/- after a letter or "
                     "digit, at most 128, without '..'");
    case MEMBER_MOMENT:
        return moment_read(text, &moment) ||
               wrong(member, ret_refusal,
                     "a time like 2024-09-18T14:20:00Z, or Unix seconds");
    case MEMBER_SPAN:
        return (duration_read(text, &moment) && moment > 0) ||
               wrong(member, ret_refusal,
                     "a span above zero like 90s, 30m or 24h, at most 366d");
    case MEMBER_CHANGE:
        return check_change(text, member, ret_refusal);
    case MEMBER_KEY:
        return (text[0] != '\0' && strlen(text) < RECORD_KEY_MAX &&
                !text_has_control(text)) ||
               wrong(member, ret_refusal,
                     "1 to 199 bytes without control characters");
    case MEMBER_REASON:
        return (text[0] != '\0' && strlen(text) <= REASON_MAX &&
                !text_has_control(text)) ||
               wrong(member, ret_refusal,
                     "a sentence of 1 to 500 bytes, in one line");
    case MEMBER_LABELS:
    case MEMBER_FLAG:
        break;
    }
    return wrong(member, ret_refusal,
                 member->form == MEMBER_FLAG ? "true or false" : "an object");
}

/* --- The forms of members ------------------------------------------------- */

static bool check_labels(json_t *labels, const struct member *member,
                         struct refusal *ret_refusal)
{
    const char *name = NULL;
    json_t *value = NULL;
    bool good = true;

    if (!json_is_object(labels)) {
        return wrong(member, ret_refusal, "an object of texts");
    }
    if (json_object_size(labels) > LABELS_MAX) {
        return wrong(member, ret_refusal, "an object of at most 16 texts");
    }
    json_object_foreach(labels, name, value)
    {
        const char *text = json_string_value(value);

        good = good && text != NULL && name_is_valid(name) &&
               strlen(name) < sizeof(((struct label *)NULL)->name) &&
               strlen(text) <= NAME_MAX_BYTES && !text_has_control(text);
    }
    return good || wrong(member, ret_refusal,
                         "names (at most 63 bytes) with texts (at most 128 "
                         "bytes)");
}

static bool check_member(json_t *value, const struct member *member,
                         struct refusal *ret_refusal)
{
    char number[NUMBER_TEXT_MAX];

    if (member->form == MEMBER_LABELS) {
        return check_labels(value, member, ret_refusal);
    }
    if (member->form == MEMBER_FLAG) {
        return json_is_boolean(value) ||
               wrong(member, ret_refusal, "true or false");
    }
    if (member->form == MEMBER_MOMENT && json_is_number(value)) {
        double seconds = json_number_value(value);

        (void)number_print(seconds, number);
        return body_check_text(number, member, ret_refusal);
    }
    if (!json_is_string(value)) {
        return refuse(ret_refusal, 400, "bad_type", member->name,
                      "%s must be a text", member->name);
    }
    return body_check_text(json_string_value(value), member, ret_refusal);
}

static const struct member *find_member(const struct member *members,
                                        const char *name)
{
    for (const struct member *at = members; at->name != NULL; at++) {
        if (strcmp(at->name, name) == 0) {
            return at;
        }
    }
    return NULL;
}

static bool refuse_unknown(const struct member *members, const char *name,
                           struct refusal *ret_refusal)
{
    const char *names[MEMBERS_MAX];
    const char *nearest = NULL;
    size_t count = 0;

    for (const struct member *at = members; at->name != NULL; at++) {
        assert(count < MEMBERS_MAX);
        names[count++] = at->name;
    }
    nearest = nearest_name(name, names, count);
    return refuse(ret_refusal, 400, "unknown_member", name,
                  "there is no member '%s' here%s%s%s", name,
                  nearest != NULL ? "; did you mean '" : "",
                  nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
}

static bool check_members(json_t *body, const struct member *members,
                          struct refusal *ret_refusal)
{
    const char *name = NULL;
    json_t *value = NULL;

    json_object_foreach(body, name, value)
    {
        const struct member *member = find_member(members, name);

        if (member == NULL) {
            return refuse_unknown(members, name, ret_refusal);
        }
        if (!json_is_null(value) && !check_member(value, member, ret_refusal)) {
            return false;
        }
    }
    for (const struct member *at = members; at->name != NULL; at++) {
        const json_t *given = json_object_get(body, at->name);

        if (at->required && (given == NULL || json_is_null(given))) {
            return refuse(ret_refusal, 400, "missing_member", at->name,
                          "%s is needed", at->name);
        }
    }
    return true;
}

json_t *body_read(const char *bytes, size_t length,
                  const struct member *members, struct refusal *ret_refusal)
{
    json_error_t error;
    json_t *body = NULL;

    if (length == 0) {
        (void)refuse(ret_refusal, 400, "bad_json", NULL,
                     "the body is empty; a JSON object is needed");
        return NULL;
    }
    body = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &error);
    if (body == NULL) {
        (void)refuse(ret_refusal, 400, "bad_json", NULL,
                     "the body is no JSON: line %d, column %d: %s", error.line,
                     error.column, error.text);
        return NULL;
    }
    if (!json_is_object(body)) {
        (void)refuse(ret_refusal, 400, "bad_json", NULL,
                     "the body must be a JSON object");
        json_decref(body);
        return NULL;
    }
    if (!check_members(body, members, ret_refusal)) {
        json_decref(body);
        return NULL;
    }
    return body;
}

/* --- Use ------------------------------------------------------------------ */

const char *body_text(const json_t *body, const char *name)
{
    return json_string_value(json_object_get(body, name));
}

time_ms body_moment(const json_t *body, const char *name)
{
    const json_t *value = json_object_get(body, name);
    char number[NUMBER_TEXT_MAX];
    time_ms moment = 0;

    if (json_is_string(value)) {
        (void)moment_read(json_string_value(value), &moment);
    } else if (json_is_number(value)) {
        (void)moment_read(number_print(json_number_value(value), number),
                          &moment);
    }
    return moment;
}

time_ms body_span(const json_t *body, const char *name)
{
    const char *text = body_text(body, name);
    time_ms span = 0;

    if (text != NULL) {
        (void)duration_read(text, &span);
    }
    return span;
}

size_t body_labels(const json_t *body, struct label ret_labels[LABELS_MAX])
{
    json_t *labels = json_object_get(body, "labels");
    const char *name = NULL;
    json_t *value = NULL;
    size_t count = 0;

    json_object_foreach(labels, name, value)
    {
        struct label *label = &ret_labels[count++];

        assert(count <= LABELS_MAX);
        (void)snprintf(label->name, sizeof(label->name), "%s", name);
        (void)snprintf(label->value, sizeof(label->value), "%s",
                       json_string_value(value));
    }
    return count;
}

void body_digest(json_t *body, const char *but,
                 char ret_digest[RECORD_DIGEST_MAX])
{
    json_t *copy = json_object();
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    char *text = NULL;

    if (copy == NULL || json_object_update(copy, body) != 0) {
        abort();
    }
    (void)json_object_del(copy, but);
    text = json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS);
    if (text == NULL || EVP_Digest(text, strlen(text), digest, &size,
                                   EVP_sha256(), NULL) != 1) {
        abort();
    }
    assert(2 * size + 1 == RECORD_DIGEST_MAX);
    for (unsigned i = 0; i < size; i++) {
        (void)snprintf(ret_digest + 2 * (size_t)i, 3, "%02x", digest[i]);
    }
    free(text);
    json_decref(copy);
}
