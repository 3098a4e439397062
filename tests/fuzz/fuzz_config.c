/* A configuration is refused with a reason, or what is printed of it is read
 * back and printed the same. */
#include "controller/config/config.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What is printed has its defaults too: a larger one may be too large. */
#define PRINTED_MAX (32 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Read @text through the one door there is: a path. */
static struct config *read_bytes(const void *text, size_t size,
                                 struct problems *problems)
{
    struct config *config = NULL;
    char path[64];
    int file = memfd_create("config", MFD_CLOEXEC);

    if (file < 0 || write(file, text, size) != (ssize_t)size) {
        abort();
    }
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    config = config_read(path, problems);
    (void)close(file);
    if ((config == NULL) != (problems->errors > 0)) {
        abort();
    }
    return config;
}

static char *print(const struct config *config, size_t *ret_length)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, ret_length);

    if (out == NULL) {
        abort();
    }
    config_print(config, out);
    (void)fclose(out);
    return text;
}

static void check_round_trip(const struct config *config)
{
    static struct problems problems;
    struct config *again = NULL;
    size_t length = 0, length_again = 0;
    char *text = print(config, &length), *text_again = NULL;

    if (length > PRINTED_MAX) {
        free(text);
        return;
    }
    again = read_bytes(text, length, &problems);
    if (again == NULL) {
        problems_print(&problems, text, length, false, stderr);
        abort();
    }
    text_again = print(again, &length_again);
    if (length != length_again || memcmp(text, text_again, length) != 0) {
        abort();
    }
    config_free(again);
    free(text);
    free(text_again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct problems problems;
    struct config *config = read_bytes(data, size, &problems);

    if (config != NULL) {
        check_round_trip(config);
        config_free(config);
    }
    return 0;
}
