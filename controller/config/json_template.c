#include "controller/config/json_template.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "policies/memory.h"

/* The next piece of a body: a string value with its quotes, or the bytes
 * before the next one. */
struct piece {
    const char *text;
    size_t length;
    bool is_value;
};

/* Bytes of the string literal at @text, both quotes included. */
static size_t literal_length(const char *text)
{
    size_t length = 1;

    while (text[length] != '"') {
        assert(text[length] != '\0');
        length += text[length] == '\\' ? 2 : 1;
    }
    return length + 1;
}

static bool next_piece(const char **at, struct piece *ret_piece)
{
    const char *text = *at;
    size_t length = 0;

    if (text[0] == '\0') {
        return false;
    }
    if (text[0] != '"') {
        length = strcspn(text, "\"");
        *ret_piece = (struct piece){text, length, false};
    } else {
        length = literal_length(text);
        *ret_piece = (struct piece){text, length, text[length] != ':'};
    }
    *at = text + length;
    return true;
}

static json_t *decode(const struct piece *piece)
{
    json_t *string = json_loadb(piece->text, piece->length,
                                JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);

    assert(json_is_string(string));
    return string;
}

/* Write @text as a JSON string. */
static bool put_string(FILE *out, const char *text)
{
    json_t *string = json_string(text);
    char *literal = NULL;

    if (string == NULL) {
        return false; /* not UTF-8 */
    }
    literal = json_dumps(string, JSON_ENCODE_ANY | JSON_COMPACT);
    assert(literal != NULL);
    (void)fputs(literal, out);
    free(literal);
    json_decref(string);
    return true;
}

/* One filling: how, and where its error goes. */
struct filling {
    json_template_expand *expand;
    void *data;
    char *ret_error;
    size_t error_size;
};

static bool put_filled(FILE *out, const struct piece *piece,
                       const struct filling *filling)
{
    char *filled = memory_resized(NULL, JSON_TEMPLATE_STRING_MAX);
    json_t *string = decode(piece);
    bool ok = false;

    if (!filling->expand(filling->data, json_string_value(string), filled,
                         JSON_TEMPLATE_STRING_MAX, filling->ret_error,
                         filling->error_size)) {
        goto done;
    }
    ok = put_string(out, filled);
    if (!ok) {
        (void)snprintf(filling->ret_error, filling->error_size,
                       "a variable's value is not UTF-8 text");
    }
done:
    json_decref(string);
    free(filled);
    return ok;
}

char *json_template_fill(const char *json, json_template_expand *expand,
                         void *data, char *ret_error, size_t error_size)
{
    const struct filling filling = {expand, data, ret_error, error_size};
    char *body = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&body, &length);
    struct piece piece = {0};
    bool ok = true;

    assert(out != NULL);
    while (ok && next_piece(&json, &piece)) {
        if (piece.is_value) {
            ok = put_filled(out, &piece, &filling);
        } else {
            (void)fwrite(piece.text, 1, piece.length, out);
        }
    }
    (void)fclose(out); /* memory: cannot fail but for want of it */
    assert(body != NULL);
    if (!ok) {
        free(body);
        return NULL;
    }
    return body;
}

bool json_template_strings(const char *json,
                           bool (*visit)(void *, const char *text), void *data)
{
    struct piece piece = {0};
    bool ok = true;

    while (ok && next_piece(&json, &piece)) {
        if (piece.is_value) {
            json_t *string = decode(&piece);

            ok = visit(data, json_string_value(string));
            json_decref(string);
        }
    }
    return ok;
}
