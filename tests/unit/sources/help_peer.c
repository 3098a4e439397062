/* The same scripted server as in the runtime's tests. */
#include "tests/unit/runtime/help_peer.c"
