/* The files of people: configurations, policies, secrets. */
#ifndef CONFIG_CONFIG_FILE_H
#define CONFIG_CONFIG_FILE_H

#include <stddef.h>
#include <sys/types.h>

/* The bytes of a regular file, which may be read at any time without waiting.
 * -1 with errno when it cannot be read; EFBIG when it has @size or more. */
ssize_t config_read_file(const char *path, char *ret_text, size_t size);

#endif
