// Operating system calls that Swift cannot make by itself: variadic functions, macros and Linux extensions.
// Every function says in one line why it is C. No policy lives here.
#ifndef WATERBEAR_CPLATFORM_H
#define WATERBEAR_CPLATFORM_H

#include <stdint.h>
#include <sys/types.h>

/// Asks the kernel to send `signal` to this process when its parent dies; C because prctl(2) is variadic.
int wb_set_parent_death_signal(int signal);

#endif
