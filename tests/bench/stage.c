#include "stage.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/targets/targets.h"
#include "tests/unit/runtime/help_peer.h"

/* One stage a program: adapters and server find it here. */
static struct stage *the_stage;

static void fail(const char *what)
{
    (void)fprintf(stderr, "bench: %s\n", what);
    abort();
}

/* --- The deployment API, on its own thread ---------------------------------
 */

struct deployer {
    uv_loop_t loop;
    uv_thread_t thread;
    uv_async_t end;
    struct peer peer;
    uv_sem_t started;
};
static struct deployer deployer;

static void serve_deployer(struct visitor *visitor)
{
    const int64_t at = clock_boot_ns();
    const char *path = strchr(visitor->request, '/');
    unsigned long service = 0;

    if (path == NULL || path[1] != 's') {
        visitor_answer(visitor, "200 OK", "Content-Type: application/json\r\n",
                       "{\"version\":\"2.0\"}");
        return;
    }
    service = strtoul(path + 2, NULL, 10);
    assert(service < STAGE_SERVICES_MAX);
    if (strncmp(visitor->request, "POST", 4) == 0) {
        the_stage->received_at[service] = at;
        the_stage->is_old[service] = true;
        visitor_answer(visitor, "202 Accepted", "", "{}");
        return;
    }
    visitor_answer(visitor, "200 OK", "Content-Type: application/json\r\n",
                   the_stage->is_old[service] ? "{\"version\":\"1.0\"}"
                                              : "{\"version\":\"2.0\"}");
}

static void on_end(uv_async_t *end)
{
    peer_stop(&deployer.peer);
    uv_close((uv_handle_t *)end, NULL);
}

static void run_deployer(void *data)
{
    (void)data;
    if (uv_loop_init(&deployer.loop) != 0 ||
        uv_async_init(&deployer.loop, &deployer.end, on_end) != 0) {
        fail("no loop for the deployment API");
    }
    peer_start(&deployer.peer, &deployer.loop, serve_deployer, NULL);
    uv_sem_post(&deployer.started);
    (void)uv_run(&deployer.loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&deployer.loop);
}

/* --- Metrics and sinks -----------------------------------------------------
 */

/* A service at rest: 100 requests a second, no errors, a pool half full. */
static double value_of(const char *query, const char *service)
{
    if (strstr(query, "5..") != NULL) {
        const size_t number =
            service[0] == 's' ? strtoul(service + 1, NULL, 10) : 0;

        if (service[0] != 's' || !the_stage->is_bad[number]) {
            return 0;
        }
        if (the_stage->seen_at[number] == 0) {
            the_stage->seen_at[number] = clock_boot_ns();
        }
        return 50;
    }
    if (strstr(query, "pool_size") != NULL) {
        return 100;
    }
    return strstr(query, "pgbouncer") != NULL ? 50 : 100;
}

static void source_query(struct source_adapter *source, uint32_t id, time_ms g)
{
    static uint32_t series[STAGE_SERVICES_MAX];
    static struct sample samples[STAGE_SERVICES_MAX];
    const struct core *core = driver_core(the_stage->driver);
    struct input input = {.kind = INPUT_SAMPLES};
    struct series_view view = {0};
    struct query_view query = {0};
    size_t cursor = 0, count = 0;

    (void)source;
    if (!view_query(core, id, &query)) {
        fail("a question about no query");
    }
    while (view_next_series(core, id, &cursor, &view)) {
        assert(count < STAGE_SERVICES_MAX);
        series[count] = view.id;
        samples[count++] = (struct sample){
            .number =
                value_of(query.text, view.selects > 0 ? view.values[0] : "")};
    }
    the_stage->samples += count;
    input.samples.query = id;
    input.samples.g = g;
    input.samples.series = series;
    input.samples.samples = samples;
    input.samples.count = count;
    (void)driver_push(the_stage->driver, &input);
}

static void source_history(struct source_adapter *source,
                           const struct effect *effect)
{
    const struct policy *policy = effect->history.policy;
    const size_t rows = (size_t)((effect->history.to - effect->history.from) /
                                 effect->history.every) +
                        1;
    struct sample *samples = calloc(rows * policy->signals, sizeof(*samples));
    struct input input = {.kind = INPUT_HISTORY};

    (void)source;
    assert(samples != NULL);
    for (size_t i = 0; i < rows * policy->signals; i++) {
        const struct signal *signal =
            policy_signal(policy, (uint16_t)(i % policy->signals));

        samples[i].number = value_of(policy_text(policy, signal->query), "");
    }
    input.history.id = effect->id;
    input.history.history.from = effect->history.from;
    input.history.history.rows = rows;
    input.history.history.samples = samples;
    (void)driver_push(the_stage->driver, &input);
    free(samples);
}

