#include "controller/serve.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "controller/api/api.h"
#include "controller/cli/cli.h"
#include "controller/cli/terminal.h"
#include "controller/notices/notices.h"
#include "controller/runtime/service_manager.h"
#include "controller/sources/sources.h"
#include "controller/targets/targets.h"
#include "policies/memory.h"
#include "policies/problem.h"

/* The store's thread breathes once a second: less says nothing. */
#define WATCHDOG_LEAST_MS (5 * SECOND_MS)

struct daemon {
    uv_loop_t loop;
    struct service_manager manager;
    struct config *config;
    struct log *log;
    struct driver *driver;
    struct api *api;
    uv_signal_t terminate, interrupt, reload;
    uv_timer_t watchdog;
    bool is_stopping;
    int exit_code;
};

/* --- The command line ----------------------------------------------------- */

static const struct cli_flag flags[] = {
    {"config", "FILE", "the configuration (required)", false},
    {"log", "logfmt|json", "how log lines are written (logfmt)", false},
    {"log-level", "LEVEL", "debug, info, warning or error (info)", false},
    {NULL, NULL, NULL, false},
};

static const struct cli_exit exits[] = {
    {0, "stopped by SIGTERM or SIGINT"},
    {1, "the configuration is wrong, or it cannot start or go on"},
    {0, NULL},
};

static const struct cli_command command = {
    .name = "serve",
    .arguments = "--config FILE",
    .summary = "run the daemon",
    .about = "Log lines go to standard error. SIGHUP reads the policies anew; "
             "changes are\nalso seen by themselves. A file STOP beside the "
             "configuration means observe,\nat once.",
    .example = "lastgood serve --config /etc/lastgood/lastgood.yaml",
    .flags = flags,
    .exits = exits,
    .least = 0,
    .most = 0,
};

static bool read_format(const struct cli_call *call, enum log_format *ret)
{
    const char *word = cli_value(call, "log");

    if (word != NULL && strcmp(word, "logfmt") != 0 &&
        strcmp(word, "json") != 0) {
        return false;
    }
    *ret = word != NULL && strcmp(word, "json") == 0 ? LOG_JSON : LOG_LOGFMT;
    return true;
}

static bool read_level(const struct cli_call *call, enum log_level *ret)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    const char *word = cli_value(call, "log-level");

    *ret = LOG_INFO;
    for (size_t i = 0; word != NULL && i < 4; i++) {
        if (strcmp(word, names[i]) == 0) {
            *ret = (enum log_level)i;
            return true;
        }
    }
    return word == NULL;
}

/* The configuration, or its problems with the lines they are in. */
static struct config *read_config(const char *path)
{
    struct problems *problems = memory_zeroed(1, sizeof(*problems));
    struct config *config = NULL;
    char *text = NULL;
    size_t length = 0;
    FILE *file = NULL;

    config = config_read(path, problems);
    if (problems->count > 0) {
        file = fopen(path, "re");
        text = memory_zeroed(1, CONFIG_FILE_MAX);
        if (file != NULL) {
            length = fread(text, 1, CONFIG_FILE_MAX, file);
            (void)fclose(file);
        }
        problems_print(problems, text, length, terminal_has_colour(stderr),
                       stderr);
        free(text);
    }
    free(problems);
    return config;
}

/* --- Ending --------------------------------------------------------------- */

static void on_api_closed(void *data)
{
    struct daemon *daemon = data;

    daemon->api = NULL;
    driver_stop(daemon->driver);
}

static void on_driver_stopped(void *data)
{
    struct daemon *daemon = data;

    daemon->driver = NULL;
    log_event(daemon->log, LOG_INFO, "stopped", NULL);
}

/* In reverse: no more signals and timers, no more people, then the driver;
 * the loop ends when the last handle is closed. */
static void stop(struct daemon *daemon)
{
    if (daemon->is_stopping) {
        return;
    }
    daemon->is_stopping = true;
    service_manager_tell(&daemon->manager, "STOPPING=1");
    log_event(daemon->log, LOG_INFO, "stopping", NULL);
    uv_close((uv_handle_t *)&daemon->terminate, NULL);
    uv_close((uv_handle_t *)&daemon->interrupt, NULL);
    uv_close((uv_handle_t *)&daemon->reload, NULL);
    uv_close((uv_handle_t *)&daemon->watchdog, NULL);
    if (daemon->api != NULL) {
        api_close(daemon->api, on_api_closed, daemon);
    } else {
        driver_stop(daemon->driver);
    }
}

static void on_end(uv_signal_t *signal, int number)
{
    (void)number;
    stop(signal->data);
}

static void on_lost(void *data, const char *error)
{
    struct daemon *daemon = data;

    (void)error; /* the driver has said it */
    daemon->exit_code = 1;
    stop(daemon);
}

/* --- Signs of life -------------------------------------------------------- */

/* The loop is alive when this runs; is the store's thread? */
static void on_watchdog(uv_timer_t *timer)
{
    const struct daemon *daemon = timer->data;
    const time_ms patience = daemon->manager.watchdog < WATCHDOG_LEAST_MS
                                 ? WATCHDOG_LEAST_MS
                                 : daemon->manager.watchdog;

    if (clock_boot() - driver_store_alive_at(daemon->driver) < patience) {
        service_manager_tell(&daemon->manager, "WATCHDOG=1");
    }
}

