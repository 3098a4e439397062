/* A first policy, and its test, from a few answers: what to begin with. */
#ifndef CLI_POLICY_TEXT_H
#define CLI_POLICY_TEXT_H

#include <stdbool.h>
#include <stdio.h>

/* What was answered.  Names are valid, patterns too. */
struct policy_answers {
    const char *name, *service, *environment, *mode;
    bool scrapes;               /* a /metrics page instead of a Prometheus */
    bool errors, latency, pool; /* at least one */
};

/* Both load without a warning, and the test passes. */
void policy_text_print(const struct policy_answers *answers, FILE *out);
void policy_text_print_test(const struct policy_answers *answers, FILE *out);

#endif
