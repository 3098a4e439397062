/* First line: a selector; the rest: a page.  Nothing is read past its end, and
 * the same page twice says the same twice, counters included. */
#include "controller/sources/scrape_page.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "a page read twice differs: %s\n", what);
        abort();
    }
}

static struct sample read_once(struct scrape_page *page, uint32_t reading,
                               time_ms at, const char *body, size_t length)
{
    char error[256] = "";
    bool came = scrape_page_came(page, at, body, length, error, sizeof(error));
    require(came == (error[0] == '\0'), "an error without words");
    return scrape_page_at(page, reading, at, SECOND_MS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *line = size > 0 ? memchr(text, '\n', size) : NULL;
    char selector[512] = "a";
    if (line && line - text < 500) {
        memcpy(selector, text, (size_t)(line - text));
        selector[line - text] = '\0';
        size -= (size_t)(line - text) + 1;
        text = line + 1;
    }
    char *body = malloc(size ? size : 1); /* exact: a byte too far is seen */
    if (!body) {
        abort();
    }
    memcpy(body, text, size);
    struct scrape_page *page = scrape_page_new(FETCH_SCRAPE);
    uint32_t all = scrape_page_want(page, selector, 1);
    struct sample first = read_once(page, all, 1000, body, size);
    struct sample second = read_once(page, all, 2000, body, size);
    require(first.unknown == second.unknown, "the reason");
    require(first.unknown != KNOWN ||
                memcmp(&first.number, &second.number, sizeof(double)) == 0,
            "the number");
    scrape_page_free(page);
    free(body);
    return 0;
}