static void on_reload(uv_signal_t *signal, int number)
{
    struct daemon *daemon = signal->data;

    (void)number;
    service_manager_reloading(&daemon->manager);
    driver_reload(daemon->driver);
    service_manager_tell(&daemon->manager, "READY=1");
}

static void start_signals_and_timers(struct daemon *daemon)
{
    const uint64_t half = (uint64_t)daemon->manager.watchdog / 2;
    int failed = 0;

    failed |= uv_signal_init(&daemon->loop, &daemon->terminate);
    failed |= uv_signal_init(&daemon->loop, &daemon->interrupt);
    failed |= uv_signal_init(&daemon->loop, &daemon->reload);
    failed |= uv_timer_init(&daemon->loop, &daemon->watchdog);
    daemon->terminate.data = daemon;
    daemon->interrupt.data = daemon;
    daemon->reload.data = daemon;
    daemon->watchdog.data = daemon;
    failed |= uv_signal_start(&daemon->terminate, on_end, SIGTERM);
    failed |= uv_signal_start(&daemon->interrupt, on_end, SIGINT);
    failed |= uv_signal_start(&daemon->reload, on_reload, SIGHUP);
    if (half > 0) {
        failed |= uv_timer_start(&daemon->watchdog, on_watchdog, 0, half);
    }
    assert(failed == 0);
}

/* --- Starting ------------------------------------------------------------- */

static void say_where(struct daemon *daemon)
{
    const struct config *config = daemon->config;
    const bool is_v6 = strchr(config->listen_host, ':') != NULL;
    char address[300] = "", text[440];

    if (config->listen_host[0] != '\0') {
        (void)snprintf(address, sizeof(address), "%s%s%s:%d", is_v6 ? "[" : "",
                       config->listen_host, is_v6 ? "]" : "",
                       api_port(daemon->api));
    }
    (void)snprintf(
        text, sizeof(text), "listening on %s%s%s", address,
        address[0] != '\0' && config->listen_unix[0] != '\0' ? " and " : "",
        config->listen_unix);
    log_event(daemon->log, LOG_INFO, "listening", "address", address, "unix",
              config->listen_unix, "text", text, NULL);
}

static int refuse(const char *error)
{
    (void)fprintf(stderr, "lastgood serve: %s\n", error);
    return 1;
}

static struct driver *open_driver(struct daemon *daemon, char *ret_error,
                                  size_t size)
{
    const struct driver_options options = {
        .loop = &daemon->loop,
        .config = daemon->config,
        .log = daemon->log,
        .makers = {.source = source_make,
                   .target = target_make,
                   .notice = notice_make,
                   .action = action_make},
        .stopped = on_driver_stopped,
        .lost = on_lost,
        .data = daemon,
    };

    return driver_new(&options, ret_error, size);
}

/* From an open driver to the end of the loop. */
static void run(struct daemon *daemon)
{
    char error[512] = "";

    start_signals_and_timers(daemon);
    daemon->api = api_new(daemon->driver, error, sizeof(error));
    if (daemon->api == NULL) {
        daemon->exit_code = refuse(error);
        stop(daemon);
    } else {
        say_where(daemon);
        service_manager_tell(&daemon->manager, "READY=1");
    }
    (void)uv_run(&daemon->loop, UV_RUN_DEFAULT);
}

static int run_daemon(struct daemon *daemon)
{
    char error[1024] = "";
    int failed = uv_loop_init(&daemon->loop);

    assert(failed == 0);
    log_event(daemon->log, LOG_INFO, "starting", "version", LASTGOOD_VERSION,
              "config", daemon->config->path, "database",
              daemon->config->sqlite, NULL);
    daemon->driver = open_driver(daemon, error, sizeof(error));
    if (daemon->driver == NULL) {
        daemon->exit_code = refuse(error);
    } else {
        run(daemon);
    }
    failed = uv_loop_close(&daemon->loop);
    assert(failed == 0);
    return daemon->exit_code;
}

static int serve(const struct cli_call *call)
{
    struct daemon daemon = {0};
    enum log_format format = LOG_LOGFMT;
    enum log_level least = LOG_INFO;
    int code = 1;

    if (cli_value(call, "config") == NULL) {
        return cli_fail(call, "--config FILE is required");
    }
    if (!read_format(call, &format)) {
        return cli_fail(call, "--log is logfmt or json");
    }
    if (!read_level(call, &least)) {
        return cli_fail(call, "--log-level is debug, info, warning or error");
    }
    daemon.config = read_config(cli_value(call, "config"));
    if (daemon.config == NULL) {
        return 1;
    }
    daemon.config->core.version = LASTGOOD_VERSION;
    daemon.log = log_new(stderr, format, least);
    service_manager_init(&daemon.manager);
    code = run_daemon(&daemon);
    log_free(daemon.log);
    config_free(daemon.config);
    return code;
}

int serve_main(int argc, char **argv)
{
    struct cli_call call = {0};
    char error[256];
    bool help = false;

    if (!cli_parse(&command, argc, argv, &call, &help, error, sizeof(error))) {
        return refuse(error);
    }
    if (help) {
        cli_print_help(&command, stdout);
        return 0;
    }
    return serve(&call);
}
