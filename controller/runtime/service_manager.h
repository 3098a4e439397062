/* What the service manager (systemd) is told: readiness and signs of life, one
 * datagram each.  Without NOTIFY_SOCKET everything here does nothing. */
#ifndef RUNTIME_SERVICE_MANAGER_H
#define RUNTIME_SERVICE_MANAGER_H

#include "policies/units.h"

struct service_manager {
    char socket[108]; /* "" none; "@" abstract */
    time_ms watchdog; /* a sign of life at least this often; 0: never */
};

/* Read the environment, and remove from it what is not for children. */
void service_manager_init(struct service_manager *manager);

/* "READY=1", "WATCHDOG=1", "STOPPING=1", ...; lines may be joined by \n. */
void service_manager_tell(const struct service_manager *manager,
                          const char *state);

/* RELOADING=1 with the time it asks for; READY=1 must follow. */
void service_manager_reloading(const struct service_manager *manager);

#endif
