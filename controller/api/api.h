/* The doors people and pipelines use: HTTP on TCP and on a unix socket. */
#ifndef API_API_H
#define API_API_H

#include "controller/runtime/driver.h"

struct api;

/* Open the listeners of the configuration and begin to answer.  NULL with one
 * line in @ret_error (address in use, path not writable ...). */
struct api *api_new(struct driver *driver, char *ret_error, size_t size);

/* The TCP port really bound, 0 when there is none. */
int api_port(const struct api *api);

/* Stop accepting, finish what is under way (5 s at most), free. */
void api_close(struct api *api, void (*closed)(void *), void *data);

#endif
