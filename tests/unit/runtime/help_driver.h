/* A driver on a real store and core, in a folder of its own, with adapters that
 * the test holds in its hands. */
#ifndef TESTS_RUNTIME_HELP_DRIVER_H
#define TESTS_RUNTIME_HELP_DRIVER_H

#include <stdatomic.h>

#include "controller/runtime/driver_inside.h"
#include "tests/unit/help_files.h"

#define ANSWERS_MAX 64

/* What a store's append does next. */
enum disk { DISK_WORKS, DISK_IS_FULL, DISK_IS_DAMAGED, DISK_HANGS };

struct scene {
    char folder[FILES_PATH_MAX];
    uv_loop_t loop;
    struct config *config;
    struct log *log;
    char *log_text; /* see scene_said() */
    size_t log_length;
    FILE *log_out;
    struct driver *driver;
    bool is_stopped;
    char lost[512];
    int losses;
    _Atomic int disk;         /* enum disk */
    _Atomic bool no_reserve;  /* not even that takes anything */
    _Atomic uint64_t written; /* the newest record on it, or in the reserve */

    /* Answers to requests, in order. */
    struct effect answers[ANSWERS_MAX];
    size_t answers_count;

    /* The world: one metric, one live version. */
    double errors;
    bool source_fails;
    char live[NAME_MAX_BYTES + 1];
    int queries, histories, observes, reverts, notices, closed_adapters;
    /* Instead of the answer that there is none; @source is its index. */
    void (*on_history)(struct scene *scene, uint16_t source,
                       const struct effect *effect);
    bool target_is_mute; /* takes questions, answers none */
    struct effect asked; /* the newest of them */
    char noticed[RECORD_TEXT_MAX];
    void (*on_revert)(struct scene *scene, const struct effect *effect);
    void (*on_answer)(struct scene *scene, const struct effect *effect);
    void (*on_close)(struct scene *scene); /* of each adapter */
};

/* The configuration of a scene, and its policy. */
#define SCENE_CONFIG                                                           \
    "listen: {http: 127.0.0.1:0}\n"                                            \
    "state: {sqlite: state.db}\n"                                              \
    "policies: policies\n"                                                     \
    "sources:\n"                                                               \
    "  prom: {prometheus: http://127.0.0.1:1, lag: 10ms}\n"                    \
    "  other: {prometheus: http://127.0.0.1:2, lag: 10ms}\n"                   \
    "targets:\n"                                                               \
    "  deployer:\n"                                                            \
    "    http:\n"                                                              \
    "      live: {get: \"{url}/live\", version: /version}\n"                   \
    "      revert: {post: \"{url}/deploy\", json: {version: \"{target}\"}}\n"  \
    "services:\n"                                                              \
    "  - {service: svc, environment: production, target: deployer,\n"          \
    "     source: prom, vars: {url: \"http://d/a%20b\"}}\n"                    \
    "notices: {oncall: {webhook: {url: http://127.0.0.1:1/page}}}\n"           \
    "page: [oncall]\n"

#define SCENE_POLICY                                                           \
    "policy: svc\n"                                                            \
    "applies_to: {service: svc, environment: production}\n"                    \
    "mode: auto\n"                                                             \
    "watch: {for: 1h, every: 1s, settle: 1s}\n"                                \
    "baseline: 10s\n"                                                          \
    "signals:\n"                                                               \
    "  errors: {prometheus: errors, unit: count}\n"                            \
    "tree:\n"                                                                  \
    "  question: Are there errors?\n"                                          \
    "  if: errors > 5\n"                                                       \
    "  then: {rollback: last_good, freeze: 1h}\n"                              \
    "  else: healthy\n"

/* Sources of a scene; every fake tells by which it was asked. */
#define SCENE_SOURCES_MAX 4

/* Write SCENE_CONFIG and SCENE_POLICY. */
struct scene *scene_begin(void);
void scene_write(struct scene *scene, const char *name, const char *text);
void scene_remove(struct scene *scene, const char *name);

/* Another configuration for the next start. */
void scene_configure(struct scene *scene, const char *text);

/* What was logged since the begin or the last scene_hush(). */
const char *scene_said(struct scene *scene);
void scene_hush(struct scene *scene);

/* Open a driver; with a sentence in @ret_error when it refuses. */
bool scene_try_start(struct scene *scene, char *ret_error, size_t size);
void scene_start(struct scene *scene);
void scene_stop(struct scene *scene);
void scene_end(struct scene *scene);

/* Run the loop until @is_so answers true; the test's own time-out is the only
 * one. */
void scene_until(struct scene *scene, bool (*is_so)(struct scene *scene));
void scene_turns(struct scene *scene, int turns);

/* Push; false when the driver said "try again". */
bool scene_register(struct scene *scene, const char *version, const char *key);
bool scene_adopt(struct scene *scene, const char *version);

bool scene_is_answered(struct scene *scene);

/* While the store is down: until there is no room for another record. */
void scene_fill_queue(struct scene *scene);

/* How many records of @kind a reader of the file sees now; @ret_json, when not
 * NULL, gets their lines behind what it holds. */
size_t scene_stored(struct scene *scene, enum record_kind kind, char *ret_json,
                    size_t size);

#endif
