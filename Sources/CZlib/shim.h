// Debian's zlib: gzip and its checksum.
#include <zlib.h>
