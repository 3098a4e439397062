/* Why the API says no, in one struct: RFC 9457 problem details are made from
 * it, and from nothing else. */
#ifndef API_REFUSAL_H
#define API_REFUSAL_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#define REFUSAL_CODE_MAX   64
#define REFUSAL_FIELD_MAX  160
#define REFUSAL_DETAIL_MAX 2048

struct refusal {
    int status;                      /* HTTP */
    char code[REFUSAL_CODE_MAX];     /* stable word: clients match on it */
    char field[REFUSAL_FIELD_MAX];   /* the member or parameter, "" none */
    char detail[REFUSAL_DETAIL_MAX]; /* one line: what, what to do next */
    int retry_after;                 /* seconds, 0: not said */
    const char *allow;               /* 405: the methods; NULL */
};

/* Fill it; printf-like.  Answers false, so that a check can return it. */
bool refuse(struct refusal *ret_refusal, int status, const char *code,
            const char *field, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* {"type","title","status","detail","code","field"?}.  Owned by the caller. */
json_t *refusal_json(const struct refusal *refusal);

/* The reason phrase of a status that this API uses. */
const char *refusal_title(int status);

#endif
