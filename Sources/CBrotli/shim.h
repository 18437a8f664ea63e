// Debian's Brotli: a codec of Parquet pages.
#include <brotli/decode.h>
#include <brotli/encode.h>
