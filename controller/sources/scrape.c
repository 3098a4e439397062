#include "controller/sources/scrape.h"

#include "controller/sources/backoff.h"
#include "controller/sources/scrape_page.h"
#include "policies/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define PAGE_REASON_MAX 256

/* A timer may fire a little before the wall clock says so. */
#define EARLY_MS 50

/* The past that is kept where no policy is known yet. */
#define KEPT_MS (2 * HOUR_MS)

/* A question that waits for the page that was due before its g. */
struct waiting {
    TAILQ_ENTRY(waiting) next;
    uint32_t query;
    time_ms g;
    char *text; /* the core's ids are used again */
};

/* One page: of a service, or the only one. */
struct place {
    struct scrape *scrape;
    uint16_t service; /* NONE_INDEX: the only one */
    struct scrape_page *page;
    size_t rows; /* kept */
    struct backoff backoff;
    struct http_request *request; /* under way, */
    time_ms due, sent_at;         /* for this grid time */
    char error[RECORD_TEXT_MAX];  /* why the newest failed */
    TAILQ_HEAD(waiting_list, waiting) waiting;
};

struct scrape {
    struct source_adapter adapter;
    struct driver *driver;
    const struct source_config *config;
    uint16_t index;
    bool per_service, closing;
    uv_timer_t timer;
    time_ms ticked; /* the newest grid time that was begun */
    struct place *only;
    struct place **places; /* by service */
    size_t places_size;
};

static void on_timer(uv_timer_t *timer);
static void on_page(void *data, const struct http_answer *answer);

static struct place *place_new(struct scrape *scrape, uint16_t service)
{
    struct place *place = memory_zeroed(1, sizeof(*place));
    place->scrape = scrape;
    place->service = service;
    place->page = scrape_page_new(scrape->config->fetch);
    TAILQ_INIT(&place->waiting);
    return place;
}

static struct place *place_of(struct scrape *scrape, uint16_t service)
{
    if (!scrape->per_service || service == NONE_INDEX) {
        return scrape->only;
    }
    size_t size = scrape->places_size;
    scrape->places = memory_grow(scrape->places, &scrape->places_size,
                                 service + 1U, sizeof(struct place *));
    for (size_t i = size; i < scrape->places_size; i++) {
        scrape->places[i] = NULL;
    }
    if (!scrape->places[service]) {
        scrape->places[service] = place_new(scrape, service);
    }
    return scrape->places[service];
}

/* --- Answers ------------------------------------------------------------- */

/* "page: not scraped yet", or what went wrong with it, or with the reading. */
static void say(const struct place *place, uint32_t reading, char *ret_text,
                size_t size)
{
    const char *name = place->scrape->config->name;
    char fault[512];
    if (place->error[0]) {
        (void)snprintf(ret_text, size, "%s", place->error);
        return;
    }
    if (reading == NO_READING) {
        (void)snprintf(ret_text, size, "%s: more than %d signals on one page",
                       name, PAGE_READINGS_MAX);
        return;
    }
    scrape_page_fault(place->page, reading, fault, sizeof(fault));
    (void)snprintf(ret_text, size, "%s: %s", name,
                   fault[0] ? fault : "the page was not read yet");
}

static bool still_asked(const struct scrape *scrape, uint32_t query,
                        const char *text, struct query_view *ret_view)
{
    return view_query(driver_core(scrape->driver), query, ret_view) &&
           ret_view->source == scrape->index &&
           strcmp(ret_view->text, text) == 0;
}

/* A query without a selection has one series; should there be more, they all
 * mean the same. */
static size_t series_of(const struct core *core, uint32_t query,
                        struct sample sample, uint32_t **ret_ids,
                        struct sample **ret_samples)
{
    struct series_view series;
    size_t cursor = 0, count = 0, ids_size = 0, samples_size = 0;
    while (view_next_series(core, query, &cursor, &series)) {
        *ret_ids =
            memory_grow(*ret_ids, &ids_size, count + 1, sizeof(**ret_ids));
        *ret_samples = memory_grow(*ret_samples, &samples_size, count + 1,
                                   sizeof(**ret_samples));
        (*ret_ids)[count] = series.id;
        (*ret_samples)[count++] = sample;
    }
    return count;
}

