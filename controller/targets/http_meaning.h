/* What an HTTP answer of a deployment API means to the controller.
 *
 *   nothing whole came back                    unclear
 *   408 425 429 5xx                            unclear
 *   3xx                                        rejected: never followed
 *   other 4xx                                  rejected
 *   live: 2xx with a version                   observed
 *   live: 2xx that cannot be understood        unclear
 *   has:  2xx yes, 404 no                      observed; anything else unclear
 *   revert: `ok`, or any 2xx without a list    accepted
 *   revert: `raced`                            raced
 *   revert: a 2xx that is not in `ok`          unclear
 */
#ifndef TARGETS_HTTP_MEANING_H
#define TARGETS_HTTP_MEANING_H

#include "controller/config/config.h"
#include "controller/runtime/http.h"

struct http_meaning {
    enum target_result result;
    char version[NAME_MAX_BYTES + 1]; /* live, observed */
    bool complete, has;
    char text[RECORD_TEXT_MAX]; /* method, URL, status, and why */
};

void http_meaning_of_live(const struct call_config *live,
                          const struct http_answer *answer,
                          struct http_meaning *ret_meaning);
void http_meaning_of_has(const struct http_answer *answer,
                         struct http_meaning *ret_meaning);
void http_meaning_of_revert(const struct call_config *revert,
                            const struct http_answer *answer,
                            struct http_meaning *ret_meaning);

#endif