static void notice_send(struct notice_adapter *notice,
                        const struct effect *effect)
{
    const bool is_action = effect->kind == EFFECT_RUN;
    const struct input input = {
        .kind = is_action ? INPUT_ACTION_DONE : INPUT_NOTICE_DONE,
        .done = {.id = is_action ? effect->run.action : effect->notify.notice,
                 .delivered = true,
                 .text = "ok"}};

    (void)notice;
    (void)driver_push(the_stage->driver, &input);
}

static void source_close(struct source_adapter *source)
{
    (void)source;
}

static void notice_close(struct notice_adapter *notice)
{
    (void)notice;
}

static const struct source_ops source_ops = {source_query, source_history,
                                             source_close};
static const struct notice_ops notice_ops = {notice_send, notice_close};
static struct source_adapter the_source = {&source_ops};
static struct notice_adapter the_notice = {&notice_ops};

static struct source_adapter *make_source(struct driver *driver, uint16_t index)
{
    (void)index;
    the_stage->driver = driver;
    return &the_source;
}

static struct notice_adapter *make_notice(struct driver *driver, uint16_t index)
{
    (void)index;
    the_stage->driver = driver;
    return &the_notice;
}

/* --- The stage -------------------------------------------------------------
 */

static void write_file(const struct stage *stage, const char *name,
                       const char *text)
{
    char path[256];
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "%s/%s", stage->folder, name);
    file = fopen(path, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
        fail("cannot write the configuration");
    }
}

static void read_configuration(struct stage *stage)
{
    static struct problems problems;
    const bool is_large = stage->services > 2000;
    char text[2048], path[256];

    (void)snprintf(
        text, sizeof(text),
        "listen: {http: 127.0.0.1:0}\n"
        "state: {sqlite: %s/state.db}\n"
        "policies: %s/policies\n"
        "interlocks: {per_service: 10 in 1m, fleet: 10000 in 1m,\n"
        "             shared_cause: 10000 services and 100%% in 1m}\n"
        "sources: {prom: {prometheus: http://127.0.0.1:1, lag: 10ms}}\n"
        "targets: {deployer: {http: {\n"
        "  live: {get: \"{url}/{service}/version\", version: /version},\n"
        "  revert: {post: \"{url}/{service}/deploy\", json: {version:\n"
        "           \"{target}\"}, ok: [202]}}}}\n"
        "limits: {services: %d, releases: %d, series: %d}\n"
        "services: [{service: \"*\", environment: production,\n"
        "  target: deployer, source: prom,\n"
        "  vars: {url: \"http://127.0.0.1:%d\"}}]\n"
        "notices: {oncall: {webhook: {url: http://127.0.0.1:1/}},\n"
        "          status-page: {webhook: {url: http://127.0.0.1:1/}}}\n"
        "page: [oncall]\n"
        "actions: {scale-pool: {post: http://127.0.0.1:1/}}\n",
        stage->folder, stage->folder, is_large ? 12000 : 2000,
        is_large ? 40000 : 10000, is_large ? 40000 : 20000, deployer.peer.port);
    write_file(stage, "config.yaml", text);
    (void)snprintf(path, sizeof(path), "%s/config.yaml", stage->folder);
    stage->config = config_read(path, &problems);
    if (stage->config == NULL) {
        problems_print(&problems, NULL, 0, false, stderr);
        fail("its configuration is wrong");
    }
    stage->config->core.version = LASTGOOD_VERSION;
}

static void on_answer(void *data, const struct effect *effect)
{
    struct stage *stage = data;

    stage->answers++;
    if (effect->answer.outcome != OUTCOME_DONE) {
        stage->refused++;
        (void)fprintf(stderr, "refused: %s\n", effect->answer.text);
    }
}

static void open_driver(struct stage *stage)
{
    const struct driver_options options = {
        .loop = &stage->loop,
        .config = stage->config,
        .log = stage->log,
        .makers = {make_source, target_make, make_notice, make_notice},
        .data = stage};
    char error[512] = "";

    stage->driver = driver_new(&options, error, sizeof(error));
    if (stage->driver == NULL) {
        fail(error);
    }
    driver_on_answer(stage->driver, on_answer, stage);
}

struct stage *stage_begin(size_t services, const char *policy)
{
    struct stage *stage = calloc(1, sizeof(*stage));
    const char *place = getenv("TMPDIR");
    char path[256];