static void answer(struct place *place, uint32_t query, time_ms g,
                   const char *text)
{
    struct driver *driver = place->scrape->driver;
    struct query_view view;
    uint32_t *ids = NULL;
    struct sample *samples = NULL;
    struct sample sample = {.unknown = UNKNOWN_NOT_ASKED};
    char error[RECORD_TEXT_MAX];
    if (!still_asked(place->scrape, query, text, &view)) {
        return; /* nobody waits */
    }
    struct input input = {.kind = INPUT_SAMPLES, .now = driver_now(driver)};
    uint32_t reading = scrape_page_want(place->page, text, driver_now(driver));
    input.samples.query = query;
    input.samples.g = g;
    if (reading != NO_READING) {
        sample = scrape_page_at(place->page, reading, g, view.max_age);
    }
    /* A selector that is new has no past yet on a page that is read: that is
     * no fault of the source. */
    bool is_new = sample.unknown == UNKNOWN_NOT_ASKED &&
                  reading != NO_READING && !place->error[0] &&
                  scrape_page_newest(place->page) > 0;
    if (sample.unknown == UNKNOWN_SOURCE_ERROR ||
        (sample.unknown == UNKNOWN_NOT_ASKED && !is_new)) {
        say(place, reading, error, sizeof(error));
        input.samples.error = error;
    } else {
        input.samples.count =
            series_of(driver_core(driver), query, sample, &ids, &samples);
        input.samples.series = ids;
        input.samples.samples = samples;
    }
    (void)driver_push(driver, &input); /* never refused to an adapter */
    free(ids);
    free(samples);
}

static void answer_waiting(struct place *place)
{
    /* What is asked meanwhile waits for the next page, or not at all. */
    struct waiting *last = TAILQ_LAST(&place->waiting, waiting_list), *waiting;
    bool more = last != NULL;
    while (more) {
        waiting = TAILQ_FIRST(&place->waiting);
        more = waiting != last;
        TAILQ_REMOVE(&place->waiting, waiting, next);
        answer(place, waiting->query, waiting->g, waiting->text);
        free(waiting->text);
        free(waiting);
    }
}

/* --- Fetching ------------------------------------------------------------ */

static void failed(struct place *place, const char *what)
{
    (void)snprintf(place->error, sizeof(place->error), "%s: %s",
                   place->scrape->config->name, what);
    scrape_page_failed(place->page, place->due);
}

static void fetch(struct place *place, time_ms due)
{
    struct scrape *scrape = place->scrape;
    const struct source_config *config = scrape->config;
    static const char *const for_metrics[] = {
        "Accept: text/plain;version=0.0.4", NULL};
    static const char *const for_json[] = {"Accept: application/json", NULL};
    char url[CONFIG_URL_MAX], error[256];
    place->due = due;
    (void)snprintf(url, sizeof(url), "%s", config->url);
    if (place->service != NONE_INDEX &&
        !driver_expand(scrape->driver, place->service, config->url, true, NULL,
                       0, url, sizeof(url), error, sizeof(error))) {
        failed(place, error);
        return;
    }
    struct http_call call = {
        .method = "GET",
        .url = url,
        .headers = config->fetch == FETCH_JSON ? for_json : for_metrics,
        .bearer = config->bearer[0] ? config->bearer : NULL,
        .timeout = config->timeout,
    };
    place->sent_at = clock_boot();
    place->request =
        http_send(driver_http(scrape->driver), &call, on_page, place);
}

static void note_backoff(struct place *place, const struct http_answer *answer)
{
    bool trouble = answer->end != HTTP_ANSWERED || answer->status == 429 ||
                   answer->status >= 500;
    if (trouble && answer->end != HTTP_TOO_LARGE) {
        backoff_failed(&place->backoff, clock_boot(), place->sent_at,
                       answer->retry_after);
    } else {
        backoff_works(&place->backoff, clock_boot());
    }
}

