#include "controller/api/refusal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/problem.h"

bool refuse(struct refusal *ret_refusal, int status, const char *code,
            const char *field, const char *format, ...)
{
    char detail[REFUSAL_DETAIL_MAX];
    va_list arguments;

    memset(ret_refusal, 0, sizeof(*ret_refusal));
    ret_refusal->status = status;
    (void)snprintf(ret_refusal->code, sizeof(ret_refusal->code), "%s", code);
    if (field != NULL) {
        text_escape(field, ret_refusal->field, sizeof(ret_refusal->field));
    }
    va_start(arguments, format);
    (void)vsnprintf(detail, sizeof(detail), format, arguments);
    va_end(arguments);
    text_escape(detail, ret_refusal->detail, sizeof(ret_refusal->detail));
    return false;
}

const char *refusal_title(int status)
{
    static const struct {
        int status;
        const char *title;
    } titles[] = {
        {400, "The request is wrong"},
        {403, "Not from another site"},
        {404, "Not found"},
        {405, "Method not allowed"},
        {409, "In conflict with what is"},
        {413, "The body is too large"},
        {422, "Refused"},
        {423, "The gate is closed"},
        {503, "Not now"},
    };

    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
        if (titles[i].status == status) {
            return titles[i].title;
        }
    }
    return "Error";
}

json_t *refusal_json(const struct refusal *refusal)
{
    char type[REFUSAL_CODE_MAX + 32];
    json_t *json = NULL;

    (void)snprintf(type, sizeof(type), "urn:lastgood:problem:%s",
                   refusal->code);
    json = json_pack("{s:s, s:s, s:i, s:s, s:s}", "type", type, "title",
                     refusal_title(refusal->status), "status", refusal->status,
                     "detail", refusal->detail, "code", refusal->code);
    if (json == NULL) {
        abort();
    }
    if (refusal->field[0] != '\0') {
        json_object_set_new(json, "field", json_string(refusal->field));
    }
    return json;
}
