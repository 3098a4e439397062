/* The dead-man's switch: beats as long as the loop turns and the store works,
 * counted by a real HTTP server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <curl/curl.h>

#include "help_driver.h"
#include "help_peer.h"

/* Of a loop of its own: the scene's begins with the driver. */
static struct {
    uv_loop_t loop;
    struct peer peer;
    const char *status; /* what it answers */
    int beats;
} dms;

static void serve_beat(struct visitor *visitor)
{
    assert_non_null(strstr(visitor->request, "GET /beat HTTP/1.1"));
    dms.beats++;
    visitor_answer(visitor, dms.status, "", "");
}

static int begin(void **state)
{
    struct scene *scene = scene_begin();
    char text[1024];

    memset(&dms, 0, sizeof(dms));
    dms.status = "200 OK";
    assert_int_equal(uv_loop_init(&dms.loop), 0);
    peer_start(&dms.peer, &dms.loop, serve_beat, NULL);
    (void)snprintf(text, sizeof(text),
                   "%sheartbeat: {get: "
                   "\"http://127.0.0.1:%d/beat\", every: 1s}\n",
                   SCENE_CONFIG, dms.peer.port);
    scene_configure(scene, text);
    *state = scene;
    return 0;
}

static int end(void **state)
{
    struct scene *scene = *state;

    scene->disk = DISK_WORKS;
    scene_end(scene);
    peer_stop(&dms.peer);
    while (uv_run(&dms.loop, UV_RUN_DEFAULT) != 0) {
    }
    return uv_loop_close(&dms.loop);
}

static struct driver_heartbeat beat_of(struct scene *scene)
{
    struct driver_heartbeat beat;

    driver_heartbeat(scene->driver, &beat);
    return beat;
}

static void turn(struct scene *scene)
{
    (void)uv_run(&dms.loop, UV_RUN_NOWAIT);
    (void)uv_run(&scene->loop, UV_RUN_ONCE);
}

/* So many more of them reach the other side. */
static void await_beats(struct scene *scene, int count)
{
    const int wanted = dms.beats + count;

    while (dms.beats < wanted) {
        turn(scene);
    }
}

static void await_fails(struct scene *scene, bool fails)
{
    while (beat_of(scene).fails != fails) {
        turn(scene);
    }
}

static void it_beats_while_everything_works(void **state)
{
    struct scene *scene = *state;
    time_ms before = 0;

    scene_start(scene);
    before = driver_now(scene->driver);
    await_beats(scene, 3);
    assert_true(beat_of(scene).given);
    assert_false(beat_of(scene).fails);
    assert_true(beat_of(scene).taken_at >= before);
    assert_true(beat_of(scene).sent_at >= beat_of(scene).taken_at - SECOND_MS);
}

static void it_says_when_nobody_takes_it_and_goes_on(void **state)
{
    struct scene *scene = *state;
    time_ms taken = 0;

    scene_start(scene);
    await_beats(scene, 1);
    dms.status = "404 Not Found";
    await_fails(scene, true);
    taken = beat_of(scene).taken_at;
    await_beats(scene, 2);
    assert_int_equal(beat_of(scene).taken_at, taken);
    assert_non_null(strstr(scene_said(scene), "event=heartbeat.failed"));
    dms.status = "204 No Content";
    await_fails(scene, false);
    assert_true(beat_of(scene).taken_at > taken);
    assert_non_null(strstr(scene_said(scene), "event=heartbeat.back"));
}

static time_ms store_is_silent_for(struct scene *scene)
{
    return clock_boot() - driver_store_alive_at(scene->driver);
}

/* Long before the driver calls itself unready because of it. */
static void
a_store_that_hangs_ends_it_and_one_that_works_begins_it(void **state)
{
    struct scene *scene = *state;
    int beats = 0;

    scene_start(scene);
    await_beats(scene, 1);
    scene->disk = DISK_HANGS;
    assert_true(scene_register(scene, "2.0", "k1"));
    while (store_is_silent_for(scene) < 6 * SECOND_MS) {
        turn(scene);
    }
    (void)uv_run(&dms.loop, UV_RUN_NOWAIT);
    beats = dms.beats;
    while (store_is_silent_for(scene) < 9 * SECOND_MS) {
        turn(scene);
    }
    assert_int_equal(dms.beats, beats);
    scene->disk = DISK_WORKS;
    await_beats(scene, 2);
}

static bool is_down(struct scene *scene)
{
    return scene->driver->is_down;
}

static void a_store_that_is_down_ends_it(void **state)
{
    struct scene *scene = *state;
    int turns = 0, beats = 0;

    scene_start(scene);
    await_beats(scene, 1);
    scene->disk = DISK_IS_FULL;
    assert_true(scene_register(scene, "2.0", "k1"));
    scene_until(scene, is_down);
    while (scene->driver->heartbeat.request != NULL) {
        turn(scene);
    }
    beats = dms.beats;
    for (time_ms began = clock_boot(); clock_boot() - began < 3 * SECOND_MS;
         turns++) {
        turn(scene);
    }
    assert_true(turns > 0);
    assert_int_equal(dms.beats, beats);
    scene->disk = DISK_WORKS;
    await_beats(scene, 1);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(it_beats_while_everything_works),
        STORY(it_says_when_nobody_takes_it_and_goes_on),
        STORY(a_store_that_hangs_ends_it_and_one_that_works_begins_it),
        STORY(a_store_that_is_down_ends_it),
    };
    int failed = 0;

    assert_int_equal(curl_global_init(CURL_GLOBAL_DEFAULT), CURLE_OK);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
