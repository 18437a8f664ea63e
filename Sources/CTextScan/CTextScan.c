// All of it is inline in the header; a C target needs one source.
#include "CTextScan.h"
