#include "controller/config/template.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* The next piece of a template: plain bytes, or the name in braces. */
struct piece {
    const char *text;
    size_t length;
    bool is_name;
};

/* Take the piece at *@at and move on.  False at the end, and with *@ret_broken
 * for a brace that is never closed or holds no name. */
static bool next_piece(const char **at, struct piece *ret_piece,
                       bool *ret_broken)
{
    const char *text = *at;

    if (text[0] == '\0') {
        return false;
    }
    if (text[0] == '{') {
        const size_t length = strcspn(text + 1, "{}");

        if (length == 0 || text[1 + length] != '}') {
            *ret_broken = true;
            return false;
        }
        *ret_piece = (struct piece){text + 1, length, true};
        *at = text + 1 + length + 1;
        return true;
    }
    *ret_piece = (struct piece){text, strcspn(text, "{"), false};
    *at = text + ret_piece->length;
    return true;
}

struct writer {
    char *text;
    size_t size, used;
    bool full;
};

static void put(struct writer *writer, char byte)
{
    if (writer->used + 1 >= writer->size) {
        writer->full = true;
        return;
    }
    writer->text[writer->used] = byte;
    writer->used++;
    writer->text[writer->used] = '\0';
}

/* Returns how many bytes it takes. */
static size_t put_encoded(struct writer *writer, const char *value)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t length = 0;

    for (const char *at = value; *at != '\0'; at++) {
        const unsigned char byte = (unsigned char)*at;

        if ((byte < 0x80 && isalnum(byte)) || strchr("-._~", byte) != NULL) {
            put(writer, *at);
            length++;
        } else {
            put(writer, '%');
            put(writer, digits[byte >> 4]);
            put(writer, digits[byte & 15]);
            length += 3;
        }
    }
    return length;
}

static void put_plain(struct writer *writer, const char *value, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        put(writer, value[i]);
    }
}

static const char *find_value(const struct variable *variables, size_t count,
                              const struct piece *piece)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(variables[i].name) == piece->length &&
            memcmp(variables[i].name, piece->text, piece->length) == 0) {
            return variables[i].value;
        }
    }
    return NULL;
}

bool template_expand(const char *text, enum template_escape escape,
                     const struct variable *variables, size_t count,
                     char *ret_text, size_t size, char *ret_error,
                     size_t error_size)
{
    struct writer writer = {.text = ret_text, .size = size};
    struct piece piece = {0};
    const char *at = text;
    bool broken = false;

    assert(size > 0);
    ret_text[0] = '\0';
    while (next_piece(&at, &piece, &broken)) {
        const char *value = NULL;

        if (!piece.is_name) {
            put_plain(&writer, piece.text, piece.length);
            continue;
        }
        value = find_value(variables, count, &piece);
        if (value == NULL) {
            (void)snprintf(ret_error, error_size,
                           "unknown variable '{%.*s}': give it in the "
                           "service's `vars`",
                           (int)(piece.length > 64 ? 64 : piece.length),
                           piece.text);
            return false;
        }
        if (escape == TEMPLATE_URL && piece.text != text + 1) {
            (void)put_encoded(&writer, value);
        } else {
            put_plain(&writer, value, strlen(value));
        }
    }
    if (broken) {
        (void)snprintf(ret_error, error_size,
                       "a brace is not closed or has no name: write {name}");
        return false;
    }
    if (writer.full) {
        (void)snprintf(ret_error, error_size,
                       "longer than %zu bytes when its variables are filled in",
                       size - 1);
        return false;
    }
    return true;
}

size_t template_encode(const char *value, char *ret_text, size_t size)
{
    struct writer writer = {.text = ret_text, .size = size};

    assert(size > 0);
    ret_text[0] = '\0';
    return put_encoded(&writer, value);
}

bool template_names(const char *text, bool (*visit)(void *, const char *name),
                    void *data)
{
    struct piece piece = {0};
    const char *at = text;
    bool broken = false;

    while (next_piece(&at, &piece, &broken)) {
        char name[128];

        if (!piece.is_name) {
            continue;
        }
        if (piece.length >= sizeof(name)) {
            return false;
        }
        memcpy(name, piece.text, piece.length);
        name[piece.length] = '\0';
        if (!visit(data, name)) {
            return false;
        }
    }
    return !broken;
}
