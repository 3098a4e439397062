/* The daemon's configuration file, read whole, checked whole, then immutable.
 * Unknown keys refuse to start.  Secrets are files, read at load. */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "controller/core/core.h"
#include "policies/problem.h"

#define CONFIG_FILE_MAX     (64 * 1024) /* YAML_BYTES_MAX; use patterns */
#define CONFIG_VARS_MAX     16
#define CONFIG_URL_MAX      2048
#define CONFIG_PATH_MAX     512
#define CONFIG_SECRET_MAX   4096
#define CONFIG_BODY_MAX     4096 /* of a JSON template */
#define CONFIG_STATUSES_MAX 8

/* One HTTP call of a target or an action, as written. */
struct call_config {
    bool given;
    const char *method;         /* GET, POST, PUT, ... */
    char url[CONFIG_URL_MAX];   /* with {variables} */
    char json[CONFIG_BODY_MAX]; /* body template as compact JSON text with
                                   {variables} inside its strings; "" none */
    int ok[CONFIG_STATUSES_MAX], raced[CONFIG_STATUSES_MAX];
    size_t ok_count, raced_count;
    char idempotency_header[64]; /* "" none */
    time_ms timeout;
    char version_pointer[256], complete_pointer[256]; /* live; "" none */
};

struct source_config {
    char name[NAME_MAX_BYTES + 1];
    enum fetch fetch;
    char url[CONFIG_URL_MAX];   /* may have {variables} of the service */
    time_ms every;              /* scrape, json: how often; 15 s */
    time_ms lag, timeout;       /* 2 s, 5 s */
    char alive[QUERY_TEXT_MAX]; /* "" none */
    char bearer[CONFIG_SECRET_MAX], bearer_file[CONFIG_PATH_MAX];
};

struct target_config {
    char name[NAME_MAX_BYTES + 1];
    struct call_config live, has, revert;
    char bearer[CONFIG_SECRET_MAX], bearer_file[CONFIG_PATH_MAX];
    time_ms deadline; /* 10 min */
};

struct service_config {
    char service[NAME_MAX_BYTES + 1], environment[NAME_MAX_BYTES + 1];
    uint16_t target, source;
    enum mode ceiling;
    struct {
        char name[64], value[1024];
    } vars[CONFIG_VARS_MAX];
    size_t vars_count;
};

struct notice_config {
    char name[NAME_MAX_BYTES + 1];
    char url[CONFIG_URL_MAX];
    char secret[CONFIG_SECRET_MAX]; /* "" unsigned */
    char secret_file[CONFIG_PATH_MAX];
    time_ms timeout;
};

struct action_config {
    char name[NAME_MAX_BYTES + 1];
    struct call_config call;
    char bearer[CONFIG_SECRET_MAX], bearer_file[CONFIG_PATH_MAX];
    time_ms once_per; /* 0: no limit */
};

struct config {
    char path[CONFIG_PATH_MAX];
    char listen_host[256]; /* "127.0.0.1"; "" no HTTP */
    int listen_port;       /* 0: any free one */
    char listen_unix[108]; /* "" none */
    char sqlite[CONFIG_PATH_MAX];
    char policies[CONFIG_PATH_MAX];
    char stop_file[CONFIG_PATH_MAX]; /* STOP beside the configuration */
    struct source_config *sources;
    struct target_config *targets;
    struct service_config *services;
    struct notice_config *notices;
    struct action_config *actions;
    size_t sources_count, targets_count, services_count, notices_count,
        actions_count;
    bool heartbeat_given;
    char heartbeat_url[CONFIG_URL_MAX];
    time_ms heartbeat_every;
    struct core_options core; /* ready for core_new(); its arrays: */
    struct source_option *source_options;
    struct target_option *target_options;
    struct service_option *service_options;
};

/* Read and check @path (JSON when it ends in ".json").  @problems begins anew.
 * NULL with at least one error in it (secrets' files that cannot be read
 * included); warnings may come with success.  Owned by the caller. */
struct config *config_read(const char *path, struct problems *problems);
void config_free(struct config *config);

/* The effective configuration as YAML that config_read() takes back.  Secrets
 * appear as the files they were read from. */
void config_print(const struct config *config, FILE *out);

/* Do the names a policy uses exist (source, notify, run, kind of fetch), and
 * the variables that their addresses need?  Adds problems. */
void config_check_policy(const struct config *config,
                         const struct policy *policy,
                         struct problems *problems);

#endif