static void on_page(void *data, const struct http_answer *answer)
{
    struct place *place = data;
    char error[PAGE_REASON_MAX], what[768];
    if (!place->request) {
        return; /* cancelled by us */
    }
    place->request = NULL;
    note_backoff(place, answer);
    if (answer->end != HTTP_ANSWERED || answer->status != 200) {
        failed(place, answer->text);
    } else if (scrape_page_came(place->page, place->due, answer->body,
                                answer->length, error, sizeof(error))) {
        place->error[0] = '\0';
    } else {
        (void)snprintf(what, sizeof(what), "%s (%s): %s", answer->text,
                       answer->content_type[0] ? answer->content_type
                                               : "no content type",
                       error);
        (void)snprintf(place->error, sizeof(place->error), "%s: %s",
                       place->scrape->config->name, what);
    }
    answer_waiting(place);
}

/* --- The grid ------------------------------------------------------------ */

/* How far back the policy of the service's live release looks. */
static time_ms past_wanted(const struct core *core,
                           const struct service_view *service)
{
    struct release_view release;
    if (!view_release(core, service->release, &release)) {
        return KEPT_MS;
    }
    const struct policy *policy = view_policy(core, release.policy);
    time_ms past = policy ? policy->history + policy->lookback + HOUR_MS : 0;
    return past > KEPT_MS ? past : KEPT_MS;
}

static void keep(struct place *place, time_ms past)
{
    size_t rows = (size_t)(past / place->scrape->config->every) + 2;
    if (rows > place->rows) {
        place->rows = rows;
        scrape_page_keep(place->page, rows);
    }
}

/* Pages of the services that are configured for this source, and of those that
 * a policy sends here. */
static void find_places(struct scrape *scrape)
{
    const struct core *core = driver_core(scrape->driver);
    const struct config *config = driver_config(scrape->driver);
    struct service_view service;
    struct query_view query;
    size_t cursor = 0;
    while (view_next_service(core, &cursor, &service)) {
        if (service.option != NONE_INDEX &&
            config->services[service.option].source == scrape->index) {
            keep(place_of(scrape, service.index), past_wanted(core, &service));
        }
    }
    cursor = 0;
    while (view_next_query(core, &cursor, &query)) {
        if (query.source == scrape->index) {
            (void)scrape_page_want(place_of(scrape, query.service)->page,
                                   query.text, driver_now(scrape->driver));
        }
    }
}

static void begin(struct place *place, time_ms due)
{
    if (place && !place->request && due > scrape_page_newest(place->page) &&
        backoff_ask(&place->backoff, clock_boot()) != BACKOFF_REFUSE) {
        fetch(place, due);
    }
}

/* The clock was set back: a page that is under way comes at @due. */
static void go_back(struct place *place, time_ms due)
{
    if (place) {
        scrape_page_rewind(place->page, due);
        place->due = due;
    }
}

/* Fetch what is due, if it is. */
static void tick(struct scrape *scrape)
{
    time_ms due = grid_at_or_before(driver_now(scrape->driver) + EARLY_MS,
                                    scrape->config->every);
    if (due == scrape->ticked) {
        return;
    }
    if (due < scrape->ticked) {
        go_back(scrape->only, due);
        for (size_t i = 0; i < scrape->places_size; i++) {
            go_back(scrape->places[i], due);
        }
    }
    scrape->ticked = due;
    find_places(scrape);
    begin(scrape->only, due);
    for (size_t i = 0; i < scrape->places_size; i++) {
        begin(scrape->places[i], due);
    }
}

