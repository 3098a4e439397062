#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "controller/core/arena.h"

static void blocks_lie_close_and_the_lowest_hole_is_filled(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 4096, 16, 256);
    unsigned char *a = arena_take(&arena, 40);
    unsigned char *b = arena_take(&arena, 32);
    unsigned char *c = arena_take(&arena, 1);
    assert_ptr_equal(b, a + 64);
    assert_ptr_equal(c, b + 32);
    arena_give(&arena, b, 32);
    arena_give(&arena, a, 40);
    assert_ptr_equal(arena_take(&arena, 128), c + 32); /* too big for it */
    assert_ptr_equal(arena_take(&arena, 96), a);
    arena_release(&arena);
}

static void a_block_is_zeroed_again(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 256, 4, 64);
    unsigned char *block = arena_take(&arena, 64);
    memset(block, 0xff, 64);
    arena_give(&arena, block, 64);
    block = arena_take(&arena, 33);
    for (size_t i = 0; i < 64; i++) {
        assert_int_equal(block[i], 0);
    }
    assert_null(arena_take(&arena, 0));
    arena_give(&arena, NULL, 64);
    arena_release(&arena);
}

static void a_text_is_copied_cut_and_replaced(void **state)
{
    (void)state;
    struct arena arena;
    const char *text = NULL;
    arena_init(&arena, 1024, 4, 128);
    arena_text(&arena, &text, "hello", 100);
    assert_string_equal(text, "hello");
    arena_text(&arena, &text, text, 100); /* itself */
    assert_string_equal(text, "hello");
    arena_text(&arena, &text, "hello", 4);
    assert_string_equal(text, "hel");
    arena_text(&arena, &text, NULL, 4);
    assert_string_equal(text, "");
    arena_text(&arena, &text, "", 4);
    assert_string_equal(text, "");
    arena_release(&arena);
}

/* Many of all sizes come and go; never more than was said, and all fit. */
static void what_was_promised_fits(void **state)
{
    (void)state;
    enum { BLOCKS = 64, MOST = 500 };
    struct arena arena;
    unsigned char *blocks[BLOCKS] = {NULL};
    size_t sizes[BLOCKS] = {0};
    uint32_t dice = 7;
    arena_init(&arena, (size_t)BLOCKS * MOST, BLOCKS, MOST);
    for (int i = 0; i < 20000; i++) {
        dice = dice * 1664525u + 1013904223u;
        size_t at = dice >> 8 & (BLOCKS - 1);
        for (size_t k = 0; k < sizes[at]; k++) {
            assert_int_equal(blocks[at][k], at);
        }
        arena_give(&arena, blocks[at], sizes[at]);
        sizes[at] = 1 + (dice >> 16) % MOST;
        blocks[at] = arena_take(&arena, sizes[at]);
        memset(blocks[at], (int)at, sizes[at]);
    }
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_lie_close_and_the_lowest_hole_is_filled),
        cmocka_unit_test(a_block_is_zeroed_again),
        cmocka_unit_test(a_text_is_copied_cut_and_replaced),
        cmocka_unit_test(what_was_promised_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
