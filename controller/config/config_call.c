/* HTTP calls: {post: URL, json: {...}, ok: [200], ...}. */
#include "controller/config/config_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define CALL_TIMEOUT_MS (10 * SECOND_MS)

/* --- Keys ----------------------------------------------------------------- */

static const struct {
    const char *key;
    unsigned part;
} call_keys[CALL_KEYS_MAX] = {
    {"get", CALL_GET},
    {"post", CALL_POST},
    {"put", CALL_PUT},
    {"patch", CALL_PATCH},
    {"delete", CALL_DELETE},
    {"json", CALL_JSON},
    {"ok", CALL_ANSWERS},
    {"raced", CALL_ANSWERS},
    {"idempotency_header", CALL_KEY},
    {"version", CALL_LIVE},
    {"complete", CALL_LIVE},
    {"timeout", ~0u},
};

static const struct {
    const char *key, *method;
    unsigned part;
} methods[] = {
    {"get", "GET", CALL_GET},          {"post", "POST", CALL_POST},
    {"put", "PUT", CALL_PUT},          {"patch", "PATCH", CALL_PATCH},
    {"delete", "DELETE", CALL_DELETE},
};
#define METHODS (sizeof(methods) / sizeof(methods[0]))

size_t config_call_keys(unsigned allows, const char **ret_keys)
{
    size_t count = 0;

    for (size_t i = 0; i < CALL_KEYS_MAX; i++) {
        if ((call_keys[i].part & allows) != 0) {
            ret_keys[count] = call_keys[i].key;
            count++;
        }
    }
    return count;
}

/* "get", or "post, put or patch": what a call must have one of. */
static void name_methods(unsigned allows, char *ret_text, size_t size)
{
    size_t used = 0;
    unsigned left = allows & (CALL_JSON - 1);

    ret_text[0] = '\0';
    for (size_t i = 0; i < METHODS && used < size; i++) {
        const char *joint = ", ";

        if ((methods[i].part & left) == 0) {
            continue;
        }
        left &= ~methods[i].part;
        joint = used == 0 ? "" : left == 0 ? " or " : ", ";
        used += (size_t)snprintf(ret_text + used, size - used, "%s'%s'", joint,
                                 methods[i].key);
    }
}

static void read_method(struct config_reader *reader,
                        const struct yaml_item *map, unsigned allows,
                        struct call_config *call)
{
    char wanted[64];

    name_methods(allows, wanted, sizeof(wanted));
    for (size_t i = 0; i < METHODS; i++) {
        const struct yaml_item *item = yaml_get(map, methods[i].key);

        if (item == NULL || (methods[i].part & allows) == 0) {
            continue;
        }
        if (call->method != NULL) {
            (void)yaml_key_error(reader->problems, item,
                                 "a call has one method: keep one of %s",
                                 wanted);
            return;
        }
        call->method = methods[i].method;
        (void)config_read_url(reader, item, true, call->url);
    }
    if (call->method == NULL) {
        (void)yaml_error(reader->problems, map,
                         "this call has no address: give %s", wanted);
    }
}

/* --- Answers -------------------------------------------------------------- */

static bool holds(const int *statuses, size_t count, int status)
{
    for (size_t i = 0; i < count; i++) {
        if (statuses[i] == status) {
            return true;
        }
    }
    return false;
}

/* Below 200 is no answer; above 499 nobody knows what happened, whatever the
 * configuration says. */
