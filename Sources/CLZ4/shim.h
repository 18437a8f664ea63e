// Debian's liblz4: the block codec of spool pages.
#include <lz4.h>
