/* The pieces that config_read() is made of.  Nobody else includes this. */
#ifndef CONFIG_CONFIG_PARTS_H
#define CONFIG_CONFIG_PARTS_H

#include "policies/read/yaml_tree.h"

#include "controller/config/config.h"
#include "controller/config/template.h"

#define CONFIG_SERVICES_MAX                                                    \
    1024 /* entries of `services:`; patterns cover more */

/* A configuration while it is read. */
struct config_reader {
    struct config *config;
    struct problems *problems;
    char folder[CONFIG_PATH_MAX]; /* of the file, with its "/"; "" here */
};

/* --- config_value.c: single values --------------------------------------- *
 * Each complains and answers false when @item is something else. */

/* A text shorter than @size. */
bool config_read_text(struct config_reader *reader,
                      const struct yaml_item *item, char *ret_text,
                      size_t size);

/* A file's path, beside the configuration when it is relative. */
bool config_read_path(struct config_reader *reader,
                      const struct yaml_item *item, char *ret_path,
                      size_t size);

/* An http(s) address.  With @variables it may have {names} and begin with
 * one. */
bool config_read_url(struct config_reader *reader, const struct yaml_item *item,
                     bool variables, char *ret_url);

/* What is wrong with an address, or NULL. */
const char *config_url_refusal(const char *url, bool variables);

/* The one line of the file that @item names. */
bool config_read_secret(struct config_reader *reader,
                        const struct yaml_item *item, char *ret_secret,
                        char *ret_path);

/* "1 in 30m" */
bool config_read_budget(struct config_reader *reader,
                        const struct yaml_item *item,
                        struct budget *ret_budget);

/* "3 services and 30% in 5m" */
bool config_read_shared_cause(struct config_reader *reader,
                              const struct yaml_item *item,
                              struct core_options *core);

/* "127.0.0.1:7333", "[::1]:0" */
bool config_read_listen(struct config_reader *reader,
                        const struct yaml_item *item);

/* Entries of one kind: @count of @size bytes that begin with their name. */
struct config_names {
    const char *what; /* the word for one */
    const void *entries;
    size_t count, size;
};
struct config_names config_source_names(const struct config *config);
struct config_names config_target_names(const struct config *config);
struct config_names config_notice_names(const struct config *config);
struct config_names config_action_names(const struct config *config);

/* The index of the entry that @item names. */
bool config_read_reference(struct config_reader *reader,
                           const struct yaml_item *item,
                           const struct config_names *names,
                           uint16_t *ret_index);
bool config_find_name(const struct config_names *names, const char *name,
                      uint16_t *ret_index);
const char *config_nearest(const struct config_names *names, const char *name);

/* The optional parts: untouched when @map has no such key. */
struct config_range {
    time_ms least, most;
};
void config_get_duration(struct config_reader *reader,
                         const struct yaml_item *map, const char *key,
                         struct config_range range, time_ms *ret_span);
void config_get_mode(struct config_reader *reader, const struct yaml_item *map,
                     enum mode *ret_mode);
void config_get_secret(struct config_reader *reader,
                       const struct yaml_item *map, const char *key,
                       char *ret_secret, char *ret_path);

/* --- config_call.c: HTTP calls -------------------------------------------- */

#define CALL_GET     (1u << 0)
#define CALL_POST    (1u << 1)
#define CALL_PUT     (1u << 2)
#define CALL_PATCH   (1u << 3)
#define CALL_DELETE  (1u << 4)
#define CALL_JSON    (1u << 5) /* json */
#define CALL_ANSWERS (1u << 6) /* ok, raced */
#define CALL_KEY     (1u << 7) /* idempotency_header */
#define CALL_LIVE    (1u << 8) /* version, complete */

/* The parts @allows of a call are read from @map; its other keys are the
 * business of the caller, who knows which ones it has (config_call_keys). */
void config_read_call(struct config_reader *reader, const struct yaml_item *map,
                      unsigned allows, struct call_config *call);

/* Write the keys that @allows means to @ret_keys; how many.  At most
 * CALL_KEYS_MAX. */
#define CALL_KEYS_MAX 12
size_t config_call_keys(unsigned allows, const char **ret_keys);

/* --- config_peers.c, config_services.c: the sections ---------------------- */

void config_read_sources(struct config_reader *reader,
                         const struct yaml_item *section);
void config_read_targets(struct config_reader *reader,
                         const struct yaml_item *section);
void config_read_notices(struct config_reader *reader,
                         const struct yaml_item *section);
void config_read_actions(struct config_reader *reader,
                         const struct yaml_item *section);
void config_read_services(struct config_reader *reader,
                          const struct yaml_item *section);

/* --- config_variables.c: which names an address needs, and who has them --- */

/* The first name in @call (of a target or action) or @url that is neither
 * among @known nor a variable of @service; NULL when all are there.  Writes
 * the name to @ret_name. */
#define CONFIG_NAME_MAX 128
bool config_misses_variable(const struct service_config *service,
                            const char *const *known, const char *url,
                            const char *json, char ret_name[CONFIG_NAME_MAX]);

/* Names that the controller fills in: for every call; then for what is asked
 * about a version; then for a revert. */
extern const char *const config_known_always[];
extern const char *const config_known_has[];
extern const char *const config_known_revert[];

/* Has @url any variable? */
bool config_has_variables(const char *url);

/* Every service must have what its target's and its source's addresses need;
 * every action's must be had by some service. */
void config_check_variables(struct config_reader *reader,
                            const struct yaml_item *services,
                            const struct yaml_item *actions);

/* Can one name match both patterns?  Does @a match all that @b does? */
bool config_patterns_overlap(const char *a, const char *b);
bool config_pattern_covers(const char *a, const char *b);

#endif