static size_t read_statuses(struct config_reader *reader,
                            const struct yaml_item *map, const char *key,
                            int ret_statuses[CONFIG_STATUSES_MAX])
{
    const struct yaml_item *list = yaml_get(map, key);
    size_t count = 0;

    if (list == NULL || !yaml_expect_list(list, reader->problems)) {
        return 0;
    }
    if (list->count == 0 || list->count > CONFIG_STATUSES_MAX) {
        (void)yaml_error(reader->problems, list, "'%s' holds 1 to %d statuses",
                         key, CONFIG_STATUSES_MAX);
        return 0;
    }
    for (const struct yaml_item *item = list->first; item != NULL;
         item = item->next) {
        int64_t status = 0;

        if (!yaml_expect_whole(item, 200, 499, &status, reader->problems)) {
            continue;
        }
        if (holds(ret_statuses, count, (int)status)) {
            (void)yaml_error(reader->problems, item,
                             "%d stands here a second time; keep one",
                             (int)status);
            continue;
        }
        ret_statuses[count] = (int)status;
        count++;
    }
    return count;
}

static void read_answers(struct config_reader *reader,
                         const struct yaml_item *map, struct call_config *call)
{
    call->ok_count = read_statuses(reader, map, "ok", call->ok);
    call->raced_count = read_statuses(reader, map, "raced", call->raced);
    for (size_t i = 0; i < call->raced_count; i++) {
        if (holds(call->ok, call->ok_count, call->raced[i])) {
            (void)yaml_error(reader->problems, yaml_get(map, "raced"),
                             "%d is both 'ok' and 'raced'; keep one",
                             call->raced[i]);
        }
    }
}

static void read_pointer(struct config_reader *reader,
                         const struct yaml_item *map, const char *key,
                         char *ret_pointer, size_t size)
{
    const struct yaml_item *item = yaml_get(map, key);

    if (item == NULL || !config_read_text(reader, item, ret_pointer, size)) {
        return;
    }
    if (ret_pointer[0] != '/') {
        (void)yaml_error(reader->problems, item,
                         "'%s' must be a JSON pointer, as /version or "
                         "/status/version",
                         key);
    }
}

static void read_pointers(struct config_reader *reader,
                          const struct yaml_item *map, struct call_config *call)
{
    if (yaml_get(map, "version") == NULL) {
        (void)yaml_error(reader->problems, map,
                         "'version' is missing: the JSON pointer of the live "
                         "version in the answer, as /version");
    }
    read_pointer(reader, map, "version", call->version_pointer,
                 sizeof(call->version_pointer));
    read_pointer(reader, map, "complete", call->complete_pointer,
                 sizeof(call->complete_pointer));
}

/* A header of the caller's own: nothing that says how to read the message. */
static void read_idempotency_header(struct config_reader *reader,
                                    const struct yaml_item *map,
                                    struct call_config *call)
{
    static const char *const taken[] = {"authorization",  "connection",
                                        "content-length", "content-type",
                                        "host",           "transfer-encoding"};
    const struct yaml_item *item = yaml_get(map, "idempotency_header");
    const char *name = call->idempotency_header;
    bool ok = false;

    if (item == NULL ||
        !config_read_text(reader, item, call->idempotency_header,
                          sizeof(call->idempotency_header))) {
        return;
    }
    ok = name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
                           "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")] == '\0';
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        ok = ok && strcasecmp(name, taken[i]) != 0;
    }
    if (!ok) {
        (void)yaml_error(reader->problems, item,
                         "'%s' must be the name of a header that is free, as "
                         "Idempotency-Key",
                         item->key);
    }
}

/* --- The body ------------------------------------------------------------- */

static bool is_json_word(const char *text)
{
    return strcmp(text, "true") == 0 || strcmp(text, "false") == 0 ||
           strcmp(text, "null") == 0;
}

/* Is a plain scalar a number as JSON writes them? */
static bool is_json_number(const char *text)
{
    json_t *number = json_loads(text, JSON_DECODE_ANY, NULL);
    bool ok = json_is_number(number);

    json_decref(number);
    return ok && strpbrk(text, " \t\r\n") == NULL;
}

static void put_literal(FILE *out, const char *text)
{
    json_t *string = json_string(text);
    char *literal = json_dumps(string, JSON_ENCODE_ANY | JSON_COMPACT);

    assert(literal != NULL); /* the tree holds UTF-8 only */
    (void)fputs(literal, out);
    free(literal);
    json_decref(string);
}

