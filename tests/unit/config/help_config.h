/* Configurations for tests: a folder with secrets, a text, what was said. */
#ifndef TESTS_RUNTIME_HELP_CONFIG_H
#define TESTS_RUNTIME_HELP_CONFIG_H

#include "controller/config/config.h"
#include "tests/unit/help_files.h"

#define MINIMAL                                                                \
    "state: {sqlite: lastgood.db}\n"                                           \
    "policies: policies\n"                                                     \
    "targets:\n"                                                               \
    "  deployer:\n"                                                            \
    "    http:\n"                                                              \
    "      live: {get: http://d/live, version: /version}\n"                    \
    "      revert: {post: http://d/deploy, json: {version: \"{target}\"}}\n"   \
    "services:\n"                                                              \
    "  - {service: \"*\", environment: \"*\", target: deployer}\n"             \
    "notices: {oncall: {webhook: {url: http://h/page}}}\n"                     \
    "page: [oncall]\n"

/* As product.md prints it. */
extern const char config_printed[];

struct config_stage {
    char folder[FILES_PATH_MAX];
    struct problems problems;
    struct config *config;
};

/* For cmocka: *state is a struct config_stage. */
int stage_begin(void **state);
int stage_end(void **state);

/* Read @text, with "/etc/lastgood" standing for the test's folder, as a file
 * there.  The stage owns the answer until the next one. */
struct config *stage_read(struct config_stage *stage, const char *text);
struct config *stage_read_as(struct config_stage *stage, const char *name,
                             const char *text);

/* The same, which must succeed. */
const struct config *stage_read_good(struct config_stage *stage,
                                     const char *text);

/* Refused with exactly one error that says @error; MINIMAL and one line. */
void stage_expect_refusal(struct config_stage *stage, const char *text,
                          const char *error);
void stage_expect_refused_line(struct config_stage *stage, const char *line,
                               const char *error);

bool stage_has_problem(const struct config_stage *stage, const char *text);
void stage_print_problems(const struct config_stage *stage);

#endif
