#include "controller/prometheus/selection.h"
#include "policies/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The room that narrowing adds for each label: name twice, value, words. */
#define NARROW_WORDS_MAX 128

bool selection_has(const struct selection *selection,
                   const struct prometheus_element *element, bool *ret_once)
{
    struct piece values[POLICY_SELECT_MAX];

    *ret_once =
        prometheus_labels(element, selection->labels, selection->count, values);
    for (size_t i = 0; *ret_once && i < selection->count; i++) {
        if (!piece_is(&values[i], selection->values[i])) {
            return false;
        }
    }
    return *ret_once;
}

/* --- Asking for one series only ------------------------------------------ */

/* A label's name as PromQL can write it? */
static bool is_plain_name(const char *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    return name[0] && strspn(name, letters) == strlen(name) &&
           (name[0] < '0' || name[0] > '9');
}

static bool names_are_plain(const struct selection *selection)
{
    for (size_t i = 0; i < selection->count; i++) {
        if (!is_plain_name(selection->labels[i])) {
            return false;
        }
    }
    return true;
}

/* A PromQL string that label_replace() takes as it is: a dollar is doubled. */
static char *quote(char *out, const char *value)
{
    *out++ = '"';
    for (; *value; value++) {
        if (*value == '\n') {
            *out++ = '\\';
            *out++ = 'n';
            continue;
        }
        if (*value == '"' || *value == '\\') {
            *out++ = '\\';
        } else if (*value == '$') {
            *out++ = '$';
        }
        *out++ = *value;
    }
    *out++ = '"';
    *out = '\0';
    return out;
}

static char *add(char *out, const char *text)
{
    size_t length = strlen(text);
    memcpy(out, text, length + 1);
    return out + length;
}

/* (QUERY) and on (a, b) label_replace(label_replace(vector(1), "a", "x", "",
 *  ""), "b", "y", "", "") */
char *selection_narrow(const struct selection *selection, const char *query)
{
    size_t size = strlen(query) + NARROW_WORDS_MAX;
    for (size_t i = 0; i < selection->count; i++) {
        size += 2 * strlen(selection->labels[i]) +
                2 * strlen(selection->values[i]) + NARROW_WORDS_MAX;
    }
    char *text = memory_resized(NULL, size), *end = text;
    if (selection->count == 0 || !names_are_plain(selection)) {
        (void)add(text, query);
        return text;
    }
    /* The query may end in a comment. */
    end = add(add(add(end, "("), query), "\n) and on (");
    for (size_t i = 0; i < selection->count; i++) {
        end = add(add(end, i ? ", " : ""), selection->labels[i]);
    }
    end = add(end, ") ");
    for (size_t i = 0; i < selection->count; i++) {
        end = add(end, "label_replace(");
    }
    end = add(end, "vector(1)");
    for (size_t i = 0; i < selection->count; i++) {
        end = add(add(add(end, ", \""), selection->labels[i]), "\", ");
        end = add(quote(end, selection->values[i]), ", \"\", \"\")");
    }
    assert((size_t)(end - text) < size);
    return text;
}
