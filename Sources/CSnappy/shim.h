// Debian's libsnappy: a codec of Parquet pages.
#include <snappy-c.h>