static void rearm(struct scrape *scrape)
{
    time_ms now = driver_now(scrape->driver);
    time_ms next = grid_after(now + EARLY_MS, scrape->config->every);
    (void)uv_timer_start(&scrape->timer, on_timer, (uint64_t)(next - now), 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct scrape *scrape = timer->data;
    tick(scrape);
    rearm(scrape);
}

/* --- The doors ----------------------------------------------------------- */

static void scrape_query(struct source_adapter *adapter, uint32_t query,
                         time_ms g)
{
    struct scrape *scrape = (struct scrape *)adapter;
    struct query_view view;
    if (scrape->closing ||
        !view_query(driver_core(scrape->driver), query, &view)) {
        return; /* nobody waits */
    }
    tick(scrape); /* the timer may be late */
    struct place *place = place_of(scrape, view.service);
    if (!place->request || place->due > g) {
        answer(place, query, g, view.text);
        return;
    }
    struct waiting *waiting = memory_zeroed(1, sizeof(*waiting));
    waiting->query = query;
    waiting->g = g;
    waiting->text = memory_text(view.text);
    TAILQ_INSERT_TAIL(&place->waiting, waiting, next);
}

/* One signal's column of the past. */
static void lay_column(struct scrape *scrape, const struct effect *effect,
                       uint16_t signal, size_t rows, struct sample *samples)
{
    const struct core *core = driver_core(scrape->driver);
    size_t signals = effect->history.policy->signals;
    uint32_t query, series;
    struct query_view view;
    if (!view_release_series(core, effect->history.release, signal, &query,
                             &series) ||
        !view_query(core, query, &view) || view.source != scrape->index) {
        return;
    }
    struct place *place = place_of(scrape, view.service);
    uint32_t reading =
        scrape_page_want(place->page, view.text, driver_now(scrape->driver));
    for (size_t row = 0; reading != NO_READING && row < rows; row++) {
        time_ms g = effect->history.from + (time_ms)row * effect->history.every;
        samples[row * signals + signal] =
            scrape_page_at(place->page, reading, g, view.max_age);
    }
}

static void scrape_history(struct source_adapter *adapter,
                           const struct effect *effect)
{
    struct scrape *scrape = (struct scrape *)adapter;
    time_ms every = effect->history.every;
    size_t signals = effect->history.policy->signals;
    size_t rows =
        (size_t)((effect->history.to - effect->history.from) / every) + 1;
    struct sample *samples =
        memory_zeroed(1, (rows * signals + 1) * sizeof(*samples));
    for (size_t i = 0; i < rows * signals; i++) {
        samples[i].unknown = UNKNOWN_NOT_ASKED;
    }
    for (uint16_t i = 0; i < signals; i++) {
        lay_column(scrape, effect, i, rows, samples);
    }
    struct input input = {.kind = INPUT_HISTORY,
                          .now = driver_now(scrape->driver)};
    input.history.id = effect->id;
    input.history.history.from = effect->history.from;
    input.history.history.rows = rows;
    input.history.history.samples = samples;
    (void)driver_push(scrape->driver, &input); /* never refused */
    free(samples);
}

static void place_close(struct place *place)
{
    if (!place) {
        return;
    }
    struct http_request *request = place->request;
    place->request = NULL;
    if (request) {
        http_cancel(driver_http(place->scrape->driver), request);
        (void)snprintf(place->error, sizeof(place->error),
                       "%s: the controller is stopping",
                       place->scrape->config->name);
        scrape_page_failed(place->page, place->due);
    }
    answer_waiting(place);
    scrape_page_free(place->page);
    free(place);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void scrape_close(struct source_adapter *adapter)
{
    struct scrape *scrape = (struct scrape *)adapter;
    scrape->closing = true;
    place_close(scrape->only);
    for (size_t i = 0; i < scrape->places_size; i++) {
        place_close(scrape->places[i]);
    }
    free(scrape->places);
    uv_close((uv_handle_t *)&scrape->timer, on_closed);
}

struct source_adapter *scrape_make(struct driver *driver, uint16_t index)
{
    static const struct source_ops ops = {
        .query = scrape_query,
        .history = scrape_history,
        .close = scrape_close,
    };
    const struct config *config = driver_config(driver);
    struct scrape *scrape = memory_zeroed(1, sizeof(*scrape));
    scrape->adapter.ops = &ops;
    scrape->driver = driver;
    scrape->index = index;
    scrape->config = &config->sources[index];
    scrape->per_service = config->core.sources[index].per_service;
    int status = uv_timer_init(driver_loop(driver), &scrape->timer);
    assert(status == 0);
    scrape->timer.data = scrape;
    if (!scrape->per_service) {
        scrape->only = place_new(scrape, NONE_INDEX);
        keep(scrape->only, KEPT_MS);
    }
    (void)uv_timer_start(&scrape->timer, on_timer, 0, 0); /* the core is ready
                                                              then */
    return &scrape->adapter;
}
