#include "tests/simulator/fake_loop.h"

#include <assert.h>

#include "controller/runtime/clock.h"

/* Of a handle's flags: these functions are all there is of libuv. */
#define FLAG_ACTIVE    1u
#define FLAG_SIGNALLED 2u

static struct fake_loop *loop_of(uv_loop_t *loop)
{
    return (struct fake_loop *)loop;
}

void fake_loop_begin(struct fake_loop *loop, void *data)
{
    *loop = (struct fake_loop){.handles_count = 0};
    loop->uv.data = data;
}

static int add(uv_loop_t *uv, uv_handle_t *handle, uv_handle_type type)
{
    struct fake_loop *loop = loop_of(uv);
    assert(loop->handles_count < LOOP_HANDLES_MAX);
    handle->loop = uv;
    handle->type = type;
    handle->flags = 0;
    loop->handles[loop->handles_count++] = handle;
    return 0;
}

int uv_timer_init(uv_loop_t *loop, uv_timer_t *timer)
{
    return add(loop, (uv_handle_t *)timer, UV_TIMER);
}

int uv_prepare_init(uv_loop_t *loop, uv_prepare_t *prepare)
{
    return add(loop, (uv_handle_t *)prepare, UV_PREPARE);
}

int uv_idle_init(uv_loop_t *loop, uv_idle_t *idle)
{
    return add(loop, (uv_handle_t *)idle, UV_IDLE);
}

int uv_async_init(uv_loop_t *loop, uv_async_t *async, uv_async_cb callback)
{
    async->async_cb = callback;
    return add(loop, (uv_handle_t *)async, UV_ASYNC);
}

int uv_fs_event_init(uv_loop_t *loop, uv_fs_event_t *event)
{
    return add(loop, (uv_handle_t *)event, UV_FS_EVENT);
}

int uv_timer_start(uv_timer_t *timer, uv_timer_cb callback, uint64_t timeout,
                   uint64_t repeat)
{
    timer->timer_cb = callback;
    timer->timeout = (uint64_t)clock_boot() + timeout;
    timer->repeat = repeat;
    timer->flags |= FLAG_ACTIVE;
    return 0;
}

int uv_timer_stop(uv_timer_t *timer)
{
    timer->flags &= ~FLAG_ACTIVE;
    return 0;
}

int uv_prepare_start(uv_prepare_t *prepare, uv_prepare_cb callback)
{
    prepare->prepare_cb = callback;
    prepare->flags |= FLAG_ACTIVE;
    return 0;
}

int uv_idle_start(uv_idle_t *idle, uv_idle_cb callback)
{
    idle->idle_cb = callback;
    idle->flags |= FLAG_ACTIVE;
    return 0;
}

int uv_idle_stop(uv_idle_t *idle)
{
    idle->flags &= ~FLAG_ACTIVE;
    return 0;
}

int uv_async_send(uv_async_t *async)
{
    async->flags |= FLAG_SIGNALLED;
    return 0;
}

/* Without events the driver looks every 2 s. */
int uv_fs_event_start(uv_fs_event_t *event, uv_fs_event_cb callback,
                      const char *path, unsigned int flags)
{
    (void)event;
    (void)callback;
    (void)path;
    (void)flags;
    return UV_ENOSYS;
}

int uv_is_active(const uv_handle_t *handle)
{
    return (handle->flags & FLAG_ACTIVE) != 0;
}

void uv_close(uv_handle_t *handle, uv_close_cb done)
{
    struct fake_loop *loop = loop_of(handle->loop);
    assert(loop->closing_count < LOOP_HANDLES_MAX);
    handle->flags = 0;
    loop->closing[loop->closing_count].handle = handle;
    loop->closing[loop->closing_count].done = done;
    loop->closing_count++;
}

/* ---- turning ------------------------------------------------------------ */

static void run_timer(uv_timer_t *timer)
{
    if (timer->repeat == 0) {
        (void)uv_timer_stop(timer);
    } else {
        timer->timeout = (uint64_t)clock_boot() + timer->repeat;
    }
    timer->timer_cb(timer);
}

static bool is(const uv_handle_t *handle, uv_handle_type type)
{
    return handle->type == type && (handle->flags & FLAG_ACTIVE) != 0;
}

/* Timers that were due when the turn began, in the order of their making. */
static void run_timers(struct fake_loop *loop)
{
    const uint64_t now = (uint64_t)clock_boot();
    for (size_t i = 0; i < loop->handles_count; i++) {
        if (is(loop->handles[i], UV_TIMER) &&
            ((uv_timer_t *)loop->handles[i])->timeout <= now) {
            run_timer((uv_timer_t *)loop->handles[i]);
        }
    }
}

void fake_loop_turn(struct fake_loop *loop)
{
    run_timers(loop);
    for (size_t i = 0; i < loop->handles_count; i++) {
        if (is(loop->handles[i], UV_IDLE)) {
            uv_idle_t *idle = (uv_idle_t *)loop->handles[i];
            idle->idle_cb(idle);
        }
    }
    for (size_t i = 0; i < loop->handles_count; i++) {
        if (is(loop->handles[i], UV_PREPARE)) {
            uv_prepare_t *prepare = (uv_prepare_t *)loop->handles[i];
            prepare->prepare_cb(prepare);
        }
    }
}

time_ms fake_loop_wakes_at(const struct fake_loop *loop)
{
    time_ms soonest = TIME_NEVER;
    for (size_t i = 0; i < loop->handles_count; i++) {
        const uv_handle_t *handle = loop->handles[i];
        if (is(handle, UV_IDLE) || (handle->flags & FLAG_SIGNALLED) != 0) {
            return clock_boot();
        }
        const time_ms at = is(handle, UV_TIMER)
                               ? (time_ms)((const uv_timer_t *)handle)->timeout
                               : TIME_NEVER;
        soonest = at < soonest ? at : soonest;
    }
    return soonest < clock_boot() ? clock_boot() : soonest;
}

static void forget(struct fake_loop *loop, const uv_handle_t *handle)
{
    size_t kept = 0;
    for (size_t i = 0; i < loop->handles_count; i++) {
        if (loop->handles[i] != handle) {
            loop->handles[kept++] = loop->handles[i];
        }
    }
    loop->handles_count = kept;
}

void fake_loop_poll(struct fake_loop *loop)
{
    for (size_t i = 0; i < loop->handles_count; i++) {
        if ((loop->handles[i]->flags & FLAG_SIGNALLED) != 0) {
            uv_async_t *async = (uv_async_t *)loop->handles[i];
            async->flags &= ~FLAG_SIGNALLED;
            async->async_cb(async);
        }
    }
    for (size_t i = 0; i < loop->closing_count; i++) {
        uv_handle_t *handle = loop->closing[i].handle;
        forget(loop, handle);
        loop->closing[i].done(handle); /* the last one frees them all */
    }
    loop->closing_count = 0;
}