static bool is_a_name(void *data, const char *name)
{
    (void)data;
    return name[0] != '\0';
}

static void put_scalar(struct config_reader *reader,
                       const struct yaml_item *item, FILE *out)
{
    if (yaml_is_empty(item)) {
        (void)fputs("null", out);
    } else if (item->style == YAML_PLAIN &&
               (is_json_word(item->text) || is_json_number(item->text))) {
        (void)fputs(item->text, out);
    } else {
        put_literal(out, item->text);
        if (!template_names(item->text, is_a_name, NULL)) {
            (void)yaml_error(reader->problems, item,
                             "a brace is not closed or holds no name: write "
                             "{name}");
        }
    }
}

static void put_opening(const struct yaml_item *item, FILE *out)
{
    (void)fputc(item->kind == YAML_MAP ? '{' : '[', out);
}

static void put_closing(const struct yaml_item *item, FILE *out)
{
    (void)fputc(item->kind == YAML_MAP ? '}' : ']', out);
}

/* Write @root, a map or a list, as compact JSON: down where there are entries,
 * along beside, up where a collection ends. */
static void put_body(struct config_reader *reader, const struct yaml_item *root,
                     FILE *out)
{
    const struct yaml_item *open[YAML_DEPTH_MAX + 1] = {root};
    const struct yaml_item *at = root->first;
    size_t depth = 1;

    put_opening(root, out);
    while (depth > 0) {
        if (at == NULL) {
            depth--;
            put_closing(open[depth], out);
            at = open[depth]->next;
            continue;
        }
        if (at != open[depth - 1]->first) {
            (void)fputc(',', out);
        }
        if (at->key != NULL) {
            put_literal(out, at->key);
            (void)fputc(':', out);
        }
        if (at->kind == YAML_TEXT) {
            put_scalar(reader, at, out);
            at = at->next;
            continue;
        }
        put_opening(at, out);
        assert(depth <= YAML_DEPTH_MAX);
        open[depth] = at;
        depth++;
        at = at->first;
    }
}

static void read_body(struct config_reader *reader, const struct yaml_item *map,
                      struct call_config *call)
{
    const struct yaml_item *item = yaml_get(map, "json");
    char *body = NULL;
    size_t length = 0;
    FILE *out = NULL;

    if (item == NULL) {
        return;
    }
    if (item->kind == YAML_TEXT) {
        (void)yaml_error(reader->problems, item,
                         "'json' must be a map or a list: the body to send");
        return;
    }
    out = open_memstream(&body, &length);
    assert(out != NULL);
    put_body(reader, item, out);
    (void)fclose(out);
    assert(body != NULL);
    if (length < sizeof(call->json)) {
        memcpy(call->json, body, length + 1);
    } else {
        (void)yaml_error(reader->problems, item,
                         "the body has %zu bytes; at most %zu are read", length,
                         sizeof(call->json) - 1);
    }
    free(body);
}

/* --- The call ------------------------------------------------------------- */

void config_read_call(struct config_reader *reader, const struct yaml_item *map,
                      unsigned allows, struct call_config *call)
{
    call->given = true;
    call->timeout = CALL_TIMEOUT_MS;
    read_method(reader, map, allows, call);
    config_get_duration(reader, map, "timeout",
                        (struct config_range){100, 5 * MINUTE_MS},
                        &call->timeout);
    if ((allows & CALL_JSON) != 0) {
        read_body(reader, map, call);
    }
    if ((allows & CALL_ANSWERS) != 0) {
        read_answers(reader, map, call);
    }
    if ((allows & CALL_KEY) != 0) {
        read_idempotency_header(reader, map, call);
    }
    if ((allows & CALL_LIVE) != 0) {
        read_pointers(reader, map, call);
    }
}