    assert(stage != NULL);
    assert(services <= STAGE_SERVICES_MAX);
    the_stage = stage;
    stage->services = services;
    for (size_t i = 0; i < services; i++) {
        stage->is_old[i] = true;
    }
    if (uv_sem_init(&deployer.started, 0) != 0 ||
        uv_thread_create(&deployer.thread, run_deployer, NULL) != 0 ||
        uv_loop_init(&stage->loop) != 0) {
        fail("no thread, or no loop");
    }
    uv_sem_wait(&deployer.started);
    (void)snprintf(stage->folder, sizeof(stage->folder),
                   "%s/lastgood-bench-XXXXXX", place == NULL ? "/tmp" : place);
    if (mkdtemp(stage->folder) == NULL) {
        fail("cannot make a temporary folder");
    }
    (void)snprintf(path, sizeof(path), "%s/policies", stage->folder);
    (void)mkdir(path, 0700);
    write_file(stage, "policies/policy.yaml", policy);
    read_configuration(stage);
    stage->nowhere = fopen("/dev/null", "w");
    stage->log = log_new(stage->nowhere, LOG_LOGFMT, LOG_INFO);
    open_driver(stage);
    if (driver_policy_problems(stage->driver)->errors > 0) {
        problems_print(driver_policy_problems(stage->driver), policy,
                       strlen(policy), false, stderr);
        fail("its policy is wrong");
    }
    return stage;
}

static void remove_file(const struct stage *stage, const char *name)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", stage->folder, name);
    (void)remove(path);
}

void stage_end(struct stage *stage)
{
    static const char *const names[] = {"policies/policy.yaml",
                                        "policies",
                                        "config.yaml",
                                        "state.db",
                                        "state.db-wal",
                                        "state.db-shm",
                                        "state.db.lock",
                                        "lastgood.lock",
                                        "state.lock"};

    driver_stop(stage->driver);
    (void)uv_run(&stage->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&stage->loop);
    (void)uv_async_send(&deployer.end);
    (void)uv_thread_join(&deployer.thread);
    uv_sem_destroy(&deployer.started);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        remove_file(stage, names[i]);
    }
    (void)rmdir(stage->folder);
    config_free(stage->config);
    log_free(stage->log);
    (void)fclose(stage->nowhere);
    free(stage);
}

double stage_restart(struct stage *stage, uint64_t *ret_records)
{
    int64_t begin = 0;

    driver_stop(stage->driver);
    (void)uv_run(&stage->loop, UV_RUN_DEFAULT);
    begin = clock_boot_ns();
    open_driver(stage);
    *ret_records = core_sequence(driver_core(stage->driver));
    return (double)(clock_boot_ns() - begin) / 1e9;
}

void stage_turn(struct stage *stage)
{
    (void)uv_run(&stage->loop, UV_RUN_ONCE);
}

/* --- Deploying -------------------------------------------------------------
 */

static void push_until_taken(struct stage *stage, const struct input *input)
{
    while (!driver_push(stage->driver, input)) {
        stage_turn(stage);
    }
}

static void await_answers(struct stage *stage, size_t count)
{
    while (stage->answers < count) {
        stage_turn(stage);
    }
    stage->answers = 0;
    if (stage->refused > 0) {
        fail("a request was refused");
    }
}

static void adopt(struct stage *stage, const char *service)
{
    const struct input input = {.kind = INPUT_COMMAND,
                                .reply = 1,
                                .by = "bench",
                                .command = {.kind = COMMAND_ADOPT,
                                            .service = service,
                                            .environment = "production",
                                            .version = "1.0",
                                            .reason = "it ran for a month"}};

    push_until_taken(stage, &input);
}

static void deploy(struct stage *stage, const char *service)
{
    const struct input input = {.kind = INPUT_REGISTER,
                                .reply = 1,
                                .by = "bench",
                                .registration = {.service = service,
                                                 .environment = "production",
                                                 .version = "2.0",
                                                 .data_change = "none"}};

    push_until_taken(stage, &input);
}

void stage_deploy_all(struct stage *stage)
{
    char service[32];

    for (size_t i = 0; i < stage->services; i++) {
        (void)snprintf(service, sizeof(service), "s%zu", i);
        adopt(stage, service);
    }
    await_answers(stage, stage->services);
    for (size_t i = 0; i < stage->services; i++) {
        (void)snprintf(service, sizeof(service), "s%zu", i);
        stage->is_old[i] = false;
        deploy(stage, service);
    }
    await_answers(stage, stage->services);
}

size_t stage_count(const struct stage *stage, enum release_state state)
{
    struct release_view release = {0};
    size_t cursor = 0, count = 0;

    while (view_next_release(driver_core(stage->driver), &cursor, &release)) {
        if (release.state == state && release.judged_at != 0) {
            count++;
        }
    }
    return count;
}
