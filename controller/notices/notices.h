/* Adapters that tell people, and the calls that `run:` names. */
#ifndef NOTICES_NOTICES_H
#define NOTICES_NOTICES_H

#include "controller/runtime/driver.h"

/* For entry @index of the configuration's notices, and of its actions. */
struct notice_adapter *notice_make(struct driver *driver, uint16_t index);
struct notice_adapter *action_make(struct driver *driver, uint16_t index);

#endif
