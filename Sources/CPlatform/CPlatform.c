#define _GNU_SOURCE
#include "CPlatform.h"

#include <sys/prctl.h>

int wb_set_parent_death_signal(int signal) { return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0); }
