// Debian's libzstd: a codec of Parquet pages.
#include <zstd.h>
